"""What a peer with a genuine certificate cannot do to the hub, however it behaves."""

import asyncio
import json
import logging

import aiohttp
import pytest
from gatelodge.contract.errors import LineError
from gatelodge.contract.messages import SIZE_LIMIT

from host_tools.cloud.devices import hub as hub_module
from host_tools.cloud.devices import session as session_module
from tests.host_tools.device_hub_rig import HELLO, PATIENCE_S, SERIAL


async def test_silence_before_hello_ends_the_connection(hub_rig, monkeypatch):
    monkeypatch.setattr("gatelodge.contract.link.GREETING_MS", 50)
    peer = await hub_rig.connect()
    assert await peer.hear() == 1000


async def test_a_message_that_breaks_the_contract_ends_the_connection(hub_rig):
    peer = await hub_rig.welcomed()
    await peer.say(type="heartbeat", seq=0)
    assert (await peer.hear())["reason"] == "heartbeat.uptime_s is missing"
    assert await peer.hear() == 1008


@pytest.mark.parametrize("text", ["{", "[" * 5000, '"hello"', "[]", "NaN"])
async def test_what_is_no_json_object_ends_the_connection(hub_rig, text):
    peer = await hub_rig.connect()
    await peer.socket.send_str(text)
    assert (await peer.hear())["type"] == "goodbye"
    assert await peer.hear() == 1008


async def test_text_that_no_table_takes_ends_the_connection(hub_rig):
    peer = await hub_rig.connect()
    await peer.socket.send_str(json.dumps({**HELLO, "firmware": "\ud800"}))
    assert (await peer.hear())["type"] == "goodbye"
    assert hub_rig.hub.online(SERIAL) is None


async def test_a_message_that_is_too_long_ends_the_connection(hub_rig, caplog):
    caplog.set_level(logging.INFO)
    peer = await hub_rig.connect()
    await peer.socket.send_str(" " * (SIZE_LIMIT + 1))
    while isinstance(answer := await peer.hear(), dict):
        assert answer["type"] == "goodbye"
    assert peer.socket.closed
    assert f"exceeds limit {SIZE_LIMIT}" in caplog.text


async def test_too_many_messages_end_the_connection(hub_rig, monkeypatch):
    monkeypatch.setattr(session_module, "MESSAGES_PER_S", 0)
    peer = await hub_rig.welcomed()
    for number in range(session_module.MESSAGES_AT_ONCE):
        await peer.say(type="accepted", id=f"c{number}")
    assert (await peer.hear())["reason"] == "a router sends too many messages"


async def test_pings_do_not_stand_in_for_a_hello(hub_rig, monkeypatch):
    monkeypatch.setattr("gatelodge.contract.link.GREETING_MS", 200)
    peer = await hub_rig.connect(autoping=False)
    async with asyncio.timeout(PATIENCE_S):
        while not peer.socket.closed:
            await peer.socket.ping(b"still here")
            await receive_within(peer.socket, 0.05)


async def test_a_ping_is_answered(hub_rig):
    peer = await hub_rig.connect(autoping=False)
    await peer.socket.ping(b"here?")
    frame = await peer.socket.receive(timeout=PATIENCE_S)
    assert (frame.type, bytes(frame.data)) == (aiohttp.WSMsgType.PONG, b"here?")


async def test_too_many_pings_end_the_connection(hub_rig, monkeypatch):
    monkeypatch.setattr(session_module, "MESSAGES_PER_S", 0)
    peer = await hub_rig.connect(autoping=False)
    for _ in range(session_module.MESSAGES_AT_ONCE + 1):
        await peer.socket.ping(b"")
    async with asyncio.timeout(PATIENCE_S):
        while (await peer.socket.receive()).type is aiohttp.WSMsgType.PONG:
            pass
    assert await peer.hear() == 1008


async def receive_within(socket, seconds):
    try:
        await socket.receive(timeout=seconds)
    except TimeoutError:
        return


async def test_a_router_holds_a_few_connections_at_most(hub_rig, monkeypatch):
    monkeypatch.setattr(hub_module, "LINKS_OF_ROUTER_MAX", 2)
    first, _second = await hub_rig.connect(), await hub_rig.connect()
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await hub_rig.connect()
    assert caught.value.status == 429
    await first.socket.close()
    await hub_rig.until(lambda: len(hub_rig.hub._all) == 1)
    await hub_rig.welcomed()


async def test_a_router_that_takes_nothing_keeps_nobody_waiting(monkeypatch):
    class Deaf:
        async def send_str(self, _text):
            await asyncio.Event().wait()

        async def close(self, code):
            await asyncio.Event().wait()

    monkeypatch.setattr(session_module, "SEND_S", 0.05)
    monkeypatch.setattr(session_module, "CLOSE_S", 0.05)
    session = session_module.Session(Deaf(), SERIAL, "192.0.2.1")
    with pytest.raises(LineError):
        session.link.receive(HELLO, 0)
        await session.send({"type": "goodbye", "reason": "a test"})
    session = session_module.Session(Deaf(), SERIAL, "192.0.2.1")
    async with asyncio.timeout(PATIENCE_S):
        await session.leave("a test")
