"""A real rsyslog on the loopback that takes syslog over TLS, if told so only from who has a certificate.

    with rsyslog(authority, asks=True) as system:
        system.port, system.received()

It runs as nobody where the tests are root's, and keeps what it took as lines of JSON.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

RSYSLOGD = "/usr/sbin/rsyslogd"
START_TIMEOUT_S = STOP_TIMEOUT_S = 60
NAMES = ("pri", "hostname", "app-name", "procid", "msgid", "structured-data", "msg", "timereported")
CONFIG = """
global(workDirectory="{folder}" maxMessageSize="16k" parser.escapeControlCharactersOnReceive="off"
  defaultNetstreamDriverCAFile="{folder}/authority.pem"
  defaultNetstreamDriverCertFile="{folder}/own.pem" defaultNetstreamDriverKeyFile="{folder}/own.key")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="{mode}" {peers})
template(name="json" type="list" option.jsonf="on") {{ {properties} }}
input(type="imtcp" address="127.0.0.1" port="{port}" listenPortFileName="{folder}/port" ruleset="all")
ruleset(name="all") {{ action(type="omfile" file="{folder}/received" template="json") }}
"""


class Rsyslog:
    def __init__(self, authority, asks):
        self.folder = Path(tempfile.mkdtemp(prefix="gatelodge-rsyslog-"))
        authority.write(self.folder, "authority")
        authority.server("localhost").write(self.folder, "own")
        self._asks, self._process, self.port = asks, None, 0

    def start(self):
        """The second time at the port of the first."""
        properties = "\n".join(f'property(outname="{name}" name="{name}" format="jsonf")' for name in NAMES)
        mode = {"mode": "x509/name", "peers": 'permittedPeer=["gatelodge"]'} if self._asks else {
            "mode": "anon", "peers": ""}  # fmt: skip
        config = CONFIG.format(folder=self.folder, port=self.port, properties=properties, **mode)
        (self.folder / "config").write_text(config)
        command = [RSYSLOGD, "-n", "-f", self.folder / "config", "-i", "NONE"]
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, "nobody")
            command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(self._read("said"))
            time.sleep(0.02)

    def _listens(self):
        """It writes its port down where it chose one itself."""
        self.port = self.port or int(self._read("port").strip() or 0)
        with socket.socket() as attempt:
            return self.port and attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        """At once: asked to end, it would wait for who is connected."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        self._process = None

    def received(self, **wanted):
        """What came, the oldest first; wanted: values that it must have, with _ for -."""
        lines = self._read("received").splitlines()
        found = [json.loads(line) for line in lines if line.endswith("}")]
        wanted = {name.replace("_", "-"): value for name, value in wanted.items()}
        return [each for each in found if wanted.items() <= each.items()]

    def _read(self, name):
        path = self.folder / name
        return path.read_text("utf-8", errors="replace") if path.exists() else ""


@contextmanager
def rsyslog(authority, asks=False):
    system = Rsyslog(authority, asks)
    try:
        system.start()
        yield system
    finally:
        system.stop()
        shutil.rmtree(system.folder, ignore_errors=True)
