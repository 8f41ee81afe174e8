"""The units of `gatelodge cloud unit` under a living systemd: set up by the very commands that they print."""

import asyncio
import contextlib
import json
import os
import re
import shlex
import socket
import ssl
import textwrap
import time

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver
from cryptography.hazmat.primitives import serialization

from tests.host_tools.cloud_rig import CSRF, PASSWORD, PERSON
from tests.host_tools.test_cloud_front import HOST, write_pair
from tests.system.live_systemd import ROOT, LiveSystemd, why_not
from tests.system.rig import PATIENCE_S, until

NAME = "gatelodge-cloud"
EMAIL = "ada@example.org"
SERVICE, SOCKET = f"{NAME}.service", f"{NAME}.socket"
GATELODGE = "/opt/gatelodge/bin/gatelodge"
TLS = "/etc/gatelodge"
OPTIONS = (
    "--data", f"/var/lib/{NAME}", "--port", "443", "--public-url", f"https://{HOST}",
    "--smtp", "127.0.0.1:25", "--mail-from", f"gatelodge@{HOST}",
    "--certificate", f"{TLS}/own.pem", "--key", f"{TLS}/own.key",
)  # fmt: skip
COMMANDS = ("install ", "systemd-creds ", "systemctl ")
SERVES = f"Serves https://{HOST}"
LOCAL = ("127.0.0.1", 443)
WHY_NOT = why_not()
long = pytest.mark.skipif("FULL" not in os.environ, reason="a test of FULL=1")
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """The service as an operator has it, who typed what the unit says; and this thread in its network."""
    with LiveSystemd(tmp_path_factory.mktemp("live") / "systemd") as live, live.network():
        live.path(TLS).mkdir()
        write_pair(live.path(TLS), serial=1)
        live.path(f"{TLS}/own.pem").chmod(0o644)
        start_mail_server(live)
        done = live.run(GATELODGE, "cloud", "unit", *OPTIONS, "--output", "/etc/systemd/system")
        live.commands = [line for line in done.splitlines() if line.startswith(COMMANDS)]
        for line in live.commands:
            if "hash.keys" not in line:  # there once keys were turned
                live.run(*shlex.split(line))
        yield live


def start_mail_server(live):
    unit = "[Service]\nExecStart=/opt/gatelodge/bin/python -m aiosmtpd -n -l 127.0.0.1:25 "
    unit += "-c aiosmtpd.handlers.Mailbox /run/mail\n"
    live.path("/etc/systemd/system/mail.service").write_text(unit)
    live.run("systemctl", "daemon-reload")
    live.run("systemctl", "start", "mail.service")


def main_pid(live):
    return int(live.show(SERVICE, "MainPID"))


def is_ready(live):
    return live.show(SERVICE, "ActiveState", "SubState") == ["active", "running"]


class Home(AbstractResolver):
    """The public name is of this computer."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        where = {"host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": flags}
        return [{"hostname": host, **where}]

    async def close(self):
        pass


@contextlib.asynccontextmanager
async def visitor(live):
    """A browser that trusts the operator's certificate of now. It keeps no connection."""
    trust = ssl.create_default_context(cadata=live.path(f"{TLS}/own.pem").read_text())
    connector = aiohttp.TCPConnector(ssl=trust, resolver=Home(), force_close=True)
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with aiohttp.ClientSession(f"https://{HOST}", connector=connector, timeout=timeout) as session:
        yield session


async def get(session, path):
    async with session.get(path) as answer:
        return answer.status, answer.url.path, await answer.text()


async def post(session, path, form_page=None, **fields):
    token = CSRF.search((await get(session, form_page or path))[2])[1]
    async with session.post(path, data={"csrf": token, **fields}) as answer:
        return answer.status, answer.url.path, await answer.text()


def code_of_mail(live, number):
    """Of the mail that was sent as the number-th."""

    def mails():
        found = sorted(live.path("/run/mail/new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return found if len(found) >= number else None

    text = until(mails, f"mail {number} was not sent")[number - 1].read_text()
    return re.search(r"\b\d{6}\b", text.partition("\n\n")[2])[0]


def shown(live):
    """The serial number of the certificate that a browser is shown."""
    context = ssl.create_default_context(cadata=live.path(f"{TLS}/own.pem").read_text())
    plain = socket.create_connection(LOCAL, PATIENCE_S)
    with context.wrap_socket(plain, server_hostname=HOST) as channel:
        return int(channel.getpeercert()["serialNumber"], 16)


# --- as it was set up


async def test_the_printed_commands_lead_to_a_service_that_lets_people_in(live):
    """Sign-up, and a sign-in from another browser, by codes of mails; keys and TLS come as credentials."""
    assert is_ready(live) and live.show(SERVICE, "StatusText") == SERVES
    keys = live.run("ls", f"/run/credentials/{SERVICE}").split()
    assert keys == sorted(["secrets.key", "seal.keys", "cloud-ca.key", "cloud.key", "devices.key", "own.key"])
    async with visitor(live) as ada:
        _, path, _ = await post(ada, "/sign-up", **PERSON, email=EMAIL)
        assert path == "/confirm"
        _, path, _ = await post(ada, "/confirm", code=code_of_mail(live, 1))
        assert path == "/security/choose"
    async with visitor(live) as other:
        _, path, _ = await post(other, "/sign-in", email=EMAIL, password=PASSWORD)
        assert path == "/sign-in/code"
        await post(other, "/sign-in/method", form_page="/sign-in/code", method="mail")
        _, path, _ = await post(other, "/sign-in/code", code=code_of_mail(live, 2))
        assert path in ("/routers", "/security/choose")


@long
def test_keys_that_lie_in_no_directory_are_enough(live):
    """The last of the steps: the plain files go, and it starts without them."""
    data = live.path(f"/var/lib/private/{NAME}")
    for path in [*data.glob("*.key"), *data.glob("*.keys")]:
        live.run("shred", "-u", f"/var/lib/{NAME}/{path.name}")
    live.run("systemctl", "restart", SERVICE)
    assert is_ready(live) and [*data.glob("*.key*")] == []


@long
def test_keys_are_turned_by_the_commands_of_the_manual(live):
    """And people are let in with what was kept under the old ones."""
    text = (ROOT / "host_tools/cloud/OPERATING.md").read_text()
    commands = textwrap.dedent(text.partition("in memory alone:\n\n")[2].partition("\n\n")[0])
    live.run("sh", "-ec", commands)
    assert is_ready(live) and live.path(f"/run/credentials/{SERVICE}/hash.keys").exists()
    assert [*live.path("/dev/shm/keys").glob("*")] == []


@long
def test_an_operators_verb_reads_the_credentials_while_it_runs(live):
    directory = f"CREDENTIALS_DIRECTORY=/run/credentials/{SERVICE}"
    words = ("cloud", "account", "--data", f"/var/lib/{NAME}", "show", EMAIL)
    said = live.run("env", directory, GATELODGE, *words)
    assert EMAIL in said


def test_lines_of_the_journal_have_priorities_and_no_second_time(live):
    entries = [json.loads(line) for line in live.journal(SERVICE, "--output=json").splitlines()]
    ours = {each["MESSAGE"]: each["PRIORITY"] for each in entries if each.get("_TRANSPORT") == "stdout"}
    assert ours[f"cloud: ready at https://{HOST}"] == "6"
    assert ours["cloud: no --factory-ca: routers cannot connect, the portal alone is served"] == "4"


# --- the sandbox


ATTEMPTS = {  # what it says in the service's sandbox; root without one may do all of them
    "open('/var/lib/other', 'w')": "Read-only file system",
    "open('/etc/other', 'w')": "Read-only file system",
    "open('/opt/gatelodge/other', 'w')": "Read-only file system",
    "os.listdir('/home/ada')": "Permission denied",
    "os.listdir('/root/open')": "Permission denied",
    "open('/tmp/of-all')": "No such file or directory",
    "open('/proc/1/status')": "No such file or directory",
    "open('/proc/sys/kernel/hostname')": "No such file or directory",
    "elevated('/opt/gatelodge/elevated')": "Permission denied",
    "system('personality', 0x0040000)": "Operation not permitted",
    "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": "Address family not supported by protocol",
    "socket.create_server(('127.0.0.1', 80))": "Permission denied",
    "os.chmod('probed', 0o4700)": "Operation not permitted",
    "mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)": "Operation not permitted",
    "system('unshare', 0x10000000)": "Operation not permitted",  # the last: it leaves what root may
}
ALLOWED = ("open('probed', 'w')", "os.setpriority(os.PRIO_PROCESS, 0, 5)", "socket.socket(socket.AF_INET6)")
PROBE = """
import ctypes, json, mmap, os, socket, subprocess, sys
os.chdir(os.environ.get("STATE_DIRECTORY", "/tmp"))
def system(name, argument):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(argument) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def elevated(program):
    if subprocess.run([program, "-u"], capture_output=True, check=True).stdout != b"0\\n":
        raise PermissionError(13, "")
said = {}
for attempt in sys.argv[1:]:
    try:
        eval(attempt)
        said[attempt] = "done"
    except OSError as error:
        said[attempt] = os.strerror(error.errno)
print(json.dumps(said))
"""


def probed(live, name, unit):
    """What each attempt came to in a unit of that text, whose program is the probe."""
    words = " ".join(f'"{each}"' for each in (*ALLOWED, *ATTEMPTS))
    start = f"ExecStart=/opt/gatelodge/bin/python /opt/gatelodge/probe.py {words}"
    live.path(f"/etc/systemd/system/{name}.service").write_text(re.sub("ExecStart=.*", lambda _: start, unit))
    live.run("systemctl", "daemon-reload")
    live.run("systemctl", "start", name)
    return json.loads(live.journal(name, "--output=cat", "_TRANSPORT=stdout"))


@pytest.fixture(scope="module")
def outcomes(live):
    """(in the unit's sandbox, as root without one)."""
    live.path("/home/ada").mkdir(mode=0o755)
    live.path("/root").chmod(0o755)
    live.path("/root/open").mkdir(mode=0o755)
    live.path("/tmp/of-all").touch(0o666)
    live.path("/opt/gatelodge/probe.py").write_text(PROBE)
    live.run("install", "-m", "4755", "/usr/bin/id", "/opt/gatelodge/elevated")
    unit = live.path(f"/etc/systemd/system/{SERVICE}").read_text()
    unit = re.sub("(Requires|LoadCredentialEncrypted|WatchdogSec)=.*\n", "", unit)
    free = "[Service]\nType=oneshot\nExecStart=\n"
    return probed(live, "confined", unit.replace("Type=notify", "Type=oneshot")), probed(live, "free", free)


def test_v13_2_2_the_sandbox_denies_what_the_unit_says_and_nothing_else(outcomes):
    confined, free = outcomes
    assert confined == {**ATTEMPTS, **dict.fromkeys(ALLOWED, "done")}
    assert {name: said for name, said in free.items() if said != "done"} == {}


# --- what becomes of it


def test_a_reload_takes_a_renewed_certificate_of_the_same_key(live):
    before = main_pid(live)
    key = serialization.load_pem_private_key(live.path(f"{TLS}/own.key").read_bytes(), None)
    write_pair(live.path(TLS), serial=2, key=key)
    live.run("systemctl", "reload", SERVICE)
    until(lambda: shown(live) == 2, "the certificate was not read again")
    until(lambda: live.show(SERVICE, "StatusText") == SERVES, "the reload did not end")
    assert main_pid(live) == before and is_ready(live)


async def test_a_restart_takes_a_renewed_key_and_refuses_nobody(live):
    """As after a renewal: the key is encrypted anew. Those who come meanwhile wait for the next process."""
    before = main_pid(live)
    write_pair(live.path(TLS), serial=3)
    live.path(f"{TLS}/own.pem").chmod(0o644)
    live.run(*shlex.split(next(line for line in live.commands if "--name=own.key" in line)))
    live.run("systemctl", "restart", "--no-block", SERVICE)
    reached = 0
    while main_pid(live) == before or not is_ready(live):
        with socket.create_connection(LOCAL, PATIENCE_S):  # ConnectionRefusedError is a failure
            reached += 1
        await asyncio.sleep(0.02)
    assert reached and shown(live) == 3
    async with visitor(live) as ada:
        assert (await get(ada, "/health"))[0] == 200


@long
async def test_whoever_comes_while_it_is_away_is_answered_by_the_next(live):
    live.run("systemctl", "stop", SERVICE)
    assert live.show(SERVICE, "ActiveState", "Result") == ["inactive", "success"]
    async with visitor(live) as ada:
        assert (await get(ada, "/health"))[0] == 200
    assert is_ready(live)


@long
def test_one_that_was_killed_is_started_again(live):
    before, restarts = main_pid(live), int(live.show(SERVICE, "NRestarts"))
    live.run("systemctl", "kill", "--signal=KILL", "--kill-who=main", SERVICE)
    until(lambda: main_pid(live) not in (0, before) and is_ready(live), "it was not started again")
    assert int(live.show(SERVICE, "NRestarts")) == restarts + 1 and shown(live) == 3


@long
def test_one_that_hangs_is_ended_with_its_stack_in_the_journal_and_started_again(live):
    override = live.path(f"/etc/systemd/system/{SERVICE}.d")
    override.mkdir()
    (override / "soon.conf").write_text("[Service]\nWatchdogSec=10\n")
    live.run("systemctl", "daemon-reload")
    live.run("systemctl", "restart", SERVICE)
    before = main_pid(live)
    live.run("systemctl", "kill", "--signal=STOP", "--kill-who=main", SERVICE)
    until(lambda: main_pid(live) not in (0, before) and is_ready(live), "it was not started again")
    said = live.journal(SERVICE, f"_PID={before}", "--priority=err", "--output=cat")
    assert said.startswith("Fatal Python error: Aborted") and "in run" in said
    assert "watchdog" in live.journal(SERVICE, "--output=cat")
    (override / "soon.conf").unlink()


@long
def test_a_stop_of_the_socket_ends_both_in_time_and_a_start_of_the_service_begins_both(live):
    before = time.monotonic()
    live.run("systemctl", "stop", SOCKET)
    taken_s = time.monotonic() - before
    assert live.show(SERVICE, "ActiveState", "Result") == ["inactive", "success"], taken_s
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(LOCAL, PATIENCE_S)
    live.run("systemctl", "start", SERVICE)
    assert is_ready(live) and live.show(SOCKET, "ActiveState") == "active" and shown(live) == 3


@long
def test_a_service_that_cannot_start_says_why_in_its_status(live):
    live.run("systemctl", "stop", SOCKET)
    unit = live.path(f"/etc/systemd/system/{SOCKET}")
    whole = unit.read_text()
    unit.write_text(whole.replace("[Socket]\n", "[Socket]\nListenStream=127.0.0.1:9999\n"))
    live.run("systemctl", "daemon-reload")
    assert live.try_to("systemctl", "start", SERVICE).returncode != 0
    said = "systemd listens at 127.0.0.1:9999, and no option says what for"
    until(lambda: live.show(SERVICE, "StatusText").startswith(said), "its status does not say why")
    assert said in live.ask("systemctl", "status", "--no-pager", SERVICE)
    live.run("systemctl", "stop", SOCKET, SERVICE)
    unit.write_text(whole)
    live.run("systemctl", "daemon-reload")
