"""What time it is, on a router without a battery-backed clock. Pure: the caller brings a monotonic clock.

State    meaning                                                            how it is reached
UNSET    only a lower bound is known: the floor, and the time since boot    boot
SYNCED   a source below told the time since boot                            `set`
PROVEN   the owner's authenticator told it, by two codes in a row           `set` by "two codes"

The floor is the latest time that was persisted, or the build's. Time never runs below it, so a code of
yesterday works on no clock.
"""

from collections import namedtuple

UNSET = "unset"
SYNCED = "synced"
PROVEN = "proven"

FLOOR = "floor"  # the source of an UNSET clock

TWO_CODES = "two codes"

# authenticated: the time came from somebody who proved who it is.
# moves: the states in which the source may move the clock. leads_to: the state of a clock that it has set.
Source = namedtuple("Source", ("authenticated", "moves", "leads_to"))

SOURCES = {
    "rtc": Source(False, (UNSET,), SYNCED),  # read once at boot; later it is us who set it
    "sntp": Source(False, (UNSET, SYNCED, PROVEN), SYNCED),
    "cloud": Source(True, (UNSET, SYNCED, PROVEN), SYNCED),
    "bench": Source(True, (UNSET, SYNCED, PROVEN), SYNCED),
    # An authenticator may be minutes off, so the two above correct it, and network time does within DRIFT_S.
    TWO_CODES: Source(True, (UNSET,), PROVEN),
}

# A crystal is off by 100 ppm at most: 13 minutes in three months. Farther than this from a time that was
# proved, a source that proves nothing is not believed.
DRIFT_S = 15 * 60

# The floor was persisted from a clock that ran a little ahead: that is agreement, and time waits at it.
FLOOR_SLACK_S = 60

FLOOR_EVERY_S = 3600  # of flash wear: 9,000 small records a year

# No source is believed that is farther in the future; and without proof the floor, which cannot be taken
# back, follows a year at most in one boot. Else one forged packet could lock every code out for good.
HORIZON_S = 20 * 366 * 86400
UNPROVEN_FLOOR_S = 366 * 86400


class Clock:
    """`build_time` and `floor` in unix seconds; `monotonic_ms` is the moment of construction."""

    def __init__(self, build_time, floor=0, monotonic_ms=0):
        self.build_time = build_time
        self.floor = max(build_time, floor)
        self.state = UNSET
        self.source = FLOOR
        self.refusal = None  # why the last `set` was refused, one sentence
        self._offset = self.floor - monotonic_ms / 1000
        self._anchor = None  # the offset that an authenticated source gave
        self._unproven_limit = self.floor + UNPROVEN_FLOOR_S

    @property
    def is_set(self):
        return self.state != UNSET

    def now(self, monotonic_ms):
        """Unix seconds, a float. While UNSET it is the earliest that it can be."""
        return max(self.floor, self._offset + monotonic_ms / 1000)

    def set(self, unix_s, source, monotonic_ms):
        """Takes the time from one of SOURCES. False, and `refusal`, when it may not or cannot be right."""
        offset = unix_s - monotonic_ms / 1000
        self.refusal = self._objection(unix_s, offset, SOURCES[source])
        if self.refusal:
            return False
        self._offset = offset
        if SOURCES[source].authenticated:
            self._anchor = offset
        if SOURCES[source].authenticated or self.state == UNSET:
            self.state = SOURCES[source].leads_to
        self.source = source
        return True

    def _objection(self, unix_s, offset, source):
        if self.state not in source.moves:
            return f"it does not move a clock that is {self.state}"
        if unix_s < self.floor - FLOOR_SLACK_S:
            return f"{int(self.floor - unix_s)} s before a time that had been reached already"
        if unix_s > self.build_time + HORIZON_S:
            return "more than 20 years after this firmware was built"
        if self._anchor is not None and not source.authenticated and abs(offset - self._anchor) > DRIFT_S:
            return f"{int(abs(offset - self._anchor))} s away from a time that was proved"
        return None

    def floor_due(self, monotonic_ms):
        """The floor to persist now (unix seconds, whole), or None when the present one is good for longer.

        An UNSET clock raises it too: the time since boot has passed whatever the time is.
        """
        floor = int(self.now(monotonic_ms))
        if self.state != UNSET and self._anchor is None:
            floor = min(floor, self._unproven_limit)
        return floor if floor - self.floor >= FLOOR_EVERY_S else None

    def raise_floor(self, floor):
        """After the floor was persisted. A lower one changes nothing."""
        self.floor = max(self.floor, floor)
