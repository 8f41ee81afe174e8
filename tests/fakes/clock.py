"""A clock that a test or a person moves: both what shells are given, and a monotonic clock."""

from gatelodge import store_keys


class FakeClock:
    """The shells' clock (`now`, `is_set`, `state`, `source`, `set`), with `monotonic_ms` and `pass_ms`."""

    build_time = 1_790_000_000
    is_disputed = False
    refusal = None

    def __init__(self, now=1_795_281_600, is_set=True):
        self._unix_ms = now * 1000
        self._monotonic_ms = 1000
        self.state = "synced" if is_set else "unset"
        self.source = "sntp" if is_set else "floor"

    @property
    def is_set(self):
        return self.state != "unset"

    @property
    def is_doubtful(self):
        return self.source == "sntp"

    @property
    def takes_two_codes(self):
        return not self.is_set or self.is_doubtful

    def floors(self):
        return {store_keys.CLOCK_FLOOR: self.now(), store_keys.CLOCK_PROVEN: self.now()}

    def now(self):
        """Whole unix seconds."""
        return int(self._unix_ms // 1000)

    def monotonic_ms(self):
        return self._monotonic_ms

    def pass_ms(self, ms):
        self._unix_ms += ms
        self._monotonic_ms += ms

    def pass_s(self, s):
        self.pass_ms(int(s * 1000))

    def set(self, unix_s, source):
        self._unix_ms = int(unix_s * 1000)
        self.state, self.source = "synced", source
        return True
