"""When a service that fails is asked again: a circuit breaker. Pure: the time is a parameter, in seconds.

closed --FAILURES in a row--> open, for WAITS_S[0] --over--> one asks --failed--> open, for the next wait
                                                                |--answered--> closed
"""

from __future__ import annotations

FAILURES = 3
WAITS_S = (30, 60, 120, 300, 900)
ASKS_FOR_S = 10  # longer than an answer may take: whoever asks for all may be gone before it comes


class Breaker:
    def __init__(self) -> None:
        self._failures = 0  # in a row
        self._until = 0.0  # while it is open
        self._asking = False  # one does, for all

    @property
    def is_open(self) -> bool:
        return self._failures >= FAILURES

    def allows(self, now: float) -> bool:
        """Whether this one may ask. It tells then how that ended."""
        if not self.is_open:
            return True
        if now < self._until:
            return False
        self._until, self._asking = now + ASKS_FOR_S, True
        return True

    def failed(self, now: float) -> None:
        """Of several that had asked before it opened, the later ones count no more."""
        if self.is_open and not self._asking:
            return
        self._failures += 1
        self._asking = False
        if self.is_open:
            self._until = now + WAITS_S[min(self._failures - FAILURES, len(WAITS_S) - 1)]

    def answered(self) -> None:
        self._failures, self._asking = 0, False
