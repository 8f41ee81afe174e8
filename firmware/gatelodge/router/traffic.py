"""Ten minutes of traffic in steps of two seconds, also while no page is open.

Whoever shows it takes a sample at each step (web/live.py). While nobody does, one every ten seconds fills
five steps with their mean: a router that is left alone wakes less.
"""

import asyncio
from array import array

STEP_S = 2
ALONE_S = 10
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
        self._last = None  # (ms, received bytes, sent bytes; both None while there is no interface)
        self.count = 0  # steps ever filled

    async def run(self):
        """Sample for ever. Cancel it to stop."""
        while True:
            self.sample()
            await asyncio.sleep(ALONE_S)

    def sample(self):
        """Fill the steps since the last sample with the rate since then; nothing where that was just now.
        Missing or restarted counters count as silence."""
        now = self._monotonic_ms()
        steps = 0 if self._last is None else (now - self._last[0] + STEP_S * 500) // (STEP_S * 1000)
        if self._last is not None and steps <= 0:
            return
        counters = self._counters()
        if self._last is not None:
            rates = self._rates(now - self._last[0], counters)
            for _ in range(min(steps, SAMPLES)):
                self._fill(rates)
        received, sent = counters or (None, None)
        self._last = (now, received, sent)

    def _rates(self, elapsed_ms, counters):
        _, received, sent = self._last
        if counters is None or received is None:
            return 0, 0
        return rate(counters[0] - received, elapsed_ms), rate(counters[1] - sent, elapsed_ms)

    def _fill(self, rates):
        cell = self.count % SAMPLES
        self._received[cell], self._sent[cell] = rates
        self.count += 1

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
