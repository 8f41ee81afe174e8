"""The router's clock as everybody uses it: core/clock.py with the time, the flash and the system's clock.

clock = Timekeeper(store, build_time, board)
clock.now()                     unix seconds, whole
clock.set(unix_s, "sntp")       False, and .refusal, when that source is not believed
await clock.keep_floor()        for ever: what was reached is on the flash within the hour
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
        self._clock = Clock(build_time, store.get(store_keys.CLOCK_FLOOR, 0), monotonic_ms())
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
        floor = self._clock.floor_due(self._monotonic_ms())
        if floor is None:
            return
        try:
            self._store.put(store_keys.CLOCK_FLOOR, floor)
        except GatelodgeError as error:  # a full flash stops no clock; the next look tries again
            log.warning("clock", "the time reached is not kept: %s", error)
        else:
            self._clock.raise_floor(floor)

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
