"""Transactions over SQLite (by default) or PostgreSQL.

A reader sees one moment, a writer is alone from its start.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVarTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from host_tools import exit_codes
from host_tools.cloud.store import grants, postgresql_connections
from host_tools.cloud.store.brief import NearWriter, Transaction, told
from host_tools.cloud.store.glance import Glance, SqliteReader
from host_tools.cloud.store.outage import Outage
from host_tools.cloud.store.sqlite_connections import SqliteConnections
from host_tools.cloud.store.turns import Turns
from host_tools.errors import ToolError

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_TIMEOUT_MS = 5000  # a writer waits for another this long; a transaction here takes a few milliseconds
STATEMENT_TIMEOUT_MS = 30_000  # a migration may copy a table
WRITERS_LOCK = 0x67617465  # any number, the same in every process of the cloud
URLS = "use sqlite+aiosqlite:///FILE or postgresql+asyncpg://HOST/NAME"
PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL")
WRITING = "gatelodge_writing"
GLANCE = "gatelodge_glance"

Models = TypeVarTuple("Models")


class Database:
    """`async with database.read() as session` or `.write()`, which commits at its end."""

    def __init__(self, url: str):
        self._connections = SqliteConnections()
        self.engine = _create_engine(url, self._connections)
        self._writing = self.engine.execution_options(**{WRITING: True})
        self._glancing = self.engine.execution_options(**{GLANCE: True})
        {"sqlite": _prepare_sqlite, "postgresql": _prepare_postgresql}[self.engine.dialect.name](self.engine)
        self._reader = _reader(self.engine)
        self._near = _near(self.engine)
        self._turns = Turns(BUSY_TIMEOUT_MS / 1000)
        self.outage = Outage(patient=self._near is not None)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with (
            self.outage.watch(),
            AsyncSession(self.engine, expire_on_commit=False) as session,
        ):
            yield session

    async def glance(self, glance: Glance[*Models], **values: Any) -> list[tuple[*Models]]:
        """The rows of one SELECT, which sees one moment by itself: it costs no BEGIN beside it."""
        if self._reader is not None:
            return self._glanced(self._reader, glance, values)
        async with self.outage.watch(), self._glancing.connect() as connection:
            return glance.models(await connection.execute(glance.rows, values))

    def _glanced(
        self, reader: SqliteReader, glance: Glance[*Models], values: dict[str, Any]
    ) -> list[tuple[*Models]]:
        try:
            found = reader.read(glance, values)
        except sqlite3.Error as error:
            failed = told(error, glance.sql)
            self.outage.note(failed)
            raise failed from error
        self.outage.answered(writes=False)
        return found

    @asynccontextmanager
    async def write(self, *, long: bool = False) -> AsyncIterator[AsyncSession]:
        """long: it goes through a whole fleet or table, and nobody waits for a page meanwhile."""
        async with (
            self._turns.one(),
            self.outage.watch(writes=True, long=long),
            AsyncSession(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @asynccontextmanager
    async def brief(self) -> AsyncIterator[Transaction]:
        """As write(), for a few statements of tables by an index: see store/brief.py."""
        async with self._turns.one() as deadline:
            begun: AbstractAsyncContextManager[Transaction]
            begun = self._near.begin(deadline) if self._near is not None else self._writing.begin()
            async with self.outage.watch(writes=True), begun as transaction:
                yield transaction

    async def migrate(self) -> None:
        """Bring the schema to this release's version, in one transaction."""
        try:
            async with self._writing.begin() as connection:
                await connection.run_sync(_upgrade)
        except ProgrammingError as error:
            raise _not_ours(error) from error
        except (OperationalError, OSError) as error:
            raise ToolError(
                f"the database could not be opened ({_reason(error)})",
                "check --database, its server and the space on its disk",
                exit_codes.CLOUD_DID_NOT_START,
            ) from error

    async def grant(self, role: str) -> None:
        """What the role that serves needs (grants.py). Raises ToolError."""
        async with self._writing.begin() as connection:
            await connection.run_sync(grants.grant, role)

    async def may_delete(self, table: str) -> bool:
        async with self.engine.connect() as connection:
            return await connection.run_sync(grants.may_delete, table)

    async def revision(self) -> str:
        """The schema's number, "" before the first migration."""

        def current(connection: Connection) -> str:
            return MigrationContext.configure(connection).get_current_revision() or ""

        async with self.engine.connect() as connection:
            return await connection.run_sync(current)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        if self._near is not None:
            self._near.close()
        await asyncio.shield(self.engine.dispose())
        await self._connections.ended()


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")


def _create_engine(url: str, connections: SqliteConnections) -> AsyncEngine:
    if not url.startswith(("sqlite+", "postgresql+")):
        raise ToolError("this is no database that the cloud can keep its data in", URLS, exit_codes.USAGE)
    try:
        # An error names the statement, not its values: a log of it must hold no code, no link and no address.
        # Who finds every connection taken waits as for another writer, and is then told to come back.
        waits = {"pool_timeout": BUSY_TIMEOUT_MS / 1000}
        return create_async_engine(url, hide_parameters=True, **waits, **_options(url, connections))
    except (ImportError, NoSuchModuleError) as error:
        raise ToolError(
            f"the database's driver is missing ({error})",
            f"install it, or {URLS}",
            exit_codes.CLOUD_DID_NOT_START,
        ) from error


def _options(url: str, connections: SqliteConnections) -> dict[str, Any]:
    """Deadlines for a database that is a server: a connection may be gone, a lock may be held."""
    if not url.startswith("postgresql"):
        return {"connect_args": {"async_creator_fn": connections.connect}}
    limits = {"lock_timeout": BUSY_TIMEOUT_MS, "statement_timeout": STATEMENT_TIMEOUT_MS}
    limits["idle_in_transaction_session_timeout"] = STATEMENT_TIMEOUT_MS
    texts = {name: str(value) for name, value in limits.items()}
    return {"connect_args": {"async_creator_fn": postgresql_connections.connect, "server_settings": texts}}


def _reader(engine: AsyncEngine) -> SqliteReader | None:
    return SqliteReader(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def _near(engine: AsyncEngine) -> NearWriter | None:
    """For brief transactions; a database that is a server is asked as ever."""
    if engine.dialect.name != "sqlite":
        return None
    return NearWriter(engine.url.database or "", PRAGMAS)


def _prepare_postgresql(engine: AsyncEngine) -> None:
    """The promises of SQLite's transactions, also between processes.

    One lock for all writers, held to the end of the transaction, makes every "look, then change" of the
    cloud safe by construction instead of query by query. It costs concurrency that nobody needs: a
    transaction takes a few milliseconds, and argon2 runs outside.
    """

    event.listen(engine.sync_engine, "checkout", postgresql_connections.check_open)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(WRITING):
            # READ COMMITTED, the default: what the lock waited for is seen by the next statement.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
        elif not options.get(GLANCE):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """What PRAGMAS say, and transactions that begin where we say."""

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (*PRAGMAS, f"busy_timeout={BUSY_TIMEOUT_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock first: a reader that turned writer would fail where another wrote
        # between.
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def is_held_up(error: Exception) -> bool:
    """Whether others held the lock, or every connection, for too long: it may be tried again."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    lock_not_available = getattr(error.orig, "sqlstate", None) == "55P03"  # PostgreSQL, appendix A
    return lock_not_available or "database is locked" in str(error.orig)


def _not_ours(error: ProgrammingError) -> Exception:
    """What became of a migration under a role that may not change the schema (grants.py)."""
    if getattr(error.orig, "sqlstate", None) != "42501":  # insufficient_privilege: PostgreSQL, appendix A
        return error
    return ToolError(
        "the database has another release's schema, and this role may not change it",
        "run 'gatelodge cloud migrate --serving-role' under the role that owns its tables",
        exit_codes.CLOUD_DID_NOT_START,
    )


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", error))
