"""The router's clock as everybody uses it: core/clock.py with the time, the flash and the system's clock.

clock = Timekeeper(store, build_time, board)
clock.now()                     unix seconds, whole
clock.set(unix_s, "sntp")       False, and .refusal, when that source is not believed
await clock.keep_floor()        for ever: what was reached is on the flash within the hour
clock.is_doubtful               set, by a source that proves nothing; two codes set it as well then
"""

import asyncio

from gatelodge import compat, log, store_keys
from gatelodge.contract.errors import GatelodgeError
from gatelodge.core.clock import Clock

# The system's clock is set only when it is off by this much: certificates are judged by it, to the second.
SYSTEM_SLACK_S = 1
FLOOR_LOOK_S = 60  # between looks whether a new floor is due; on 32 bits this also keeps monotonic_ms whole


class Timekeeper:
    def __init__(self, store, build_time, board, monotonic_ms=compat.monotonic_ms):
        """`board`: as contract.board gives it; its battery clock is read here, once."""
        self._store = store
        self._monotonic_ms = monotonic_ms
        self._sets_system = board["sets_wall_time"]
        floors = [store.get(key, 0) for key in (store_keys.CLOCK_FLOOR, store_keys.CLOCK_PROVEN)]
        self._clock = Clock(build_time, floors[0], monotonic_ms(), floors[1])
        if board["has_rtc"]:
            self.set(compat.wall_time(), "rtc")
        # TLS judges certificates by the system's clock: in 1970 none of them is valid yet.
        self._tell_system()

    def now(self):
        return int(self._clock.now(self._monotonic_ms()))

    def set(self, unix_s, source):
        """Take the time from a source of core/clock.py. False, and `refusal`, when it is not believed."""
        was_set = self._clock.is_set
        if not self._clock.set(unix_s, source, self._monotonic_ms()):
            return False
        self._tell_system()
        if not was_set:
            log.info("clock", "set by %s", source)
        return True

    async def keep_floor(self):
        """Persist the time reached, hourly. Cancel it to stop."""
        while True:
            await asyncio.sleep(FLOOR_LOOK_S)
            self.keep_floor_if_due()

    def keep_floor_if_due(self):
        floors = self._clock.floors_due(self._monotonic_ms())
        if floors is None:
            return
        try:
            self._store.put_many(_records(floors))
        except GatelodgeError as error:  # a full flash stops no clock; the next look tries again
            log.warning("clock", "the time reached is not kept: %s", error)
        else:
            self._clock.kept(*floors)

    def floors(self):
        """The records of the time reached, to be stored with whatever depends on it."""
        return _records(self._clock.floors(self._monotonic_ms()))

    def earliest(self):
        """Unix seconds: what time it is at least, by what was proved."""
        return int(self._clock.earliest(self._monotonic_ms()))

    @property
    def state(self):
        return self._clock.state

    @property
    def source(self):
        return self._clock.source

    @property
    def is_set(self):
        return self._clock.is_set

    @property
    def is_doubtful(self):
        """Whether it was set, by a source that proves nothing, or is disputed."""
        return self._clock.is_doubtful

    @property
    def is_disputed(self):
        """Whether two codes have set it against what it had been set to: a code alone proves nothing then."""
        return self._clock.is_disputed

    @property
    def takes_two_codes(self):
        """Whether two codes in a row may set it."""
        return self._clock.takes_two_codes

    @property
    def refusal(self):
        return self._clock.refusal

    @property
    def build_time(self):
        return self._clock.build_time

    def _tell_system(self):
        now = self._clock.now(self._monotonic_ms())
        if not self._sets_system or abs(compat.wall_time() - now) < SYSTEM_SLACK_S:
            return
        if not compat.set_wall_time(now):
            log.warning("clock", "this system's clock cannot be set: certificates may seem out of date")


def _records(floors):
    return {store_keys.CLOCK_FLOOR: floors[0], store_keys.CLOCK_PROVEN: floors[1]}
