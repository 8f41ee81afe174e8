"""Ten minutes of traffic, a sample every two seconds, also while no page is open."""

import asyncio
from array import array

STEP_S = 2
SAMPLES = 300  # ten minutes
MAX_RATE = 0xFFFFFFFF  # bit/s that fit a ring's cell: 4 Gbit/s, more than any port here


class Traffic:
    """counters() -> (received bytes, sent bytes) of the interface that faces the internet, or None while
    there is none. monotonic_ms() -> ms."""

    def __init__(self, counters, monotonic_ms):
        self._counters = counters
        self._monotonic_ms = monotonic_ms
        self._received = array("I", [0] * SAMPLES)  # bit/s
        self._sent = array("I", [0] * SAMPLES)
        self._last = None  # (ms, received bytes, sent bytes)
        self.count = 0  # samples ever taken

    async def run(self):
        """Sample for ever. Cancel it to stop."""
        while True:
            self.sample()
            await asyncio.sleep(STEP_S)

    def sample(self):
        """Take one sample: the rate since the one before. Missing or restarted counters count as silence."""
        now = self._monotonic_ms()
        counters = self._counters()
        rates = self._rates(now, counters)
        self._last = (now, counters[0], counters[1]) if counters else None
        if rates:
            cell = self.count % SAMPLES
            self._received[cell], self._sent[cell] = rates
            self.count += 1

    def _rates(self, now, counters):
        if self._last is None:
            return None if self.count == 0 else (0, 0)
        elapsed = now - self._last[0]
        if elapsed <= 0:
            return None
        if counters is None:
            return 0, 0
        return (
            rate(counters[0] - self._last[1], elapsed),
            rate(counters[1] - self._last[2], elapsed),
        )

    def since(self, count):
        """[(received, sent)] in bit/s: the samples after the first `count`, oldest first, as far as they are
        kept."""
        first = max(count, self.count - SAMPLES)
        return [(self._received[i % SAMPLES], self._sent[i % SAMPLES]) for i in range(first, self.count)]

    @property
    def last(self):
        """(received, sent) in bit/s."""
        if not self.count:
            return 0, 0
        cell = (self.count - 1) % SAMPLES
        return self._received[cell], self._sent[cell]


def rate(counted, elapsed_ms):
    """Bit/s. A counter that went back belongs to an interface that was made anew: nothing is known, so
    nothing is shown."""
    return min(max(counted, 0) * 8000 // elapsed_ms, MAX_RATE)
