"""What time it is, on a router without a battery-backed clock. Pure: the caller brings a monotonic clock.

State    meaning                                                            how it is reached
UNSET    only a lower bound is known: the floor, and the time since boot    boot
SYNCED   a source below told the time since boot                            `set`
PROVEN   the owner's authenticator told it, by two codes in a row           `set` by "two codes"

The floor is the latest time that was persisted, or the build's. Time never runs below it, so a code of
yesterday works on no clock.

Network time proves nothing, and neither does a battery clock: whoever forges it may have set the clock wrong,
and have raised the floor. So there are two floors. `proven_floor` follows only what was proved, and what has
passed since; a source that proves itself is bound by that one alone. A clock that nobody has proved is
*doubtful*: two codes set it too.

Where two codes contradict a clock that was set, one of them is wrong, and nobody here can tell which: codes
that somebody has seen tell a time that is past. The clock follows the codes, and is *disputed*: a code alone
proves nothing on it, and two codes in a row, later ones always, may set it again. Whoever set it back
cannot keep it so.
"""

from collections import namedtuple

UNSET = "unset"
SYNCED = "synced"
PROVEN = "proven"

FLOOR = "floor"  # the source of an UNSET clock

TWO_CODES = "two codes"

# authenticated: the time came from somebody who proved who it is.
# moves: the states in which the source may move the clock. leads_to: the state of a clock that it has set.
# yields: it moves no clock that an authenticated source has set.
Source = namedtuple("Source", ("authenticated", "moves", "leads_to", "yields"))

SOURCES = {
    "rtc": Source(False, (UNSET,), SYNCED, False),  # read once at boot; later it is us who set it
    "sntp": Source(False, (UNSET, SYNCED, PROVEN), SYNCED, False),
    "cloud": Source(True, (UNSET, SYNCED, PROVEN), SYNCED, False),
    "bench": Source(True, (UNSET, SYNCED, PROVEN), SYNCED, False),
    # An authenticator may be minutes off, so the two above correct it, and network time does within DRIFT_S.
    TWO_CODES: Source(True, (UNSET, SYNCED, PROVEN), PROVEN, True),
}

# A crystal is off by 100 ppm at most: 13 minutes in three months. Farther than this from a time that was
# proved, a source that proves nothing is not believed.
DRIFT_S = 15 * 60

# The floor was persisted from a clock that ran a little ahead: that is agreement, and time waits at it.
FLOOR_SLACK_S = 60

FLOOR_EVERY_S = 3600  # of flash wear: 9,000 small records a year

# No source is believed that is farther in the future; and without proof the floor, which only proof takes
# back, follows a year at most in one boot.
HORIZON_S = 20 * 366 * 86400
UNPROVEN_FLOOR_S = 366 * 86400


class Clock:
    """`build_time` and the floors in unix seconds; `monotonic_ms` is the moment of construction."""

    def __init__(self, build_time, floor=0, monotonic_ms=0, proven_floor=0):
        self.build_time = build_time
        self.proven_floor = max(build_time, proven_floor)
        self.floor = max(self.proven_floor, floor)
        self.state = UNSET
        self.source = FLOOR
        self.refusal = None  # why the last `set` was refused, one sentence
        self._offset = self.floor - monotonic_ms / 1000
        self._earliest_offset = self.proven_floor - monotonic_ms / 1000
        self._anchor = None  # the offset that an authenticated source gave
        self._contested = None  # the offset that two codes have contradicted, while they are all that did
        self._unproven_limit = self.floor + UNPROVEN_FLOOR_S
        self._kept = self.floor, self.proven_floor  # on the flash

    @property
    def is_set(self):
        return self.state != UNSET

    @property
    def takes_two_codes(self):
        """Whether they may set it: nobody has proved the time since boot, or they alone, against another."""
        return self._anchor is None or self.is_disputed

    @property
    def is_doubtful(self):
        """Whether it was set, by a source that proves nothing, or is disputed."""
        return self.is_set and self.takes_two_codes

    @property
    def is_disputed(self):
        """Whether two codes have set it against what it had been set to."""
        return self._contested is not None

    def earliest(self, monotonic_ms):
        """Unix seconds, a float: what time it is at least, by what was proved."""
        return max(self.proven_floor, self._earliest_offset + monotonic_ms / 1000)

    def now(self, monotonic_ms):
        """Unix seconds, a float. While UNSET it is the earliest that it can be."""
        return max(self.floor, self._offset + monotonic_ms / 1000)

    def set(self, unix_s, source, monotonic_ms):
        """Takes the time from one of SOURCES. False, and `refusal`, when it may not or cannot be right."""
        offset = unix_s - monotonic_ms / 1000
        self.refusal = self._objection(unix_s, offset, SOURCES[source])
        if self.refusal:
            return False
        if SOURCES[source].authenticated:
            self._contested = self._contradicted(offset) if source == TWO_CODES else None
            self._anchor = self._earliest_offset = offset
            self.floor = max(self.proven_floor, min(self.floor, unix_s))
        self._offset = offset
        if SOURCES[source].authenticated or self.state == UNSET:
            self.state = SOURCES[source].leads_to
        self.source = source
        return True

    def _objection(self, unix_s, offset, source):
        if self.state not in source.moves or (source.yields and not self.takes_two_codes):
            return f"it does not move a clock that is {self.state}"
        floor = self.proven_floor if source.authenticated else self.floor
        if unix_s < floor - FLOOR_SLACK_S:
            return f"{int(floor - unix_s)} s before a time that had been reached already"
        if unix_s > self.build_time + HORIZON_S:
            return "more than 20 years after this firmware was built"
        if self._anchor is not None and not source.authenticated and abs(offset - self._anchor) > DRIFT_S:
            return f"{int(abs(offset - self._anchor))} s away from a time that was proved"
        return None

    def _contradicted(self, offset):
        """The offset that two codes which give this one contradict, or None when they agree with it."""
        before = self._contested
        if before is None and self.is_set:
            before = self._offset
        return before if before is not None and abs(offset - before) > DRIFT_S else None

    def floors(self, monotonic_ms):
        """(floor, proven floor) as of now, unix seconds, whole: to be persisted."""
        floor = int(self.now(monotonic_ms))
        if self.is_set and self._anchor is None:
            floor = min(floor, self._unproven_limit)
        return floor, int(self.earliest(monotonic_ms))

    def floors_due(self, monotonic_ms):
        """The floors to persist now, or None when those on the flash are good for longer.

        An UNSET clock raises them too: the time since boot has passed whatever the time is.
        """
        floor, proven_floor = self.floors(monotonic_ms)
        risen_s = max(floor - self._kept[0], proven_floor - self._kept[1])
        is_due = risen_s >= FLOOR_EVERY_S or floor < self._kept[0]
        return (floor, proven_floor) if is_due else None

    def kept(self, floor, proven_floor):
        """After they were persisted. Lower ones change nothing."""
        self._kept = floor, proven_floor
        self.floor = max(self.floor, floor)
        self.proven_floor = max(self.proven_floor, proven_floor)
