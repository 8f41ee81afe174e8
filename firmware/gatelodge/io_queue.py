"""What asyncio sleeps on under MicroPython: descriptors with deadlines. compat.py puts it in asyncio's place.

asyncio's queue registers a socket at each wait and forgets it at each event, and knows no deadlines: a wait
with one costs two tasks. Here a socket stays registered from its first wait to its last word, an event costs
one re-arming, and the deadlines of all sleepers are one number for the poller: the earliest. A reader may
leave somebody behind who answers what comes while it sleeps on.

It depends on asyncio.core (the same from MicroPython 1.23 to 1.26): `core._io_queue` is asked for `map`,
`queue_read`, `queue_write`, `remove` and `wait_io_event`; a task is woken by `core._task_queue.push`, and
its `peek` is None while none is.
"""

import select
from asyncio import core  # type: ignore[attr-defined]

from micropython import const  # type: ignore[import-not-found]

_ONE_SHOT = const(1)  # ipoll's flag: who has had an event has none more until it is armed again
_READER = const(0)  # places in an entry of `map`
_WRITER = const(1)
_STREAM = const(2)
_BY = const(3)  # and the next: the deadlines of the two
_ANSWER = const(5)
_IN = select.POLLIN
_OUT = select.POLLOUT
_AT_ONCE = const(8)  # tasks that run between two looks at the descriptors while more tasks are ready


class IoQueue:
    def __init__(self, monotonic_ms):
        # id(stream) -> [reading task, writing task, stream, deadline of each in ms or None, answer or None]
        self.map = {}
        self._poller = select.poll()
        self._monotonic_ms = monotonic_ms
        self._next_ms = None  # no deadline of a sleeper is before it
        self._skipped = 0

    # What sleeps

    def queue_read(self, stream):
        self.sleep(stream, _READER, None)

    def queue_write(self, stream):
        self.sleep(stream, _WRITER, None)

    def sleep(self, stream, side, deadline_ms, answer=None):
        """The task that runs sleeps from its next `yield` until the stream is ready, or the deadline.

        answer(): called instead of waking a reader, and raises nothing. It gives the reader's next deadline,
        or None: then the reader is woken after all."""
        entry = self.map.get(id(stream))
        if entry is None:
            self._poller.register(stream, 0)  # first: what cannot be polled must not stay in the map
            entry = self.map[id(stream)] = [None, None, stream, None, None, None]
        elif entry[side] is not None:
            raise RuntimeError("two tasks sleep on one side of a stream")
        task = entry[side] = core.cur_task
        task.data = self  # where Task.cancel finds `remove`
        self._arm(entry)
        entry[_BY + side] = deadline_ms
        if side == _READER:
            entry[_ANSWER] = answer
        if deadline_ms is not None and (self._next_ms is None or deadline_ms < self._next_ms):
            self._next_ms = deadline_ms

    def _arm(self, entry):
        events = (_IN if entry[_READER] else 0) | (_OUT if entry[_WRITER] else 0)
        self._poller.modify(entry[_STREAM], events)

    def remove(self, task):
        """The task is cancelled: it sleeps on nothing any more."""
        for entry in list(self.map.values()):
            if entry[_READER] is task or entry[_WRITER] is task:
                entry[_READER if entry[_READER] is task else _WRITER] = None
                self._forget_or_arm(entry)

    def _forget_or_arm(self, entry):
        if entry[_READER] is None and entry[_WRITER] is None:
            self._forget(entry)
        else:
            self._arm(entry)

    def _forget(self, entry):
        del self.map[id(entry[_STREAM])]
        self._poller.unregister(entry[_STREAM])

    def forget(self, stream):
        """Wakes whoever sleeps on the stream, and forgets it. Before its descriptor is closed."""
        entry = self.map.get(id(stream))
        if entry is not None:
            self._forget(entry)
            self._wake(entry, _READER)
            self._wake(entry, _WRITER)

    # What wakes

    def wait_io_event(self, dt):
        """Wakes who is ready, and who has waited for too long. `dt`: ms until another task is due, or -1."""
        if dt == 0 and self._skipped < _AT_ONCE:
            self._skipped += 1
            return
        self._skipped = 0
        while not self._woke(dt) and dt < 0 and core._task_queue.peek() is None:
            pass  # the last: who answered may have woken a task that sleeps on no descriptor

    def _woke(self, dt):
        """Whether somebody was woken within `dt` ms, or within the patience of who sleeps with a deadline."""
        woke = False
        for event in self._poller.ipoll(self._patience(dt), _ONE_SHOT):  # type: ignore[attr-defined]
            woke = self._happened(event) or woke
        if self._next_ms is not None and self._monotonic_ms() >= self._next_ms:
            woke = self._wake_late() or woke
        return woke

    def _happened(self, event):
        """Whether it wakes somebody. A function of its own: with more names and values at work, `_woke` would
        take its frame from the heap each time. event: (stream, flags)."""
        entry, events, woke = self.map.get(id(event[0])), event[1], False
        if entry is None:  # who answered another one has closed it
            return False
        if entry[_READER] and events & ~_OUT:  # hanging up and failing are events of both sides
            answer = entry[_ANSWER]
            entry[_BY] = answer() if answer else None
            if entry[_BY] is None:
                woke = self._wake(entry, _READER)
        elif not entry[_WRITER]:
            self._forget(entry)  # it has hung up or failed, and nobody is there to hear it
            return False
        if entry[_WRITER] and events & ~_IN:
            woke = self._wake(entry, _WRITER)
        if entry[_READER] or entry[_WRITER]:
            self._arm(entry)
        return woke

    def _patience(self, dt):
        if self._next_ms is None:
            return dt
        if dt == 0:
            return 0
        left_ms = max(0, self._next_ms - self._monotonic_ms())
        return left_ms if dt < 0 else min(dt, left_ms)

    def _wake(self, entry, side):
        task = entry[side]
        if task is None:
            return False
        entry[side] = None
        core._task_queue.push(task)
        return True

    def _wake_late(self):
        """Wakes those whose deadline has passed; they find out by the time."""
        now, woke, self._next_ms = self._monotonic_ms(), False, None
        for entry in list(self.map.values()):
            for side in (_READER, _WRITER):
                deadline_ms = entry[_BY + side]
                if entry[side] is None or deadline_ms is None:
                    continue
                if deadline_ms <= now:
                    woke = self._wake(entry, side)
                elif self._next_ms is None or deadline_ms < self._next_ms:
                    self._next_ms = deadline_ms
            if entry[_READER] or entry[_WRITER]:
                self._arm(entry)
        return woke


def install(monotonic_ms):
    """In place of asyncio's queue, now and after a new_event_loop."""
    core.IOQueue = lambda: IoQueue(monotonic_ms)
    core._io_queue = core.IOQueue()
