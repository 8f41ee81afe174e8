"""Brief transactions (store/near.py) keep the promises of every other, and leave the loop only to wait."""

import asyncio
import threading

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.throttle import LIMITS
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.store import database as databases
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.secret_box import SecretBox
from tests.host_tools.cloud_rig import Clock, database_url

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


async def test_one_that_is_cancelled_while_it_waits_touches_nothing_before_its_turn(tmp_path):
    database, begins = Database(database_url(tmp_path, "sqlite")), asyncio.Event()
    await database.migrate()
    event.listen(database._near.sync_engine, "before_cursor_execute", lambda *_: begins.set())

    async def wait_for_the_turn():
        async with database.brief() as session:
            await session.scalar(COUNT)

    async with database.write() as writer:
        await writer.execute(INSERT, {"key": "k", "due_at": 1.0})
        task = asyncio.ensure_future(wait_for_the_turn())
        await begins.wait()
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
    await asyncio.wait([task])
    assert task.cancelled()
    async with database.brief() as session:
        await session.execute(INSERT, {"key": "l", "due_at": 1.0})
    assert await keys_of(database) == ["k", "l"]
    await database.close()


async def test_on_sqlite_only_to_begin_and_to_end_does_it_leave_the_loop(tmp_path):
    database, here = Database(database_url(tmp_path, "sqlite")), threading.get_ident()
    await database.migrate()
    seen = []
    async with database.brief() as session:
        raw = (await (await session.connection()).get_raw_connection()).driver_connection
        raw._conn.set_trace_callback(lambda sql: seen.append((sql.split()[0], threading.get_ident() == here)))
    seen.clear()
    async with database.brief() as session:
        await session.execute(INSERT, {"key": "k", "due_at": 1.0})
        await session.scalar(COUNT)
    await database.close()
    assert seen == [("BEGIN", False), ("INSERT", True), ("SELECT", True), ("COMMIT", False)]


async def test_attempts_at_once_are_counted_one_by_one(database):
    turnstile = Turnstile(database, SecretBox(b"m" * 32), Clock())

    async def take():
        await turnstile.take("claim", account="a", address="192.0.2.1")

    ended = await asyncio.gather(*(take() for _ in range(15)), return_exceptions=True)
    let_in = [end for end in ended if end is None]
    assert len(let_in) == LIMITS["claim.account"].burst
    assert all(isinstance(end, ThrottledError) for end in ended if end is not None)
