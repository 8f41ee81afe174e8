"""The log on another system: messages as RFC 5424 has them, a real rsyslog over TLS, and one that is away."""

import asyncio
import contextlib
import logging
import re
import socket
import ssl

import pytest
from sqlalchemy import insert

from host_tools.cloud.accounts import events
from host_tools.cloud.certificates import KeyPair
from host_tools.cloud.log_to import lines, sender, syslog, target
from host_tools.cloud.log_to.sender import LogSender
from host_tools.cloud.log_to.syslog import Message, Sender, encoded, framed, structured
from host_tools.cloud.log_to.target import Target
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Event
from host_tools.errors import ToolError
from tests.fakes.authority import Authority
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig
from tests.host_tools.rsyslog_rig import rsyslog

AUTHORITY = Authority("Operator")
WHO = Sender("cloud.example.org", "7")
log = logging.getLogger("cloud.test_of_the_log")


# --- what a message is


def test_a_message_is_as_rfc_5424_has_it():
    data = {"account": 'a"b]\\', "address": ""}
    made = encoded(Message(syslog.AUTHPRIV, syslog.NOTICE, 1795000000.5, "signed_in", "Signed in", data), WHO)
    assert made == (
        b"<85>1 2026-11-18T11:06:40.500Z cloud.example.org gatelodge-cloud 7 signed_in "
        b'[event@32473 account="a\\"b\\]\\\\"] Signed in'
    )
    assert framed(made).startswith(b"%d <85>1 " % len(made))


def test_a_text_beyond_ascii_says_that_it_is_utf_8_and_a_long_one_is_cut_between_characters():
    made = encoded(Message(3, 6, 0.0, "x", "€" * 9000), WHO)
    head, _, text = made.partition(b"\xef\xbb\xbf")
    assert head.endswith(b" - ") and syslog.MESSAGE_MAX - 3 < len(made) <= syslog.MESSAGE_MAX
    assert set(text.decode()) == {"€"}


@pytest.mark.parametrize("host", ["two words", "", "é", "x" * 300, "a\nb"])
def test_a_name_stays_one_word(host):
    made = encoded(Message(3, 6, 0.0, "a b\n", "text"), Sender(host, "7")).decode()
    assert re.fullmatch(r"<30>1 1970-01-01T00:00:00.000Z [!-~]{1,255} gatelodge-cloud 7 a\?b\? - text", made)


def test_a_value_speaks_to_no_terminal():
    assert structured({"address": "1\x1b[2J\n"}) == '[event@32473 address="1?[2J?"]'


@pytest.mark.parametrize("kind", list(events.KINDS))
def test_every_kind_of_event_is_a_name_of_a_message(kind):
    assert syslog.name(kind, 32) == kind


@pytest.mark.parametrize(
    "url", ["syslog://a", "syslog+tls://", "a:6514", "syslog+tls://a/x", "syslog+tls://u:pw@a", "syslog+tls://a:x"]
)
def test_what_is_no_address_of_a_log_is_one_sentence(url):
    with pytest.raises(ToolError, match="is no address of a log"):
        target.target(url, None, None)


def test_files_that_are_none_are_refused_at_the_start(tmp_path):
    assert str(target.target("syslog+tls://[::1]", None, None)) == "::1:6514"
    for ca, own in ((tmp_path / "no.pem", None), (None, KeyPair(tmp_path / "no.pem", tmp_path / "no.key"))):
        with pytest.raises(ToolError, match="the log cannot be sent"):
            target.target("syslog+tls://log.example.org", ca, own)
        with pytest.raises(ToolError, match="have no --log-to"):
            target.target(None, ca, own)


# --- the real one


class Sending:
    """The log of this process, with the events of the rig's database, to a port of this computer."""

    def __init__(self, rig, folder, port, own=None, database=None):
        AUTHORITY.write(folder, "log-ca")
        self._target = Target("localhost", port, folder / "log-ca.pem", own)
        self._folder, self._database = rig.folder, database or rig.parts.database
        self.start()

    def start(self):
        self._sender = LogSender(self._target, self._folder, self._database)
        self._sender.start()

    async def stop(self, seconds=PATIENCE_S):
        await self._sender.close(seconds)


async def until(look):
    async with asyncio.timeout(PATIENCE_S):
        while not (found := look()):
            await asyncio.sleep(0.02)
    return found


@pytest.fixture
async def send(rig, tmp_path):
    made = []

    def start(port, own=None, database=None):
        made.append(Sending(rig, tmp_path, port, own, database))
        return made[-1]

    yield start
    for each in made:
        await each.stop(0)


@pytest.fixture
async def rig(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    async with Rig(tmp_path / "data") as rig:
        (tmp_path / "data").mkdir(exist_ok=True)
        yield rig


async def test_v16_4_3_lines_and_events_reach_another_system_without_a_secret(rig, send):
    with rsyslog(AUTHORITY) as system:
        sending = send(system.port)
        await rig.browser().join()
        await rig.browser().sign_in(password="not the password")
        try:
            raise ValueError("a fault\nof two lines \x1b[2J")
        except ValueError:
            log.exception("something failed: %s", "é")
        await sending.stop()
        [made] = await until(lambda: system.received(msgid="account_made"))
        assert made["pri"] == "85" and made["app-name"] == "gatelodge-cloud"
        assert made["msg"] == "Account created"
        assert re.fullmatch(
            r'\[event@32473 id="\d+" kind="account_made" account="\w+" address="127.0.0.1"\]',
            made["structured-data"],
        )
        assert await until(lambda: system.received(msg="a sign-in from 127.0.0.1 was refused"))
        [failed] = await until(lambda: system.received(msgid="cloud.test_of_the_log"))
        assert failed["pri"] == "27" and "something failed: é\nTraceback" in failed["msg"]
        assert failed["msg"].endswith("ValueError: a fault\nof two lines \\x1b[2J")
        said = (system.folder / "received").read_text()
        assert PASSWORD not in said and "ada@example.org" not in said and "not the password" not in said


async def test_a_system_that_was_away_gets_all_of_it_once(rig, send, monkeypatch, caplog):
    monkeypatch.setattr(sender, "AGAIN_MAX_S", 1)
    with rsyslog(AUTHORITY) as system:
        sending = send(system.port)
        log.info("before")
        await until(lambda: [each for each in system.received() if each["msg"] == "before"])
        await asyncio.to_thread(system.stop)
        await until(lambda: "it has closed the connection" in caplog.text)
        log.info("while it was away")
        await rig.browser().join()
        await asyncio.to_thread(system.start)
        await until(lambda: system.received(msgid="account_made"))
        await until(lambda: [each for each in system.received() if each["msg"] == "while it was away"])
        await sending.stop()
        sending.start()  # a restart knows what was sent
        log.info("after")
        await sending.stop()
        await until(lambda: [each for each in system.received() if each["msg"] == "after"])
        assert len(system.received(msgid="account_made")) == 1


async def test_a_system_that_asks_for_a_certificate_is_shown_ours(rig, send, tmp_path, caplog):
    own = KeyPair(*AUTHORITY.client("gatelodge").write(tmp_path, "own"))
    with rsyslog(AUTHORITY, asks=True) as system:
        stranger = send(system.port)
        log.info("from nobody")
        await until(lambda: "the log cannot be sent" in caplog.text)
        await stranger.stop()
        known = send(system.port, own)
        log.info("from the cloud")
        await until(lambda: [each for each in system.received() if each["msg"] == "from the cloud"])
        await known.stop()
        assert "from nobody" not in (system.folder / "received").read_text()


# --- one that is not as it should be


async def test_a_system_that_nobody_vouches_for_is_told_nothing(rig, send, caplog):
    with rsyslog(Authority("Somebody else")) as system:
        sending = send(system.port)
        log.info("not for a stranger")
        await until(lambda: "the log cannot be sent to localhost" in caplog.text)
        await sending.stop()
        assert system.received() == []
    assert "lines of the log did not reach localhost" in caplog.text


async def test_what_waits_is_bounded_and_what_was_left_out_is_told(rig, send, monkeypatch):
    monkeypatch.setattr(lines, "LINES_MAX", 5)
    monkeypatch.setattr(sender, "AGAIN_MAX_S", 1)
    with rsyslog(AUTHORITY) as system:
        await asyncio.to_thread(system.stop)
        sending = send(system.port)
        for number in range(20):
            log.info("line %d", number)
        await asyncio.to_thread(system.start)
        [told] = await until(lambda: system.received(msgid="cloud.log_to", pri="28"))
        assert re.match(r"1[5-9] lines were left out", told["msg"])
        kept = [each["msg"] for each in system.received(msgid=log.name)]
        assert kept == [f"line {number}" for number in range(len(kept))] and 1 <= len(kept) <= 5
        await sending.stop()


async def test_a_system_that_reads_nothing_holds_up_neither_the_cloud_nor_its_stop(rig, send):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it accepts, and never says a word
        sending = send(silent.getsockname()[1])
        log.info("a line")
        assert (await rig.browser().get("/sign-in")).status == 200
        await sending.stop(0.2)
        assert "cloud: the log's sender" not in [task.get_name() for task in asyncio.all_tasks()]


async def test_a_stop_warns_of_no_loss_where_nothing_waits(send, caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        await send(silent.getsockname()[1]).stop(0)
    assert "did not reach" not in caplog.text


def test_a_long_line_waits_no_longer_than_it_is_sent():
    waiting = lines.Lines(lambda: None)
    waiting.handle(log.makeRecord(log.name, logging.INFO, "", 0, "\x1b" * 20_000, (), None))
    assert len(waiting.next()[0].text) == syslog.MESSAGE_MAX


async def test_lines_of_other_threads_are_taken(rig, send):
    with rsyslog(AUTHORITY) as system:
        sending = send(system.port)
        await asyncio.gather(*(asyncio.to_thread(log.info, "thread %d", at) for at in range(50)))
        await sending.stop()
        await until(lambda: len(system.received(msgid=log.name)) == 50)


async def test_lines_are_sent_while_the_database_is_away_and_tell_so(send, tmp_path):
    away = Database(f"sqlite+aiosqlite:///{tmp_path}/absent/cloud.db")
    with rsyslog(AUTHORITY) as system:
        sending = send(system.port, database=away)
        [told] = await until(lambda: system.received(msgid="cloud.store"))
        assert "the database cannot be used" in told["msg"]
        await sending.stop(0)
    await away.close()


async def test_a_database_of_a_backup_numbers_its_events_again_and_they_are_sent(rig, send, caplog):
    (rig.folder / "log.sent").write_text("99999\n")
    row = {"account_id": "a", "at": rig.clock(), "kind": "signed_in", "about": "passkey"}
    row |= {"address": "", "browser": ""}
    with rsyslog(AUTHORITY) as system:
        sending = send(system.port)
        await until(lambda: "the log goes to localhost" in caplog.text)
        async with rig.parts.database.write() as session:
            await session.execute(insert(Event), row)
        [came] = await until(lambda: system.received(msgid="signed_in"))
        assert 'about="passkey"' in came["structured-data"] and "address" not in came["structured-data"]
        await sending.stop()


async def test_what_the_other_computer_has_not_taken_is_counted_at_the_stop(send, tmp_path, caplog):
    """It speaks TLS and reads nothing: what is in its buffer arrives, and the rest is told of."""
    AUTHORITY.server("localhost").write(tmp_path, "deaf")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "deaf.pem", tmp_path / "deaf.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.settimeout(PATIENCE_S)
        sending = send(listener.getsockname()[1])
        deaf, _ = await asyncio.to_thread(listener.accept)
        deaf.settimeout(PATIENCE_S)
        deaf = await asyncio.to_thread(context.wrap_socket, deaf, server_side=True)
        await until(lambda: "the log goes to localhost" in caplog.text)
        for number in range(lines.LINES_MAX - 100):
            log.info("line %d %s", number, "x" * 4000)
        await sending.stop(0)
        [told] = re.findall(r"(\d+) lines of the log did not reach", caplog.text)
        arrived = await asyncio.to_thread(all_of, deaf)
    assert int(told) > 0 and int(told) + arrived >= lines.LINES_MAX - 100


def all_of(connection):
    """How many whole lines came until the connection ended."""
    came = b""
    with connection, contextlib.suppress(OSError):  # cut off, not said goodbye
        while data := connection.recv(65536):
            came += data
    return len(re.findall(rb"line \d+ x{4000}", came))
