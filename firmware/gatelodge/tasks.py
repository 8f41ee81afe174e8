"""Tasks that somebody owns, and waits that end.

Whoever starts a task cancels it and waits for it; a task that fails is heard of at once.
"""

import asyncio

from gatelodge import log
from gatelodge.compat import MICROPYTHON
from gatelodge.contract.errors import LineError


class Tasks:
    """The tasks of one owner.

    `on_failure(error, name)` hears of each task that ended with an exception, after it was logged.
    """

    def __init__(self, name, on_failure=None):
        self.name = name
        self.on_failure = on_failure
        self._running = []

    def start(self, coroutine, name):
        """Runs the coroutine as a task of ours. Awaiting the task gives its result, None if it failed."""
        task = asyncio.create_task(self._watched(coroutine, name))
        self._running = [other for other in self._running if not other.done()]
        self._running.append(task)
        return task

    async def _watched(self, coroutine, name):
        try:
            return await coroutine
        except Exception as error:
            log.exception(self.name, f"{name} failed", error)
            if self.on_failure is not None:
                self.on_failure(error, name)
            return None

    def __len__(self):
        return sum(1 for task in self._running if not task.done())

    async def close(self):
        """Cancels every task and waits until each has ended. May be called by one of them, which goes on."""
        ours = asyncio.current_task()
        ending = [task for task in self._running if task is not ours and not task.done()]
        self._running = []
        for task in ending:
            task.cancel()
        for task in ending:
            await _ended(task)


async def _ended(task):
    try:
        await task
    except asyncio.CancelledError:
        log.debug("tasks", "a task was cancelled")


if MICROPYTHON:
    wait_ms = asyncio.wait_for_ms
else:

    def wait_ms(awaitable, timeout_ms):
        """The awaitable's result. After `timeout_ms` it is cancelled: asyncio.TimeoutError."""
        return asyncio.wait_for(awaitable, timeout_ms / 1000)


async def with_deadline(awaitable, timeout_ms, what):
    """The awaitable's result. After `timeout_ms` it is cancelled, and LineError names `what` took so long."""
    try:
        return await wait_ms(awaitable, timeout_ms)
    except asyncio.TimeoutError:
        raise LineError(f"{what} took longer than {timeout_ms / 1000:g} s")
