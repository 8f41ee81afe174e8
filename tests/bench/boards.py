"""A board under `gatelodge run`, in a run directory of the bench's own, driven through its current.json."""

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time

from host_tools.release.places import ROOT
from tests.bench import owner, processes

READY_TIMEOUT_S = 600  # the first run on a machine builds the board's image, too
STOP_TIMEOUT_S = 30
HEARTBEAT_S = 30  # as the cloud asks for in production; in development it asks for one every 3 s


class BoardError(Exception):
    pass


class Board:
    """One run of one board. Its directory outlives it, so that it can be run again as it was left."""

    def __init__(self, name, directory, log, *arguments):
        """`arguments`: more of them for `gatelodge run`."""
        self.name = name
        self.directory = directory
        self.current_file = os.path.join(directory, "current.json")
        self.log = log
        self.arguments = arguments
        self.process = self._start()
        self.owner = None

    def _start(self):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.current_file)
        argv = [sys.executable, "-m", "host_tools.cli", "run", "--board", self.name, "--auto-ports"]
        argv += ["--run-dir", self.directory, *self.arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log}
        return subprocess.Popen(argv, **pipes, cwd=ROOT, start_new_session=True)

    def wait_until_ready(self):
        """Return current.json. BoardError with the run's last words when it ended."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if os.path.exists(self.current_file):
                return self.current
            if self.process.poll() is not None:
                raise BoardError(f"gatelodge run --board {self.name} ended: {self.last_words()}")
            time.sleep(0.05)
        raise TimeoutError(f"the {self.name} board was not ready within {READY_TIMEOUT_S} s")

    def last_words(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            lines = file.read().strip().splitlines()
        return lines[-1] if lines else f"status {self.process.returncode}"

    @property
    def current(self):
        with open(self.current_file, encoding="utf-8") as file:
            return json.load(file)

    @property
    def pid(self):
        """The process whose figures count: the daemon on the host board, QEMU on an emulated one."""
        pids = self.current["pids"]
        return pids.get("daemon") or pids["qemu"]

    @property
    def trust(self):
        return trust_in(self.current)

    def stop(self):
        """As Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def trust_in(current):
    """A TLS context that accepts the servers of a run, by its current.json."""
    return ssl.create_default_context(cafile=current["ca_file"])


@contextlib.contextmanager
def running(lab, name, directory=None):
    """A provisioned board, for the time of a `with` block."""
    directory = directory or os.path.join(lab.directory, name)
    heartbeat = ("--heartbeat", str(HEARTBEAT_S))
    board = Board(name, directory, lab.log_file("run-" + name), *heartbeat)
    try:
        board.wait_until_ready()
        yield board
    finally:
        board.stop()


def owner_of(board):
    """The board's owner, who has been through the wizard. Made at the first call."""
    if board.owner is None:
        board.owner = owner.Owner(board.current, board.trust)
        board.owner.set_up()
    return board.owner


def daemon_command(board):
    """(argv, environment, directory) with which the running daemon was started."""
    pid = board.pid
    with open(f"/proc/{pid}/environ", "rb") as file:
        pairs = [os.fsdecode(pair).partition("=") for pair in file.read().split(b"\0") if pair]
    environment = {name: value for name, _, value in pairs}
    return processes.command_line(pid), environment, os.readlink(f"/proc/{pid}/cwd")
