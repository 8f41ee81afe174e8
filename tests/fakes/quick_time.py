"""Time without waiting, on MicroPython: when every task sleeps, the clock jumps to whoever wakes first.

    from tests.fakes import quick_time      # before any other module of the firmware: they keep its clock
    quick_time.begin(unix_s)
    with quick_time.real(ms):               # somebody beside this process answers: wait so long before a jump

What the process computes takes its real time besides. Descriptors are looked at before each jump, so that
what its own tasks send each other by the loopback arrives in time.
"""

import time
from asyncio import core

from gatelodge import compat, io_queue

_now_ms = time.ticks_ms  # real ones


class _Clock:
    ahead_ms = 0
    began_s = 0
    patience_ms = 0


def monotonic_ms():
    return _now_ms() + _Clock.ahead_ms


def wall_time():
    return _Clock.began_s + monotonic_ms() / 1000


def begin(unix_s):
    """From now on this process, its asyncio and its firmware live in quick time, at `unix_s`."""
    _Clock.began_s = unix_s - monotonic_ms() / 1000
    compat.monotonic_ms, compat.wall_time = monotonic_ms, wall_time
    core.ticks = monotonic_ms
    core.IOQueue = _Queue
    core._io_queue = _Queue()


class real:
    def __init__(self, ms):
        self._ms = ms

    def __enter__(self):
        self._before, _Clock.patience_ms = _Clock.patience_ms, self._ms

    def __exit__(self, *_):
        _Clock.patience_ms = self._before


class _Queue(io_queue.IoQueue):
    def __init__(self):
        super().__init__(monotonic_ms)

    def _woke(self, dt):
        """As the queue of the router, but it never sleeps for longer than `patience_ms`."""
        if super()._woke(0):
            return True
        left_ms = self._patience(dt)
        if left_ms < 0:
            raise RuntimeError("every task sleeps, and none has a deadline")
        if left_ms and _Clock.patience_ms and super()._woke(min(left_ms, _Clock.patience_ms)):
            return True
        _Clock.ahead_ms += left_ms
        return super()._woke(0)
