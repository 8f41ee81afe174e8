"""aiosqlite for brief transactions: a statement runs where it is asked, and only what may wait in the thread.

To begin waits for another writer, to commit for the disk. In between, a statement by an index takes some ten
microseconds, and would take ten times as many with its way to a thread and back.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import aiosqlite

ROWS_AT_ONCE = 64


class NearConnection(aiosqlite.Connection):
    async def _execute(self, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        waits_for_nobody = fn in (self._conn.cursor, self._conn.rollback)
        if waits_for_nobody or (_of_cursor(fn) and not _begins(args)):
            return fn(*args, **options)
        work = asyncio.ensure_future(super()._execute(fn, *args, **options))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])  # else the loop would wait, at the connection's own lock
            raise


def _of_cursor(fn: Callable[..., Any]) -> bool:
    return isinstance(getattr(fn, "__self__", None), sqlite3.Cursor)


def _begins(args: tuple[Any, ...]) -> bool:
    return bool(args) and isinstance(args[0], str) and args[0].startswith("BEGIN")


async def connect(path: str) -> aiosqlite.Connection:
    """Its thread and the loop take turns: what one was asked has ended before the other is."""
    connection = NearConnection(lambda: sqlite3.connect(path, check_same_thread=False), ROWS_AT_ONCE)
    connection._thread.daemon = True  # as SQLAlchemy has it: a process that was not closed still ends
    return await connection
