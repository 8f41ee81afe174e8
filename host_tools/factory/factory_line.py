"""A line of ports at work: a thread for each unit, so many at once, and one listener that hears of all.

    line = FactoryLine(means, rows, tell, at_once=16)
    verdicts = line.run(ports)                    # in the order of the ports; Ctrl-C aborts them all
    line.start(port); line.abort(port.key)        # for who goes on meanwhile: a page

What happens at one port never disturbs another: each has its line, its report and its verdict, and a fault of
these tools there is a NO-GO there. The listener is called by one thread at a time; what it raises is lost.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

from host_tools import exit_codes
from host_tools.factory.engine import Verdict
from host_tools.factory.events import ABORTED, ERROR, GO, NO_GO, Event, Totals, UnitEnded, UnitStarted
from host_tools.factory.ports import Port
from host_tools.factory.steps import Row
from host_tools.factory.unit.drive import drive
from host_tools.factory.unit.means import Means

AT_ONCE = 16
LOOK_S = 0.2  # between looks for Ctrl-C, which Python gives to the main thread
ABORT_S = 60.0  # for units to end that were told to: a look at the line, or SQLite's own patience
# Of a unit that did not even end when it was told to.
UNFINISHED = Verdict(
    NO_GO, "", ABORTED, "it did not end in time", "start this bench again", exit_codes.INTERRUPTED
)


class FactoryLine:
    def __init__(
        self,
        means: Means,
        rows: Sequence[Row],
        tell: Callable[[Event], None],
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._means = means
        self._rows = rows
        self._listener = tell
        self._clock = clock
        self._began = clock()
        self._aborts: dict[str, threading.Event] = {}
        self._places = threading.BoundedSemaphore(at_once)
        self._telling = threading.Lock()
        # Not Thread.join: interrupted by Ctrl-C, it takes a thread for ended that is not (bpo-45274).
        self._over: dict[str, threading.Event] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._running: set[str] = set()
        self._waiting: set[str] = set()
        self._ended = {GO: 0, NO_GO: 0}

    def run(self, ports: Sequence[Port]) -> list[Verdict]:
        """Return each port's verdict. Raises KeyboardInterrupt only when Ctrl-C comes a second time."""
        for port in ports:
            self._tell(port.seen())
        try:
            for port in ports:
                self.start(port)
            self.wait()
        except KeyboardInterrupt:
            self.stop()
        return [self._verdicts.get(port.key) or UNFINISHED for port in ports]

    def start(self, port: Port) -> None:
        """Begin with the unit at the port. ValueError when one is at work there."""
        if self.is_at_work(port.key):
            raise ValueError(f"a unit is at work at {port.key}")
        self._waiting.add(port.key)
        self._aborts[port.key] = threading.Event()
        self._over[port.key] = over = threading.Event()
        threading.Thread(
            target=self._work, args=(port, over), name=f"unit at {port.key}", daemon=True
        ).start()

    def wait(self, timeout_s: float = float("inf")) -> bool:
        """Whether all units have ended in time."""
        deadline = self._clock() + timeout_s
        units = list(self._over.values())
        for over in units:
            while not over.wait(LOOK_S) and self._clock() < deadline:
                pass
        return all(over.is_set() for over in units)

    def is_at_work(self, key: str) -> bool:
        return key in self._running | self._waiting

    def abort(self, key: str | None = None) -> bool:
        """Have the unit at the port end, or all; what waits does not begin. False when nothing is at work.

        Returns at once. How it ended is told, as ever.
        """
        keys = [one for one in self._aborts if key in (None, one) and self.is_at_work(one)]
        for one in keys:
            self._aborts[one].set()
        return bool(keys)

    def stop(self) -> None:
        """Abort all. Returns when all has ended, and is recorded."""
        self.abort()
        self.wait(ABORT_S)

    def verdict(self, key: str) -> Verdict | None:
        return self._verdicts.get(key)

    # --- the threads ---

    def _work(self, port: Port, over: threading.Event) -> None:
        try:
            self._drive(port)
        finally:
            over.set()

    def _drive(self, port: Port) -> None:
        with self._places:
            self._running.add(port.key)
            self._waiting.discard(port.key)
            try:
                abort = self._aborts[port.key]
                verdict = drive(port.key, port.device, self._means, self._rows, self._tell, abort)
            except Exception as error:
                verdict = self._at_fault(port, error)
            self._verdicts[port.key] = verdict

    def _at_fault(self, port: Port, error: Exception) -> Verdict:
        said = f"these tools are at fault ({type(error).__name__}: {error})"
        remedy = "keep what is on this screen for their makers"
        verdict = Verdict(NO_GO, self._rows[0].name, ERROR, said, remedy, exit_codes.FAILED)
        self._tell(
            UnitEnded(port.key, "", "", NO_GO, verdict.step, ERROR, said, remedy, exit_codes.FAILED, 0.0)
        )
        return verdict

    def _tell(self, event: Event) -> None:
        with self._telling:
            if isinstance(event, UnitEnded):
                self._running.discard(event.port)
                self._ended[event.verdict] += 1
            self._say(event)
            if isinstance(event, UnitStarted | UnitEnded):
                self._say(self._totals())

    def _say(self, event: Event) -> None:
        # A listener that fails, a pipe that was closed, must not end a unit in the middle of its lock.
        with contextlib.suppress(Exception):
            self._listener(event)

    def _totals(self) -> Totals:
        running, waiting = len(self._running), len(self._waiting)
        seconds = round(self._clock() - self._began, 3)
        return Totals(len(self._over), running, waiting, self._ended[GO], self._ended[NO_GO], seconds)
