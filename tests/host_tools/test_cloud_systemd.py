"""What `cloud serve` and systemd say to each other, with a socket in systemd's place (sd_notify(3)).

`tests/system/test_cloud_under_systemd.py` is about the real one.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys

import pytest
from aiohttp import web

from host_tools import cli, exit_codes
from host_tools.cloud.systemd import journal
from host_tools.cloud.systemd.notify import READY, Notifier, status
from host_tools.cloud.systemd.sockets import Address, Listeners, address, inherited
from host_tools.cloud.systemd.supervision import Supervision
from host_tools.errors import ToolError
from tests.host_tools.cloud_rig import PATIENCE_S, free_port
from tests.host_tools.test_cloud_service import Cloud, until

TAKES = """
import os, sys
for place, descriptor in enumerate(sys.argv[1:]):
    os.dup2(int(descriptor), 3 + place)
os.environ["LISTEN_PID"] = str(os.getpid())
from host_tools.cloud.systemd.sockets import inherited
"""


@pytest.fixture
def heard(tmp_path):
    """systemd's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(PATIENCE_S)
        yield channel


def notifier(heard, **more):
    return Notifier({"NOTIFY_SOCKET": heard.getsockname(), **more})


def test_each_message_is_one_datagram(heard):
    notifier(heard).send(READY, status("Serves\nREADY=0"))
    assert heard.recv(1000) == b"READY=1\nSTATUS=Serves READY=0"


def test_a_name_of_the_abstract_namespace_is_reached():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(f"\0gatelodge-test-{os.getpid()}")
        channel.settimeout(PATIENCE_S)
        Notifier({"NOTIFY_SOCKET": f"@gatelodge-test-{os.getpid()}"}).send(READY)
        assert channel.recv(1000) == b"READY=1"


def test_nobody_who_hears_is_no_fault(tmp_path, caplog):
    Notifier({}).send(READY)
    assert caplog.text == ""
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).send(READY)
    assert "systemd was not told READY=1" in caplog.text


@pytest.mark.parametrize(
    "variables, seconds",
    [
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),  # somebody else's
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdogs_time_is_ours_alone(variables, seconds):
    assert Notifier(variables).watchdog_s == seconds


async def test_a_sign_of_life_comes_three_times_within_the_watchdogs(heard):
    supervision = Supervision(notifier(heard, WATCHDOG_USEC="30000"), lambda: "Serves")
    living = asyncio.create_task(supervision.run())
    heard.setblocking(False)
    loop = asyncio.get_running_loop()
    for _ in range(4):
        assert await asyncio.wait_for(loop.sock_recv(heard, 1000), PATIENCE_S) == b"WATCHDOG=1\nSTATUS=Serves"
    living.cancel()


async def test_a_reload_reads_all_and_ends_ready_whatever_one_of_them_raises(heard, caplog):
    caplog.set_level(logging.INFO)
    supervision, read = Supervision(notifier(heard), lambda: "Serves"), []

    async def reads():
        read.append("routers")

    supervision.read_again("wrong", lambda: 1 / 0)
    supervision.read_again("list", lambda: read.append("list"))
    supervision.read_again("routers", reads)
    await supervision.reload()
    first = heard.recv(1000).decode().splitlines()
    assert first[0] == "RELOADING=1" and first[1].startswith("MONOTONIC_USEC=")
    assert heard.recv(1000) == b"READY=1\nSTATUS=Serves" and read == ["list", "routers"]
    assert "wrong: could not be read again" in caplog.text


# --- sockets that were handed over


def test_sockets_are_taken_once_by_the_process_they_are_for():
    """systemd's side of sd_listen_fds(3): the descriptors from 3 on, and whom they are for."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.2", 0)) as two:
        program = "print(sorted(map(str, inherited(os.environ))), inherited(os.environ))"
        handed = run_with(program, one, two)
        both = [f"127.0.0.1:{port(one)}", f"127.0.0.2:{port(two)}"]
        assert handed.stdout == f"{both} {{}}\n", handed.stderr
    assert inherited({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) == inherited({}) == {}


def test_what_is_no_listener_is_one_sentence():
    with socket.socket() as plain:
        assert "no listener of TCP" in run_with("inherited(os.environ)", plain).stderr


def run_with(program, *sockets):
    """The program with these as its descriptors from 3 on."""
    spare = [fcntl.fcntl(each, fcntl.F_DUPFD, 100) for each in sockets]
    command = [sys.executable, "-c", TAKES + program, *map(str, spare)]
    environment = {**os.environ, "LISTEN_FDS": str(len(sockets))}
    pipes = {"capture_output": True, "text": True, "timeout": PATIENCE_S, "check": False}
    try:
        return subprocess.run(command, pass_fds=spare, env=environment, **pipes)
    finally:
        for each in spare:
            os.close(each)


def port(listener):
    return listener.getsockname()[1]


async def test_what_was_handed_over_is_served_and_stays_open_after_us():
    with socket.create_server(("127.0.0.1", 0)) as held:
        runner = web.AppRunner(web.Application())
        await runner.setup()
        here = Address("127.0.0.1", port(held))
        listeners = Listeners({here: held.dup()})
        with pytest.raises(ToolError, match=f"listens at {here}, and no option"):
            listeners.check_all_taken()
        await listeners.site(runner, *here, None).start()
        listeners.check_all_taken()
        assert b"404" in await asked(here)
        await runner.cleanup()
        _, writer = await asyncio.open_connection(*here)  # waits for our successor: nobody refuses it
        writer.close()


async def asked(here):
    reader, writer = await asyncio.open_connection(*here)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    with contextlib.closing(writer):
        return await reader.readline()


def test_an_address_has_one_spelling():
    assert address("0:0::0", 443) == address("::", 443) != address("0.0.0.0", 443)


# --- the journal


def test_each_line_has_a_priority(tmp_path):
    formatter = journal.Prioritised(logging.Formatter("%(name)s: %(message)s"))
    logger = logging.getLogger("cloud")
    record = logger.makeRecord("cloud", logging.ERROR, "", 0, "one\ntwo", (), None)
    assert formatter.format(record) == "<3>cloud: one\n<3>two"


def test_a_journal_that_was_led_elsewhere_is_none(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        found = os.fstat(stream.fileno())
        assert journal.is_journal(stream, {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
        assert not journal.is_journal(stream, {"JOURNAL_STREAM": "1:2"})
        assert not journal.is_journal(stream, {})


# --- the process


async def test_the_service_says_what_it_does(tmp_path, heard, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", heard.getsockname())
    heard.setblocking(False)
    cloud = Cloud(tmp_path)
    cloud.port = free_port()
    await cloud.start("--development")
    try:
        assert (await hears(heard, "STATUS=")).startswith("STATUS=Brings the database")
        assert "routers linked: 0" in await hears(heard, "READY=1")
        cloud.process.send_signal(signal.SIGHUP)
        await hears(heard, "RELOADING=1")
        await hears(heard, "READY=1")
        await until(lambda: logged(cloud, "read again: routers"), "the log")
        assert await cloud.stop() == 0
        await hears(heard, "STOPPING=1")
    finally:
        if cloud.process.returncode is None:
            cloud.process.kill()
            await cloud.process.wait()


async def hears(channel, beginning):
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE_S):
        while not (message := (await loop.sock_recv(channel, 1000)).decode()).startswith(beginning):
            pass
    return message


async def logged(cloud, text):
    return text in cloud.log()


def test_a_fault_at_the_start_is_the_last_status(tmp_path, heard, monkeypatch):
    monkeypatch.setenv("NOTIFY_SOCKET", heard.getsockname())
    assert cli.main(["cloud", "serve", "--data", str(tmp_path)]) == exit_codes.USAGE
    assert heard.recv(1000).startswith(b"STATUS=there is no way to send mail")
