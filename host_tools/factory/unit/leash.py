"""What ends a step from outside: its deadline, and an operator who stops the line.

`leash.check` goes into BenchLine, which calls it wherever it waits.
"""

import threading
import time
from collections.abc import Callable


class LeashError(Exception):
    """Raised in the middle of a step."""


class DeadlineError(LeashError):
    pass


class AbortedError(LeashError):
    pass


class Leash:
    def __init__(self, abort: threading.Event, clock: Callable[[], float] = time.monotonic):
        self._abort = abort
        self._clock = clock
        self._deadline = float("inf")

    def start(self, seconds: float) -> None:
        """From now on a step has so long."""
        self._deadline = self._clock() + seconds

    def check(self) -> None:
        """Raises DeadlineError or AbortedError."""
        if self._abort.is_set():
            raise AbortedError
        if self._clock() > self._deadline:
            raise DeadlineError
