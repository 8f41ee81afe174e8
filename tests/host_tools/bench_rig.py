"""A blank router on a serial line: tests/fakes/bench_router.py under MicroPython, behind a pair of terminals.

    with BenchRig(directory) as rig:
        ... open rig.port as the factory opens a serial port ...

One terminal is the router's own (its stdin, stdout and controlling terminal), the other is what
tools open; bytes are carried between them like on a wire, which `rig.damage` may spoil. A router that
ends, or whose power is cut with `rig.kill()`, is started again.
"""

import os
import select
import subprocess
import threading
import tty
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GREETING_TIMEOUT_S = 30
PIECE = 1024  # bytes that are carried at once
MICROPYTHON = os.environ.get("MICROPYTHON") or str(ROOT / "build/micropython/bin/micropython")


class BenchRig:
    def __init__(self, directory, fault=""):
        """`fault`: what is wrong with the router, a key of bench_router.FAULTS."""
        self._directory = Path(directory)
        self._fault = fault
        self.state = self._directory / "state"
        self.log_path = self._directory / "router.log"
        self.starts = 0
        self.damage = lambda to_router, data: data
        self._greeted = threading.Event()
        self._stopping = False
        self._process = None

    def __enter__(self):
        self._router_master, self._router = os.openpty()
        self._tool_master, self._tool = os.openpty()
        for terminal in (self._router, self._tool):
            tty.setraw(terminal)
        for terminal in (self._router_master, self._tool_master):
            os.set_blocking(terminal, False)
        # By another name than /dev/pts: mpremote reads a pty without any deadline.
        self.port = str(self._directory / "serial")
        os.symlink(os.ttyname(self._tool), self.port)
        self._wake, self._waker = os.pipe()
        self._log = self.log_path.open("wb")
        self._threads = [threading.Thread(target=self._carry), threading.Thread(target=self._keep_running)]
        for thread in self._threads:
            thread.start()
        # What is sent to a router that has not set up its line is lost, and mpremote asks once.
        if not self._greeted.wait(GREETING_TIMEOUT_S):
            self.__exit__()
            raise TimeoutError(f"the router said nothing: {self.log}")
        return self

    def __exit__(self, *_):
        self._stopping = True
        os.write(self._waker, b"x")
        while self._threads[1].is_alive():
            self.kill()
            self._threads[1].join(0.2)
        self._threads[0].join()
        self._log.close()
        for descriptor in (
            self._router_master,
            self._router,
            self._tool_master,
            self._tool,
            self._wake,
            self._waker,
        ):
            os.close(descriptor)

    def kill(self):
        """Cut the router's power."""
        if self._process is not None:
            self._process.kill()

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def program(self):
        """What the router's MicroPython runs: a script and its arguments."""
        return ["tests/fakes/bench_router.py", self.state, self._fault]

    def _keep_running(self):
        environment = {**os.environ, "MICROPYPATH": "firmware:.:.frozen"}
        command = ["setsid", "--ctty", MICROPYTHON, "-X", "heapsize=8192k", *self.program()]
        while not self._stopping:
            self.starts += 1
            tty.setraw(self._router)  # whatever the last one left: no Ctrl-C is a signal before it starts
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=self._router, stdout=self._router, stderr=self._log
            )
            self._process.wait()

    def _carry(self):
        """Like a wire with flow control: what an end does not take waits here, its sender waits for it."""
        other = {self._router_master: self._tool_master, self._tool_master: self._router_master}
        waiting = dict.fromkeys(other, b"")
        while True:
            sources = [source for source, sink in other.items() if len(waiting[sink]) < PIECE]
            sinks = [sink for sink, data in waiting.items() if data]
            readable, writable, _ = select.select([*sources, self._wake], sinks, [])
            if self._wake in readable:
                return
            for sink in writable:
                waiting[sink] = waiting[sink][_write(sink, waiting[sink]) :]
            for source in set(readable) & set(sources):
                waiting[other[source]] += self._take(source)

    def _take(self, source):
        data = os.read(source, PIECE)
        if source == self._router_master:
            self._greeted.set()
        return self.damage(source == self._tool_master, data)


def _write(descriptor, data):
    """Return how many of the bytes the terminal has taken."""
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        return 0
