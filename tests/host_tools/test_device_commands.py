"""Commands to a router: their results, their ends without one, and those whose result is kept for later."""

import asyncio

import pytest

from host_tools.cloud.devices.commands import CommandBusy, CommandFailed, CommandTimeout
from tests.host_tools.device_hub_rig import HELLO, SERIAL

ASKED = {"report_id": "d1", "account_id": "a1"}
REPORT = {"type": "report", "report_id": "d1", "section": "log", "value": {"lines": []}}


async def test_a_command_without_a_result_times_out(hub_rig):
    await hub_rig.welcomed()
    with pytest.raises(CommandTimeout):
        await hub_rig.command(timeout_s=0.05)
    assert len(hub_rig.hub._waiting) == 0


async def test_a_command_that_the_router_refuses_fails_with_its_words(hub_rig):
    peer = await hub_rig.welcomed()
    running = hub_rig.command()
    command = await peer.hear()
    await peer.say(type="result", id=command["id"], ok=False, error="the lamp is broken")
    with pytest.raises(CommandFailed, match="the lamp is broken"):
        await running
    assert await peer.hear() == {"type": "result_ack", "id": command["id"]}


async def test_a_command_is_repeated_with_its_id_after_a_reconnect(hub_rig):
    peer = await hub_rig.welcomed()
    running = hub_rig.command()
    first = await peer.hear()
    await peer.socket.close()
    again = await hub_rig.welcomed()
    assert await again.hear() == first
    await again.say(type="result", id=first["id"], ok=True, value={"lights": 3})
    assert await running == {"lights": 3}


async def test_a_command_of_the_last_owner_is_not_repeated_after_a_reset(hub_rig):
    peer = await hub_rig.welcomed()
    running = hub_rig.command()
    await peer.hear()
    await peer.socket.close()
    again = await hub_rig.connect()
    await again.say(**HELLO | {"reset": "r1"})
    assert (await again.hear())["type"] == "welcome"
    with pytest.raises(CommandFailed, match="was reset"):
        await running
    later = hub_rig.command("identify")
    assert (await again.hear())["name"] == "identify"
    later.cancel()


async def test_commands_that_wait_are_bounded(hub_rig):
    await hub_rig.welcomed()
    waiting = [hub_rig.command() for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(CommandBusy):
        await hub_rig.command()
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_hello_tells_which_younger_commands_the_router_knows(hub_rig):
    peer = await hub_rig.connect()
    await peer.say(**HELLO, takes={"diagnostics": True})
    await peer.hear()
    assert hub_rig.hub.online(SERIAL)["takes"] == {"diagnostics": True, "undo": None}


async def test_what_was_asked_goes_by_its_own_id_and_its_parts_and_result_are_told(hub_rig):
    peer = await hub_rig.welcomed()
    assert await hub_rig.hub.ask(SERIAL, "d1", "diagnostics", ASKED)
    assert await peer.hear() == {"type": "command", "id": "d1", "name": "diagnostics", "args": ASKED}
    for number in range(2):
        await peer.say(**REPORT, number=number)
    await peer.say(type="result", id="d1", ok=True, value={"messages": 2})
    assert await peer.hear() == {"type": "result_ack", "id": "d1"}
    assert hub_rig.reports == [(SERIAL, "d1", 0), (SERIAL, "d1", 1)]
    assert hub_rig.results == [(SERIAL, "d1", True)]


async def test_its_result_is_acknowledged_once_it_is_durable(hub_rig, caplog):
    peer = await hub_rig.welcomed()
    hub_rig.database_fails = True
    await peer.say(type="result", id="d1", ok=True, value={})
    await peer.say(type="heartbeat", seq=1, uptime_s=9, load=0, memory_free_kb=1, wan_up=True)
    assert (await peer.hear())["type"] == "heartbeat_ack"
    assert "the result of d1 was not kept" in caplog.text
    hub_rig.database_fails = False
    await peer.say(type="result", id="d1", ok=True, value={})
    assert await peer.hear() == {"type": "result_ack", "id": "d1"}


async def test_a_part_of_a_report_that_could_not_be_kept_leaves_the_link_up(hub_rig):
    peer = await hub_rig.welcomed()
    hub_rig.database_fails = True
    await peer.say(**REPORT, number=0)
    await peer.say(type="heartbeat", seq=1, uptime_s=9, load=0, memory_free_kb=1, wan_up=True)
    assert (await peer.hear())["type"] == "heartbeat_ack"


async def test_an_offline_router_is_asked_nothing(hub_rig):
    assert not await hub_rig.hub.ask(SERIAL, "d1", "diagnostics", ASKED)
