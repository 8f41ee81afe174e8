"""A house under `gatelodge run`, for the tests: the emulated router, the cloud and the serial cable."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from host_tools.emulator import waiting
from host_tools.serial_port import BenchLine
from tests.bench.boards import Board

REFERENCE = "qemu-virt-aarch64"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
RESTART_AFTER_S = "0.2"  # a part that a test has killed is started again
PATIENCE_S = 60  # for the router to be there again: seconds on an idle computer, more beside other tests


class House(Board):
    """One run in a directory of its own. Whatever a test kills is started again, on what it had kept."""

    def __init__(self, directory, *arguments, board=REFERENCE):
        directory.mkdir(exist_ok=True)
        self.output = (directory / "run.out").open("ab")
        more = ("--restart-parts", RESTART_AFTER_S, *arguments)
        super().__init__(board, str(directory), self.output, *more)
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()  # a run that never became ready is stopped all the same
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.output.close()

    # Logs

    def router_log(self):
        """Since power-on."""
        return Path(self.current["router_log"]).read_text(errors="replace")

    def cloud_log(self):
        return Path(self.current["cloud_log"]).read_text(errors="replace")

    def times_online(self):
        """How often the cloud has welcomed the router since power-on."""
        return self.router_log().count(" link: online")

    def run_output(self):
        """What `gatelodge run` itself has said, all runs in this directory together."""
        return Path(self.log.name).read_text(errors="replace")

    # Killing

    def kill(self, part):
        """A power cut: SIGKILL to "qemu" or "cloud". Returns when another process has taken its place."""
        before = self.current["pids"][part]
        os.kill(before, signal.SIGKILL)
        self.wait_for_another(part, before)

    def wait_for_another(self, part, before):
        """Return when a process other than `before` has taken the part's place."""
        until(lambda: self.pid_of(part) not in (None, before), f"the {part} was not started again")

    @contextlib.contextmanager
    def without_cloud(self):
        """No cloud for the time of a `with` block: it is killed, and its successor held before it listens."""
        self.kill("cloud")
        with self.frozen("cloud"):
            yield

    @contextlib.contextmanager
    def frozen(self, part):
        """The part stands still for the time of a `with` block: its connections stay, and say nothing."""
        pid = self.current["pids"][part]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def pid_of(self, part):
        with contextlib.suppress(OSError, ValueError):  # between two versions of the file
            return self.current["pids"][part]
        return None

    def wait_for_admin_page(self):
        # QEMU takes connections for a router that still boots; only their deadline would end those.
        until(lambda: " web: the admin page listens " in self.router_log(), "the router serves no admin page")
        at = self.current["admin_url"], Path(self.current["ca_file"])
        until(lambda: waiting.answers(*at), "the admin page did not answer")

    # The serial line

    def is_locked(self):
        """Knock at the router until it shows its face: a blank one's raw REPL, or the lock."""
        with BenchLine(self.current["serial_port"]) as line:
            return line.is_locked(PATIENCE_S)

    def mpremote(self, *arguments, timeout=60):
        """The finished process of an unmodified mpremote on this router's serial port."""
        command = [sys.executable, "-m", "mpremote", "connect", self.current["serial_port"]]
        command += map(str, arguments)
        pipes = {"stdin": subprocess.DEVNULL, "capture_output": True}
        return subprocess.run(command, **pipes, timeout=timeout)


def fetch(url, trust):
    """(status, text) of one GET over TLS, by the SSL context `trust`. Raises OSError, HTTPException."""
    at = urlsplit(url)
    connection = http.client.HTTPSConnection(at.hostname, at.port, timeout=PATIENCE_S, context=trust)
    with contextlib.closing(connection):
        connection.request("GET", at.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def until(found, complaint, seconds=PATIENCE_S):
    """What `found()` returns, once that is true. AssertionError with the complaint when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(complaint)
