"""The service under systemd: it says that it is ready, how it is, that it lives, reads again, and stops."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable

from host_tools.cloud.systemd.notify import ALIVE, READY, STOPPING, Notifier, reloading, status

TELL_EVERY_S = 10  # one datagram
SIGNS_OF_LIFE = 3  # within the time after which systemd takes us for dead
log = logging.getLogger("cloud.systemd")


class Supervision:
    """told: the line of now for `systemctl status`."""

    def __init__(self, notifier: Notifier, told: Callable[[], str]):
        self._notifier = notifier
        self._told = told
        self._sources: dict[str, Callable[[], object]] = {}
        self._one_at_a_time = asyncio.Lock()

    @property
    def is_heard(self) -> bool:
        return self._notifier.is_heard

    def read_again(self, name: str, read: Callable[[], object]) -> None:
        """read: of a reload, may be a coroutine's. What is wrong it logs, and keeps what it had."""
        self._sources[name] = read

    def starting(self, what: str) -> None:
        self._notifier.send(status(what))

    def ready(self) -> None:
        self._notifier.send(READY, status(self._told()))

    def stopping(self) -> None:
        self._notifier.send(STOPPING, status("Says goodbye to browsers and routers."))

    async def run(self) -> None:
        """From the loop that answers everybody: where that hangs, systemd ends us and starts another."""
        every = min(TELL_EVERY_S, (self._notifier.watchdog_s or TELL_EVERY_S * SIGNS_OF_LIFE) / SIGNS_OF_LIFE)
        while True:
            self._notifier.send(ALIVE, status(self._told()))
            await asyncio.sleep(every)

    async def reload(self) -> None:
        """Read every source again, whatever becomes of one."""
        async with self._one_at_a_time:
            self._notifier.send(*reloading(), status("Reads its files again."))
            for name, read in self._sources.items():
                try:
                    found = read()
                    if inspect.isawaitable(found):
                        await found
                except Exception:
                    log.exception("%s: could not be read again", name)
            log.info("read again: %s", ", ".join(self._sources))
            self.ready()
