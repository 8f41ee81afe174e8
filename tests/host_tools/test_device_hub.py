"""The hub alone, over real mutual TLS, met by peers that behave as the real router never would."""

import asyncio
import json
import logging
import ssl

import aiohttp
import pytest
from gatelodge.contract.errors import LineError
from gatelodge.contract.messages import PATH, SIZE_LIMIT, SUBPROTOCOL

from host_tools.cloud.devices import hub as hub_module
from host_tools.cloud.devices import session as session_module
from host_tools.cloud.devices.hub import (
    CommandBusy,
    CommandFailed,
    CommandTimeout,
    DeviceHub,
    DeviceOffline,
    HubSettings,
)
from host_tools.cloud.devices.listener import start_listener
from host_tools.cloud.devices.registry import DeviceRecord, MemoryRegistry
from host_tools.cloud.devices.tls import device_context
from tests.fakes.authority import SERVER, Authority

SERIAL = "GL-0001"
PATIENCE_S = 10
OWNER = {"account_id": "a1", "name": "Ada", "email": "ada@example.org"}
HELLO = {
    "type": "hello",
    "serial_number": SERIAL,
    "model": "Virt",
    "firmware": "0.1.0",
    "boot_id": "b1",
    "uptime_s": 4,
    "owner": None,
    "clock_state": "unset",
}


class Peer:
    """A WebSocket client with a router's certificate."""

    def __init__(self, socket):
        self.socket = socket

    async def say(self, **message):
        await self.socket.send_json(message)

    async def hear(self):
        """The next message, or the close code when there is none."""
        frame = await self.socket.receive(timeout=PATIENCE_S)
        return frame.json() if frame.type is aiohttp.WSMsgType.TEXT else self.socket.close_code

    async def greet(self):
        await self.say(**HELLO)
        return await self.hear()


class Bench:
    """A hub on a port, and peers for it."""

    def __init__(self, folder):
        self.folder = folder
        self.factory, self.cloud_ca = Authority("Factory"), Authority("Cloud")
        self.genuine = self.factory.router(SERIAL)
        self.registry = MemoryRegistry([DeviceRecord(SERIAL, self.genuine.fingerprint, OWNER)])
        self.edges, self.answers, self.answer_fails = [], [], False
        self.resets, self.reset_fails = [], False
        self.releases, self.invites, self.notices, self.uninvites = [], [], [], []
        self.reports, self.results = [], []
        self.peers = aiohttp.ClientSession()

    async def start(self, **settings):
        self.hub = DeviceHub(
            self.registry,
            on_edge=self.edge,
            on_claim_answer=self.answer,
            on_reset=self.reset,
            on_release=self.release,
            on_invite=self.invite,
            on_uninvite=self.uninvite,
            on_notice=self.notice,
            on_report=self.report,
            on_result=self.result,
            settings=HubSettings(**settings),
        )
        ca_file, _ = self.factory.write(self.folder, "factory")
        context = device_context(*self.cloud_ca.server("localhost").write(self.folder, "cloud"), ca_file)
        self.runner = await start_listener(self.hub, context, "127.0.0.1", 0)

    async def stop(self):
        await self.peers.close()
        await self.hub.close()
        await self.runner.cleanup()

    async def edge(self, serial_number, state, status):
        self.edges.append((state, status["owner"]))

    async def answer(self, serial_number, claim_id, approved):
        if self.answer_fails:
            raise OSError("no database")
        self.answers.append((serial_number, claim_id, approved))

    async def reset(self, serial_number):
        if self.reset_fails:
            raise OSError("no database")
        self.resets.append(serial_number)
        self.registry.records[serial_number] = DeviceRecord(serial_number, self.genuine.fingerprint)

    async def release(self, serial_number, account_id, undo_id):
        if self.answer_fails:
            raise OSError("no database")
        self.releases.append((serial_number, account_id, undo_id))

    async def notice(self, serial_number, notice):
        if self.answer_fails:
            raise OSError("no database")
        self.notices.append((serial_number, notice["notice_id"]))

    async def report(self, serial_number, report):
        self.reports.append((serial_number, report["report_id"], report["number"]))

    async def result(self, serial_number, result):
        if self.answer_fails:
            raise OSError("no database")
        self.results.append((serial_number, result["id"], result["ok"]))

    async def invite(self, serial_number, service_code):
        if self.answer_fails:
            raise OSError("no database")
        self.invites.append((serial_number, service_code))
        return {"link": "https://cloud.test/x", "expires_s": 600, "error": None}

    async def uninvite(self, serial_number):
        if self.answer_fails:
            raise OSError("no database")
        self.uninvites.append(serial_number)

    async def connect(self, credential=None, **options):
        ca_file, _ = self.cloud_ca.write(self.folder, "cloud_ca")
        context = ssl.create_default_context(cafile=ca_file)
        context.load_cert_chain(*(credential or self.genuine).write(self.folder, "peer"))
        url = f"wss://localhost:{self.runner.addresses[0][1]}{PATH}"
        options = {"protocols": (SUBPROTOCOL,), "max_msg_size": 0} | options
        return Peer(await self.peers.ws_connect(url, ssl=context, **options))

    async def welcomed(self):
        peer = await self.connect()
        await peer.greet()
        return peer

    def command(self, name="identify", timeout_s=PATIENCE_S):
        return asyncio.ensure_future(self.hub.command(SERIAL, name, {}, timeout_s))


@pytest.fixture
async def bench(tmp_path):
    bench = Bench(tmp_path)
    await bench.start()
    yield bench
    await bench.stop()


async def test_a_welcome_carries_time_interval_window_and_owner(bench):
    welcome = await (await bench.connect()).greet()
    assert (welcome["type"], welcome["heartbeat_s"], welcome["owner"]) == ("welcome", 30, OWNER)
    assert welcome["reconnect_window_s"] == 2
    assert bench.hub.online(SERIAL)["owner"] == "a1"


async def test_the_window_grows_with_the_fleet(bench):
    async def many():
        return 540_000

    bench.registry.count = many
    assert (await (await bench.connect()).greet())["reconnect_window_s"] == 300


async def test_a_certificate_for_servers_is_refused(bench):
    with pytest.raises((aiohttp.ClientError, OSError)):
        await bench.connect(bench.factory.router(SERIAL, SERVER))


async def test_a_certificate_without_a_purpose_is_refused(bench):
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await bench.connect(bench.factory.router(SERIAL, None))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "record, reason",
    [
        (None, "the factory has not reported this router"),
        (DeviceRecord(SERIAL, "0" * 64), "the factory reported another certificate for this serial number"),
    ],
)
async def test_a_genuine_certificate_of_no_known_router_is_refused(bench, caplog, record, reason):
    bench.registry.records = {SERIAL: record} if record else {}
    peer = await bench.connect()
    assert await peer.greet() == {"type": "goodbye", "reason": reason}
    assert await peer.hear() == 1008
    assert reason in caplog.text


async def test_a_router_cannot_say_that_it_is_another(bench):
    peer = await bench.connect()
    await peer.say(**HELLO | {"serial_number": "GL-0002"})
    assert (await peer.hear())["reason"].startswith("it calls itself GL-0002")
    assert bench.hub.online_serials() == []


async def test_a_newer_connection_takes_over_without_an_offline_edge(bench):
    older, newer = await bench.welcomed(), await bench.welcomed()
    assert (await older.hear())["type"] == "goodbye"
    assert bench.edges == [("online", "a1"), ("changed", "a1")]
    await newer.socket.close()
    while bench.hub.online(SERIAL):
        await asyncio.sleep(0.01)
    assert bench.edges[2:] == [("offline", "a1")]


async def test_silence_before_hello_ends_the_connection(bench, monkeypatch):
    monkeypatch.setattr("gatelodge.contract.link.GREETING_MS", 50)
    peer = await bench.connect()
    assert await peer.hear() == 1000


async def test_a_message_that_breaks_the_contract_ends_the_connection(bench):
    peer = await bench.welcomed()
    await peer.say(type="heartbeat", seq=0)
    assert (await peer.hear())["reason"] == "heartbeat.uptime_s is missing"
    assert await peer.hear() == 1008


@pytest.mark.parametrize("text", ["{", "[" * 5000, '"hello"', "[]", "NaN"])
async def test_what_is_no_json_object_ends_the_connection(bench, text):
    peer = await bench.connect()
    await peer.socket.send_str(text)
    assert (await peer.hear())["type"] == "goodbye"
    assert await peer.hear() == 1008


async def test_a_message_that_is_too_long_ends_the_connection(bench, caplog):
    caplog.set_level(logging.INFO)
    peer = await bench.connect()
    await peer.socket.send_str(" " * (SIZE_LIMIT + 1))
    while isinstance(answer := await peer.hear(), dict):
        assert answer["type"] == "goodbye"
    assert peer.socket.closed
    assert f"exceeds limit {SIZE_LIMIT}" in caplog.text


async def test_too_many_messages_end_the_connection(bench, monkeypatch):
    monkeypatch.setattr(session_module, "MESSAGES_PER_S", 0)
    peer = await bench.welcomed()
    for number in range(session_module.MESSAGES_AT_ONCE):
        await peer.say(type="accepted", id=f"c{number}")
    assert (await peer.hear())["reason"] == "a router sends too many messages"


async def test_pings_do_not_stand_in_for_a_hello(bench, monkeypatch):
    monkeypatch.setattr("gatelodge.contract.link.GREETING_MS", 200)
    peer = await bench.connect(autoping=False)
    async with asyncio.timeout(PATIENCE_S):
        while not peer.socket.closed:
            await peer.socket.ping(b"still here")
            await receive_within(peer.socket, 0.05)


async def test_a_ping_is_answered(bench):
    peer = await bench.connect(autoping=False)
    await peer.socket.ping(b"here?")
    frame = await peer.socket.receive(timeout=PATIENCE_S)
    assert (frame.type, bytes(frame.data)) == (aiohttp.WSMsgType.PONG, b"here?")


async def test_too_many_pings_end_the_connection(bench, monkeypatch):
    monkeypatch.setattr(session_module, "MESSAGES_PER_S", 0)
    peer = await bench.connect(autoping=False)
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


async def test_text_that_no_table_takes_ends_the_connection(bench):
    peer = await bench.connect()
    await peer.socket.send_str(json.dumps({**HELLO, "firmware": "\ud800"}))
    assert (await peer.hear())["type"] == "goodbye"
    assert bench.hub.online(SERIAL) is None


async def test_a_router_holds_a_few_connections_at_most(bench, monkeypatch):
    monkeypatch.setattr(hub_module, "LINKS_OF_ROUTER_MAX", 2)
    first, _second = await bench.connect(), await bench.connect()
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await bench.connect()
    assert caught.value.status == 429
    await first.socket.close()
    async with asyncio.timeout(PATIENCE_S):
        while len(bench.hub._all) > 1:
            await asyncio.sleep(0.01)
    await bench.welcomed()


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


ASKED = {"report_id": "d1", "account_id": "a1"}
REPORT = {"type": "report", "report_id": "d1", "section": "log", "value": {"lines": []}}


async def test_hello_tells_which_younger_commands_the_router_knows(bench):
    peer = await bench.connect()
    await peer.say(**HELLO, takes={"diagnostics": True})
    await peer.hear()
    assert bench.hub.online(SERIAL)["takes"] == {"diagnostics": True, "undo": None}


async def test_what_was_asked_goes_by_its_own_id_and_its_parts_and_result_are_told(bench):
    peer = await bench.welcomed()
    assert await bench.hub.ask(SERIAL, "d1", "diagnostics", ASKED)
    assert await peer.hear() == {"type": "command", "id": "d1", "name": "diagnostics", "args": ASKED}
    for number in range(2):
        await peer.say(**REPORT, number=number)
    await peer.say(type="result", id="d1", ok=True, value={"messages": 2})
    assert await peer.hear() == {"type": "result_ack", "id": "d1"}
    assert bench.reports == [(SERIAL, "d1", 0), (SERIAL, "d1", 1)]
    assert bench.results == [(SERIAL, "d1", True)]


async def test_its_result_is_acknowledged_once_it_is_durable(bench, caplog):
    peer = await bench.welcomed()
    bench.answer_fails = True
    await peer.say(type="result", id="d1", ok=True, value={})
    await peer.say(type="heartbeat", seq=1, uptime_s=9, load=0, memory_free_kb=1, wan_up=True)
    assert (await peer.hear())["type"] == "heartbeat_ack"
    assert "the result of d1 was not kept" in caplog.text
    bench.answer_fails = False
    await peer.say(type="result", id="d1", ok=True, value={})
    assert await peer.hear() == {"type": "result_ack", "id": "d1"}


async def test_an_offline_router_is_asked_nothing(bench):
    assert not await bench.hub.ask(SERIAL, "d1", "diagnostics", ASKED)


async def test_a_command_without_a_result_times_out(bench):
    await bench.welcomed()
    with pytest.raises(CommandTimeout):
        await bench.command(timeout_s=0.05)
    assert bench.hub._waiting == {}


async def test_a_command_that_the_router_refuses_fails_with_its_words(bench):
    peer = await bench.welcomed()
    running = bench.command()
    command = await peer.hear()
    await peer.say(type="result", id=command["id"], ok=False, error="the lamp is broken")
    with pytest.raises(CommandFailed, match="the lamp is broken"):
        await running
    assert await peer.hear() == {"type": "result_ack", "id": command["id"]}


async def test_a_command_is_repeated_with_its_id_after_a_reconnect(bench):
    peer = await bench.welcomed()
    running = bench.command()
    first = await peer.hear()
    await peer.socket.close()
    again = await bench.welcomed()
    assert await again.hear() == first
    await again.say(type="result", id=first["id"], ok=True, value={"lights": 3})
    assert await running == {"lights": 3}


async def test_a_welcome_says_which_younger_messages_are_taken(bench):
    assert (await (await bench.connect()).greet())["takes"] == {
        "release": True,
        "invite": True,
        "notice": True,
        "uninvite": True,
    }


async def test_a_release_is_acknowledged_once_it_is_kept(bench):
    peer = await bench.welcomed()
    bench.answer_fails = True
    await peer.say(type="release", release_id="r1", account_id="a1", undo="u1")
    await peer.say(type="invite", invite_id="i1", service_code="CODE")
    assert (await peer.hear())["type"] == "invitation"  # so the release before it was heard
    bench.answer_fails = False
    await peer.say(type="release", release_id="r2", account_id="a1")
    assert (await peer.hear())["release_id"] == "r2"
    assert bench.releases == [(SERIAL, "a1", None)]


async def test_a_notice_is_acknowledged_once_it_is_kept(bench):
    peer = await bench.welcomed()
    notice = {"account_id": "a1", "kind": "new_browser", "address": "", "browser": "", "dropped": 0}
    bench.answer_fails = True
    await peer.say(type="notice", notice_id="n1", **notice)
    await peer.say(type="invite", invite_id="i1", service_code="CODE")
    assert (await peer.hear())["type"] == "invitation"  # so the notice before it was heard
    bench.answer_fails = False
    await peer.say(type="notice", notice_id="n2", **notice)
    assert await peer.hear() == {"type": "notice_ack", "notice_id": "n2"}
    assert bench.notices == [(SERIAL, "n2")]


async def test_an_invite_is_answered_with_a_link_or_with_a_reason(bench):
    peer = await bench.welcomed()
    await peer.say(type="invite", invite_id="i1", service_code="CODE")
    told = await peer.hear()
    assert (told["invite_id"], told["link"], told["expires_s"]) == ("i1", "https://cloud.test/x", 600)
    bench.answer_fails = True
    await peer.say(type="invite", invite_id="i2", service_code="CODE")
    told = await peer.hear()
    assert (told["invite_id"], told["link"]) == ("i2", None) and "Try again" in told["error"]
    assert bench.invites == [(SERIAL, "CODE")]


async def test_a_withdrawal_is_passed_on_and_one_that_fails_leaves_the_link_up(bench):
    peer = await bench.welcomed()
    bench.answer_fails = True
    await peer.say(type="uninvite", invite_id="i1")
    await peer.say(type="invite", invite_id="i2", service_code="CODE")
    assert (await peer.hear())["type"] == "invitation"  # so the withdrawal before it was heard
    bench.answer_fails = False
    await peer.say(type="uninvite", invite_id="i2")
    await peer.say(type="invite", invite_id="i3", service_code="CODE")
    assert (await peer.hear())["invite_id"] == "i3"
    assert bench.uninvites == [SERIAL]


async def test_a_reset_ends_the_ownership_before_the_welcome_acknowledges_it(bench):
    peer = await bench.connect()
    await peer.say(**HELLO | {"reset": "r1"})
    welcome = await peer.hear()
    assert (welcome["reset"], welcome["owner"], bench.resets) == ("r1", None, [SERIAL])
    assert "reset" not in bench.hub.online(SERIAL)
    while not bench.edges:
        await asyncio.sleep(0.01)
    assert bench.edges == [("online", None)]


async def test_an_owner_of_null_is_no_reset(bench):
    """The owner's approval may have reached us while the router was away."""
    peer = await bench.connect()
    await peer.say(**HELLO | {"owner": None})
    welcome = await peer.hear()
    assert (welcome["owner"], welcome["reset"], bench.resets) == (OWNER, None, [])


async def test_a_reset_that_could_not_be_kept_is_not_acknowledged(bench):
    bench.reset_fails = True
    peer = await bench.connect()
    await peer.say(**HELLO | {"reset": "r1"})
    assert (await peer.hear())["type"] == "goodbye"
    assert bench.hub.online(SERIAL) is None
    bench.reset_fails = False
    again = await bench.connect()
    await again.say(**HELLO | {"reset": "r1"})
    assert (await again.hear())["reset"] == "r1"


async def test_nobody_is_reset_by_a_router_with_another_certificate(bench):
    bench.registry.records = {SERIAL: DeviceRecord(SERIAL, "0" * 64, OWNER)}
    peer = await bench.connect()
    await peer.say(**HELLO | {"reset": "r1"})
    assert (await peer.hear())["type"] == "goodbye"
    assert bench.resets == []


async def test_a_command_of_the_last_owner_is_not_repeated_after_a_reset(bench):
    peer = await bench.welcomed()
    running = bench.command()
    await peer.hear()
    await peer.socket.close()
    again = await bench.connect()
    await again.say(**HELLO | {"reset": "r1"})
    assert (await again.hear())["type"] == "welcome"
    with pytest.raises(CommandFailed, match="was reset"):
        await running
    later = bench.command("identify")
    assert (await again.hear())["name"] == "identify"
    later.cancel()


async def test_commands_that_wait_are_bounded(bench):
    await bench.welcomed()
    waiting = [bench.command() for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(CommandBusy):
        await bench.command()
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_a_claim_answer_is_acknowledged_once_it_is_kept(bench):
    peer = await bench.welcomed()
    bench.answer_fails = True
    await peer.say(type="claim_answer", claim_id="k1", approved=True)
    await peer.say(type="heartbeat", seq=1, uptime_s=1, load=0, memory_free_kb=1, wan_up=True)
    assert (await peer.hear())["type"] == "heartbeat_ack"
    bench.answer_fails = False
    await peer.say(type="claim_answer", claim_id="k1", approved=True)
    assert await peer.hear() == {"type": "claim_answer_ack", "claim_id": "k1"}
    assert bench.answers == [(SERIAL, "k1", True)]


async def test_an_owner_is_told_at_once(bench):
    assert not await bench.hub.set_owner(SERIAL, None)
    peer = await bench.welcomed()
    assert await bench.hub.set_owner(SERIAL, None)
    assert await peer.hear() == {"type": "owner", "owner": None}
    assert bench.edges[-1] == ("changed", None)


async def test_a_router_that_must_go_is_offline_at_once(bench):
    peer = await bench.welcomed()
    assert await bench.hub.disconnect(SERIAL, "revoked")
    assert await peer.hear() == {"type": "goodbye", "reason": "revoked"}
    assert await peer.hear() == 1008
    with pytest.raises(DeviceOffline):
        await bench.command()


async def test_closing_says_goodbye_and_takes_nobody_new(bench, caplog):
    caplog.set_level(logging.INFO)
    peer = await bench.welcomed()
    hearing = asyncio.ensure_future(peer.hear())
    closing = asyncio.ensure_future(bench.hub.close())
    assert await hearing == {"type": "goodbye", "reason": "the cloud restarts"}
    await peer.socket.close()
    await closing
    assert bench.edges[-1] == ("offline", "a1")
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await bench.connect()
