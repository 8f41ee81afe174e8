"""The hub over real mutual TLS: who may connect, what a welcome says, who is online."""

import asyncio
import logging

import aiohttp
import pytest

from host_tools.cloud.devices.commands import DeviceOffline
from host_tools.cloud.devices.registry import DeviceRecord
from tests.fakes.authority import SERVER
from tests.host_tools.device_hub_rig import HELLO, OWNER, SERIAL


async def test_a_welcome_carries_time_interval_window_and_owner(hub_rig):
    welcome = await (await hub_rig.connect()).greet()
    assert (welcome["type"], welcome["heartbeat_s"], welcome["owner"]) == ("welcome", 30, OWNER)
    assert welcome["reconnect_window_s"] == 2
    assert hub_rig.hub.online(SERIAL)["owner"] == "a1"


async def test_a_welcome_says_which_younger_messages_are_taken(hub_rig):
    assert (await (await hub_rig.connect()).greet())["takes"] == {
        "release": True,
        "invite": True,
        "notice": True,
        "uninvite": True,
    }


async def test_the_window_grows_with_the_fleet(hub_rig):
    async def many():
        return 540_000

    hub_rig.registry.count = many
    assert (await (await hub_rig.connect()).greet())["reconnect_window_s"] == 300


async def test_a_certificate_for_servers_is_refused(hub_rig):
    with pytest.raises((aiohttp.ClientError, OSError)):
        await hub_rig.connect(hub_rig.factory.router(SERIAL, SERVER))


async def test_a_certificate_without_a_purpose_is_refused(hub_rig):
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await hub_rig.connect(hub_rig.factory.router(SERIAL, None))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "record, reason",
    [
        (None, "the factory has not reported this router"),
        (DeviceRecord(SERIAL, "0" * 64), "the factory reported another certificate for this serial number"),
    ],
)
async def test_a_genuine_certificate_of_no_known_router_is_refused(hub_rig, caplog, record, reason):
    hub_rig.registry.records = {SERIAL: record} if record else {}
    peer = await hub_rig.connect()
    assert await peer.greet() == {"type": "goodbye", "reason": reason}
    assert await peer.hear() == 1008
    assert reason in caplog.text


async def test_a_router_cannot_say_that_it_is_another(hub_rig):
    peer = await hub_rig.connect()
    await peer.say(**HELLO | {"serial_number": "GL-0002"})
    assert (await peer.hear())["reason"].startswith("it calls itself GL-0002")
    assert hub_rig.hub.online_serials() == []


async def test_a_newer_connection_takes_over_without_an_offline_edge(hub_rig):
    older, newer = await hub_rig.welcomed(), await hub_rig.welcomed()
    assert (await older.hear())["type"] == "goodbye"
    assert hub_rig.edges == [("online", "a1"), ("changed", "a1")]
    await newer.socket.close()
    await hub_rig.until(lambda: not hub_rig.hub.online(SERIAL))
    assert hub_rig.edges[2:] == [("offline", "a1")]


async def test_an_owner_is_told_at_once(hub_rig):
    assert not await hub_rig.hub.set_owner(SERIAL, None)
    peer = await hub_rig.welcomed()
    assert await hub_rig.hub.set_owner(SERIAL, None)
    assert await peer.hear() == {"type": "owner", "owner": None}
    assert hub_rig.edges[-1] == ("changed", None)


async def test_a_router_that_must_go_is_offline_at_once(hub_rig):
    peer = await hub_rig.welcomed()
    assert await hub_rig.hub.disconnect(SERIAL, "revoked")
    assert await peer.hear() == {"type": "goodbye", "reason": "revoked"}
    assert await peer.hear() == 1008
    with pytest.raises(DeviceOffline):
        await hub_rig.command()


async def test_closing_says_goodbye_and_takes_nobody_new(hub_rig, caplog):
    caplog.set_level(logging.INFO)
    peer = await hub_rig.welcomed()
    hearing = asyncio.ensure_future(peer.hear())
    closing = asyncio.ensure_future(hub_rig.hub.close())
    assert await hearing == {"type": "goodbye", "reason": "the cloud restarts"}
    await peer.socket.close()
    await closing
    assert hub_rig.edges[-1] == ("offline", "a1")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await hub_rig.connect()
