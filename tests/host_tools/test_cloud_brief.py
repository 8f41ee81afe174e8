"""Brief transactions (store/brief.py) keep the promises of every other, and leave the loop only to wait."""

import asyncio
import threading

import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import DBAPIError

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.throttle import LIMITS
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.store import database as databases
from host_tools.cloud.store.brief import _built
from host_tools.cloud.store.database import Database, is_held_up
from host_tools.cloud.store.models import SignUp
from host_tools.cloud.store.secret_box import SecretBox
from tests.host_tools.cloud_rig import PATIENCE_S, Clock, database_url

COUNT = text("SELECT count(*) FROM throttles")
INSERT = text("INSERT INTO throttles VALUES (:key, :due_at)")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "BUSY_TIMEOUT_MS", 30_000)
    database = Database(database_url(tmp_path, request.param))
    await database.migrate()
    yield database
    await database.close()


async def keys_of(database):
    async with database.read() as session:
        return sorted(await session.scalars(text("SELECT key FROM throttles")))


async def test_brief_and_other_writers_at_once_wait_for_each_other_and_lose_nothing(database):
    async def add(index):
        async with (database.brief if index % 2 else database.write)() as session:
            taken = await session.scalar(COUNT)
            await session.execute(INSERT, {"key": f"k{index}", "due_at": taken})

    await asyncio.gather(*(add(index) for index in range(20)))
    async with database.read() as session:
        seen = await session.scalars(text("SELECT due_at FROM throttles"))
        assert sorted(seen) == list(range(20))


async def test_what_fails_midway_leaves_nothing(database):
    with pytest.raises(LookupError):
        async with database.brief() as session:
            await session.execute(INSERT, {"key": "k", "due_at": 1.0})
            raise LookupError
    with pytest.raises(DBAPIError):
        async with database.brief() as session:
            await session.execute(INSERT, {"key": "l", "due_at": 1.0})
            await session.execute(INSERT, {"key": "l", "due_at": 1.0})
    async with database.brief() as session:
        await session.execute(INSERT, {"key": "m", "due_at": 1.0})
    assert await keys_of(database) == ["m"]


async def test_one_that_is_cancelled_midway_leaves_nothing_and_holds_nobody_up(database):
    begun = asyncio.Event()

    async def never_end():
        async with database.brief() as session:
            await session.execute(INSERT, {"key": "k", "due_at": 1.0})
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(never_end())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    async with database.write() as session:
        await session.execute(INSERT, {"key": "l", "due_at": 1.0})
    assert await keys_of(database) == ["l"]


async def test_one_that_is_cancelled_while_it_waits_touches_nothing(database):
    async def wait_for_the_turn():
        async with database.brief() as session:
            await session.execute(INSERT, {"key": "never", "due_at": 1.0})

    async with database.write() as writer:
        await writer.execute(INSERT, {"key": "k", "due_at": 1.0})
        tasks = [asyncio.ensure_future(wait_for_the_turn()) for _ in range(2)]
        for _ in range(10):  # one asks for the lock, one for its turn
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    async with database.brief() as session:
        await session.execute(INSERT, {"key": "l", "due_at": 1.0})
    assert await keys_of(database) == ["k", "l"]


async def test_one_that_is_cancelled_while_it_commits_ends_before_the_next_begins(tmp_path):
    database, committing, go_on = (
        Database(database_url(tmp_path, "sqlite")),
        asyncio.Event(),
        threading.Event(),
    )
    await database.migrate()
    loop = asyncio.get_running_loop()

    def trace(sql):
        if sql == "COMMIT":
            loop.call_soon_threadsafe(committing.set)
            go_on.wait(PATIENCE_S)

    async def add(key):
        async with database.brief() as session:
            await session.execute(INSERT, {"key": key, "due_at": 1.0})

    await add("k")
    database._near._connection.set_trace_callback(trace)
    first = asyncio.ensure_future(add("l"))
    await committing.wait()
    second = asyncio.ensure_future(add("m"))
    first.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not first.done() and not second.done()
    go_on.set()
    await asyncio.wait([first, second])
    assert first.cancelled() and await keys_of(database) == ["k", "l", "m"]
    await database.close()


async def test_on_sqlite_only_to_commit_does_it_leave_the_loop(tmp_path):
    database, here = Database(database_url(tmp_path, "sqlite")), threading.get_ident()
    await database.migrate()
    async with database.brief() as session:
        await session.scalar(COUNT)
    seen = []
    raw = database._near._connection
    raw.set_trace_callback(lambda sql: seen.append((sql.split()[0], threading.get_ident() == here)))
    async with database.brief() as session:
        await session.execute(INSERT, {"key": "k", "due_at": 1.0})
        await session.scalar(COUNT)
    assert seen == [("BEGIN", True), ("INSERT", True), ("SELECT", True), ("COMMIT", False)]
    pragmas = [
        raw.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "foreign_keys", "journal_mode")
    ]
    assert pragmas == [2, 1, "wal"]  # 2: FULL, what was answered is on the disk
    await database.close()


@pytest.mark.parametrize("wait", ["for another process", "for its turn"])
async def test_who_waits_too_long_is_told_so_once_for_all_who_wait(tmp_path, monkeypatch, wait):
    monkeypatch.setattr(databases, "BUSY_TIMEOUT_MS", 50)
    database = Database(database_url(tmp_path, "sqlite"))
    await database.migrate()

    async def add(key):
        async with database.brief() as session:
            await session.execute(INSERT, {"key": key, "due_at": 1.0})

    async with database.write() if wait == "for another process" else database.brief() as writer:
        await writer.execute(INSERT, {"key": "k", "due_at": 1.0})
        ended = await asyncio.gather(*(add(f"k{index}") for index in range(5)), return_exceptions=True)
    assert [is_held_up(end) for end in ended] == [True] * 5
    assert await keys_of(database) == ["k"]
    await database.close()


def test_a_statement_whose_values_sqlite_keeps_otherwise_is_refused():
    taken = SignUp.metadata.tables["sign_ups"].c.taken
    for statement in (select(taken), select(COUNT).where(taken == bindparam("taken"))):
        with pytest.raises(TypeError, match="taken"):
            _built(statement, ())
    with pytest.raises(TypeError, match="names"):
        _built(select(COUNT).where(taken.in_(bindparam("names", expanding=True))), ())


async def test_attempts_at_once_are_counted_one_by_one(database):
    turnstile = Turnstile(database, SecretBox(b"m" * 32), Clock())

    async def take():
        await turnstile.take("claim", account="a", address="192.0.2.1")

    ended = await asyncio.gather(*(take() for _ in range(15)), return_exceptions=True)
    let_in = [end for end in ended if end is None]
    assert len(let_in) == LIMITS["claim.account"].burst
    assert all(isinstance(end, ThrottledError) for end in ended if end is not None)
