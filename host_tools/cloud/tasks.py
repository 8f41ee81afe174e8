"""Owned tasks: whoever starts one cancels it and waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

TASKS_MAX = 2000  # of one owner at once: each holds one answer that somebody waits for
CLOSE_AGAIN_S, CLOSE_TRIES = 1, 20
AGAIN_S = 5  # a database that is away comes back within seconds, or somebody reads the log

log = logging.getLogger("cloud.tasks")


class Tasks:
    def __init__(self, name: str):
        self.name = name
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run it until it ends or the owner closes. An exception is logged, with its trace."""
        if len(self._running) >= TASKS_MAX:
            work.close()
            log.error("%s: %s was not started, %d tasks are running", self.name, name, TASKS_MAX)
            return
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}: {name}")
        self._running.add(task)
        task.add_done_callback(self._ended)

    def keep(self, make: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Run what must not end: after a failure it is logged and begun again."""
        self.start(self._keep(make, name), name)

    async def _keep(self, make: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                await make()
            except Exception:
                log.exception("%s: %s failed, and begins again in %d s", self.name, name, AGAIN_S)
            await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        """Cancel until all have ended: a cancellation that meets a timeout at the same moment can be lost."""
        for _ in range(CLOSE_TRIES):
            for task in self._running:
                task.cancel()
            if not self._running:
                return
            await asyncio.wait(self._running, timeout=CLOSE_AGAIN_S)
        for task in self._running:
            log.error("%s does not end", task.get_name())

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s failed", task.get_name(), exc_info=task.exception())
