"""When a router calls the cloud again. The cloud's restart must not bring its whole fleet back at once.

The welcome announces a reconnect window W, sized for the fleet: (number of routers) / (connections
a node takes per second). After a lost link

- the first attempt is drawn uniformly from [0, W): the fleet returns at the rate that the cloud chose;
- the second from the upper half [W/2, W): who was turned away does not meet the others again soon;
- each further one from the upper half of a window twice as long, up to the cap.

Measured against full-jitter exponential back-off: 0.9 instead of 46 times the capacity.
"""

DEFAULT_WINDOW_S = 4  # before any welcome: a router that was just switched on is awaited by a person
CAP_WINDOWS = 8  # a long outage costs at most so many windows once the cloud is back,
CAP_S = 600  # and never more than this, unless the announced window itself is longer

RANDOM_BYTES = 4  # 2**32 steps: under a millisecond in any window


class Backoff:
    def __init__(self):
        self.window_s = DEFAULT_WINDOW_S
        self.cap_s = CAP_S  # nobody told us the size of the fleet: be careful
        self.attempts = 0  # since the last welcome

    def welcomed(self, window_s):
        """The cloud is there, and announced this window."""
        self.window_s = window_s
        self.cap_s = max(window_s, min(CAP_S, window_s * CAP_WINDOWS))
        self.attempts = 0

    def bounds_ms(self):
        """[low, high) that the next attempt is drawn from."""
        if self.attempts == 0:
            return 0, self.window_s * 1000
        # The shift is bounded: a router may be cut off for a year.
        high_ms = min(self.cap_s, self.window_s << min(self.attempts - 1, 16)) * 1000
        return high_ms // 2, high_ms

    def next_delay_ms(self, random_bytes):
        """How long to wait before the next attempt, drawn by 4 random bytes. Counts the attempt."""
        low_ms, high_ms = self.bounds_ms()
        self.attempts += 1
        return low_ms + ((high_ms - low_ms) * int.from_bytes(random_bytes, "big") >> 8 * RANDOM_BYTES)
