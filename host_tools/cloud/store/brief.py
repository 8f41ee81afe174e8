"""Brief transactions: a few statements by an index, each built once, on a connection of their own.

On SQLite they run where they are asked: that takes some ten microseconds, a thread and back ten times as
many, and SQLAlchemy's session around them more than both. Only the commit, which waits for the disk, goes to
a thread; who waits for another process asks again, and everybody else is served meanwhile. On PostgreSQL it
is a connection of SQLAlchemy's.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Executable, Float
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler

SQLITE = sqlite.dialect(paramstyle="named")
STATEMENTS_MAX = 256  # more than there are: one that is built anew each time must not fill the memory
ASK_AGAIN_S = 0.002
BEGIN = "BEGIN IMMEDIATE"

Values = Mapping[str, Any]


class Transaction(Protocol):
    """What a brief transaction has in common with a session: functions that take one take either."""

    async def execute(self, statement: Any, values: Any = None, /) -> Any: ...

    async def scalar(self, statement: Any, values: Any = None, /) -> Any: ...


class Rows(list[tuple[Any, ...]]):
    """What a statement found, as far as it is asked here."""

    def all(self) -> list[tuple[Any, ...]]:
        return self

    def one(self) -> tuple[Any, ...]:
        if len(self) > 1:
            raise MultipleResultsFound
        if not self:
            raise NoResultFound
        return self[0]


class NearTransaction:
    """Of SQLite, on the loop. An error is SQLAlchemy's, and names no value."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection

    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None, /
    ) -> Rows:
        """values: of one, or of several in turn."""
        several = [values or {}] if values is None or isinstance(values, Mapping) else values
        sql, own = _built(statement, tuple(several[0]))
        bound = [{**own, **each} for each in several]
        try:
            if len(bound) > 1:  # which no statement that finds rows may have
                return Rows(self._connection.executemany(sql, bound))
            return Rows(self._connection.execute(sql, bound[0]))
        except sqlite3.Error as error:
            raise told(error, sql) from error

    async def scalar(self, statement: Executable, values: Values | None = None, /) -> Any:
        """The first row's first value; None where there is no row."""
        rows = await self.execute(statement, values)
        return rows[0][0] if rows else None


class NearWriter:
    """One connection for all brief transactions of this process, which take turns (turns.py)."""

    def __init__(self, path: str, pragmas: Iterable[str]):
        self._path = path
        self._pragmas = pragmas
        self._thread = ThreadPoolExecutor(1, "commit")
        self._connection: sqlite3.Connection | None = None

    @asynccontextmanager
    async def begin(self, deadline: float) -> AsyncIterator[NearTransaction]:
        """For one at a time. deadline: by the loop's time, when another process must have ended its own.

        Raises DBAPIError; "database is locked" where it has not.
        """
        connection = self._connection = self._connection or self._opened()
        await self._begun(connection, deadline)
        try:
            yield NearTransaction(connection)
            await self._committed(connection)
        finally:
            if connection.in_transaction:
                connection.rollback()

    def close(self) -> None:
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        # timeout: the loop waits for nobody.
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            connection.close()
            raise told(error, "PRAGMA") from error
        return connection

    async def _begun(self, connection: sqlite3.Connection, deadline: float) -> None:
        while True:
            try:
                connection.execute(BEGIN)
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # the rest of it says why
                if not busy or asyncio.get_running_loop().time() >= deadline:
                    raise told(error, BEGIN) from error
            else:
                return
            await asyncio.sleep(ASK_AGAIN_S)

    async def _committed(self, connection: sqlite3.Connection) -> None:
        work = asyncio.get_running_loop().run_in_executor(self._thread, connection.execute, "COMMIT")
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():  # else the next one would begin within it
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([work])
            raise
        except sqlite3.Error as error:
            raise told(error, "COMMIT") from error


def told(error: sqlite3.Error, sql: str) -> BaseException:
    """The error as SQLAlchemy would raise it."""
    return DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True, dialect=SQLITE)


@lru_cache(STATEMENTS_MAX)
def _built(statement: Executable, names: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Its SQL, and the values that it has of its own. names: of the values that it is given.

    Raises TypeError where a value is kept otherwise than it is given: nobody would turn it here.
    """
    compiled: SQLCompiler = statement.compile(dialect=SQLITE, column_keys=list(names))  # type: ignore[attr-defined]
    for bind in compiled.binds.values():
        # Of a Float SQLAlchemy would make a float; here the column does, by its affinity.
        kept_otherwise = bind.type.dialect_impl(SQLITE).bind_processor(SQLITE) is not None
        if bind.expanding or (kept_otherwise and not isinstance(bind.type, Float)):
            raise TypeError(f"a brief transaction cannot bind {bind.key}")
    for column in compiled._result_columns:
        if column.type.dialect_impl(SQLITE).result_processor(SQLITE, None) is not None:
            raise TypeError(f"a brief transaction cannot read {column.name}")
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise TypeError("a brief transaction knows no defaults: give every value")
    return str(compiled), {
        key: value for key, value in compiled.params.items() if not compiled.binds[key].required
    }
