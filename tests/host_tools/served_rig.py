"""`gatelodge cloud serve` as a process of its own, with its three ports, as strangers reach it: over TLS.

`served` is one for all tests of a module; each takes people of its own. Its browsers are those of cloud_rig.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from yarl import URL

from tests.fakes.authority import Authority
from tests.host_tools.cloud_rig import CODE_KEY, PATIENCE_S, Browser, free_port
from tests.host_tools.site_rig import fetch

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, PORTAL, HELP = SITES = ("account", "portal", "help")
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.M)
NAMES = {ACCOUNT: "account.example.org", PORTAL: "my.example.org", HELP: "help.example.org"}


class Mail(NamedTuple):
    recipient: str
    subject: str
    body: str


class Served:
    """`url`, `port` by the site's name. Whoever serves trusts no proxy, unless the options say so."""

    def __init__(self, folder, *options, names=None):
        """names: of the sites, in place of localhost."""
        self.folder, self.data = folder, folder / "data"
        self.port = {site: free_port() for site in SITES}
        self.host = names or dict.fromkeys(SITES, "localhost")
        self.url = {site: f"https://{self.host[site]}:{self.port[site]}" for site in SITES}
        self.device_port, self.options = free_port(), options
        self.clock, self.server = time.time, self
        self._read, self._sessions, self._addresses = Counter(), [], 0

    def start(self):
        Authority("Factory").write(self.folder, "factory-ca")
        (self.folder / "service_code.key").write_bytes(CODE_KEY)
        with (self.folder / "cloud.log").open("ab") as log:
            self.process = subprocess.Popen(self._command(), env=self._environment(), stderr=log)
        self._wait()
        self.trust = ssl.create_default_context(cafile=str(self.data / "cloud-ca.pem"))

    def _command(self):
        told = {"data": self.data, "device-port": self.device_port, "port": self.port[ACCOUNT]}
        told |= {"factory-ca": self.folder / "factory-ca.pem", "public-url": self.url[ACCOUNT]}
        told |= {"service-code-key": self.folder / "service_code.key"}
        for site in (PORTAL, HELP):
            told |= {f"{site}-port": self.port[site], f"{site}-url": self.url[site]}
        named = (part for name, value in told.items() for part in (f"--{name}", str(value)))
        return [*self._tool("serve"), *named, "--development", *self.options]

    def _tool(self, verb):
        return [sys.executable, "-m", "host_tools.cli", "cloud", verb]

    def _environment(self):
        return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'firmware'}"}

    def _wait(self):
        end = time.monotonic() + PATIENCE_S
        while " ready at " not in self.log():
            assert self.process.poll() is None and time.monotonic() < end, self.log()
            time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(PATIENCE_S) == 0
        finally:
            self.process.kill()

    def log(self):
        return (self.folder / "cloud.log").read_text()

    def operator(self, *arguments):
        """A verb of `gatelodge cloud account`, beside the process that serves."""
        command = [*self._tool("account"), "--data", str(self.data), *arguments]
        subprocess.run(command, env=self._environment(), check=True, capture_output=True, timeout=PATIENCE_S)

    # What a Browser asks of its rig

    def make_url(self, path):
        return URL(self.url[ACCOUNT] + path, encoded=True)

    def browser(self, **headers):
        """Each at an address of its own, as far as what is counted by the address goes."""
        self._addresses += 1
        place = {"local_addr": (f"127.0.1.{self._addresses}", 0), "resolver": _Here()}
        connector = aiohttp.TCPConnector(ssl=self.trust, **place)
        session = aiohttp.ClientSession(headers=headers, connector=connector)
        self._sessions.append(session)
        return Browser(self, session)

    async def mails(self, recipient):
        """The newest first; waits for one that no call before has seen."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := await self._outbox(recipient)) <= self._read[recipient]:
                await asyncio.sleep(0.05)
        self._read[recipient] = len(found)
        return found

    async def _outbox(self, recipient):
        answer = await self.raw(ACCOUNT, get("/outbox.json"))
        rows = json.loads(answer.partition(b"\r\n\r\n")[2])
        mails = [Mail(*(row[name] for name in Mail._fields)) for row in rows]
        return [mail for mail in mails if mail.recipient == recipient]

    async def close_browsers(self):
        while self._sessions:
            await self._sessions.pop().close()

    # The wire

    async def raw(self, site, data):
        """All that comes back until the server closes the line. `data` goes as it stands."""
        async with self.line(site) as (reader, writer):
            writer.write(data)
            return await reader.read()

    @contextlib.asynccontextmanager
    async def line(self, site):
        async with asyncio.timeout(PATIENCE_S):
            tls = {"ssl": self.trust, "server_hostname": "localhost"}
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port[site], **tls)
            try:
                yield reader, writer
            finally:
                writer.transport.abort()


class _Here(aiohttp.abc.AbstractResolver):
    """Every name is on this computer."""

    async def resolve(self, host, port=0, family=0):
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
        return [found | {"proto": 0, "flags": 0}]

    async def close(self):
        pass


@pytest.fixture(scope="module")
def served(tmp_path_factory, request):
    """A module may name `OPTIONS` of `cloud serve`, and `HOSTS`."""
    options, hosts = (getattr(request.module, name, None) for name in ("OPTIONS", "HOSTS"))
    served = Served(tmp_path_factory.mktemp("live"), *(options or ()), names=hosts)
    served.start()
    yield served
    served.stop()
    assert "Traceback" not in served.log()


@pytest.fixture
async def browsers(served):
    """`browsers()` makes one."""
    yield served.browser
    await served.close_browsers()


# Requests as they stand


def get(path, host="localhost", *fields, method="GET"):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "Connection: close"]
    return "".join(line + "\r\n" for line in (*lines, "")).encode()


def head_of(path, length, *fields, kind="application/x-www-form-urlencoded", host="localhost"):
    """Of a POST whose body is still to come."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {kind}", f"Content-Length: {length}"]
    return "".join(line + "\r\n" for line in (*lines, *fields, "Connection: close", "")).encode()


def statuses(answer):
    return [int(status) for status in STATUS.findall(answer)]


def headers_of(answer):
    """By their small names; a header that is there twice is a list."""
    found = {}
    for line in answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        found.setdefault(name.lower(), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def cookies_of(browser, *names):
    """As a Cookie field: those that a browser holds, or those of these names."""
    held = {each.key: each.value for each in browser._session.cookie_jar}
    sent = (f"{name}={value}" for name, value in held.items() if not names or name in names)
    return "Cookie: " + "; ".join(sent)


async def enter_all(served, browser):
    """On from the account to the portal and the help centre."""
    for site, path in ((PORTAL, "/routers"), (HELP, "/help")):
        page = await fetch(browser, served.url[site] + path)
        assert (page.status, str(page.url)) == (200, served.url[site] + path)
