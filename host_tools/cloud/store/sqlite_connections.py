"""SQLite's connections as aiosqlite makes them: each has a thread, which tells the loop what it has done.

A task that is cancelled within a statement leaves a connection that SQLAlchemy drops: its thread finishes the
statement, closes the file, and nobody waits for it. Whoever closes the database does, or the loop would be
closed before the thread could tell.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from functools import partial
from typing import Any

from aiosqlite import Connection

ROWS_AT_ONCE = 64  # of aiosqlite's own iteration, which nobody here uses; its default
END_S = 10  # a statement here takes milliseconds

log = logging.getLogger("cloud.store")


class SqliteConnections:
    """`connect` is what an engine takes as `async_creator_fn`."""

    def __init__(self) -> None:
        self._ending: set[asyncio.Future[Any]] = set()

    def connect(self, path: str, **options: Any) -> Connection:
        return _Owned(self._ending, partial(sqlite3.connect, path, **options))

    async def ended(self) -> None:
        """Until every thread has closed its file."""
        if self._ending:
            _, late = await asyncio.wait(set(self._ending), timeout=END_S)
            if late:
                log.warning("%d connections to the database do not end", len(late))


class _Owned(Connection):
    def __init__(self, ending: set[asyncio.Future[Any]], connector: partial[sqlite3.Connection]):
        super().__init__(connector, ROWS_AT_ONCE)
        self._ending = ending
        self._thread.daemon = True  # as SQLAlchemy has it: one that hangs must not keep the process

    def stop(self) -> asyncio.Future[Any] | None:
        """Of every connection the last thing, also of one whose opening was cancelled."""
        future = super().stop()
        if future is not None and not future.get_loop().is_closed():
            self._ending.add(future)
            future.add_done_callback(self._ending.discard)
        return future
