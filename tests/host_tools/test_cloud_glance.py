"""Glances (store/glance.py): what every page asks, read from the database each time; none changes it."""

import sqlite3

import pytest
from sqlalchemy import bindparam, delete, inspect, select, update
from sqlalchemy.exc import DBAPIError, StatementError

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance, SqliteReader
from host_tools.cloud.store.models import Account, Session, SignUp, Throttle
from tests.host_tools.cloud_rig import database_url

ALL_OF = Glance(
    select(Session, Account)
    .join(Account, Account.id == Session.account_id)
    .where(Account.email == bindparam("email"), Session.expires_at > 5)
)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    database = Database(database_url(tmp_path, request.param))
    await database.migrate()
    async with database.write() as session:
        session.add(_account())
        await session.flush()
        session.add(_session())
    yield database
    await database.close()


def _account():
    return Account(
        id="a", email="ada@example.org", first_name="Ada", last_name="Bell", country="BE", password_hash="",
        terms_version="1", created_at=1.0,
    )  # fmt: skip


def _session():
    return Session(
        id="s", token_hash="t", account_id="a", address="", browser="", browser_hash="b", created_at=1.0,
        acted_at=2.0, expires_at=9.0, enrolment=b"sealed",
    )  # fmt: skip


async def test_the_models_are_those_that_a_closed_session_leaves(database):
    [(session, account)] = await database.glance(ALL_OF, email="ada@example.org")
    async with database.read() as reader:
        loaded = [await reader.get_one(Session, "s"), await reader.get_one(Account, "a")]
    for glanced, ours in zip((session, account), loaded, strict=True):
        columns = inspect(type(ours)).column_attrs.keys()
        assert {key: getattr(glanced, key) for key in columns} == {key: getattr(ours, key) for key in columns}
        assert inspect(glanced).detached and inspect(glanced).identity == inspect(ours).identity
    assert account.name == "Ada Bell"


async def test_a_glance_sees_what_was_committed_before_it(database):
    await database.glance(ALL_OF, email="ada@example.org")
    async with database.write() as writer:
        await writer.execute(update(Account).values(last_name="Bellows"))
        [(_, before)] = await database.glance(ALL_OF, email="ada@example.org")
    [(_, after)] = await database.glance(ALL_OF, email="ada@example.org")
    assert (before.last_name, after.last_name) == ("Bell", "Bellows")


async def test_a_glance_sees_what_another_process_has_committed(database):
    await database.glance(ALL_OF, email="ada@example.org")
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with other.write() as writer:
        await writer.execute(delete(Session))
    await other.close()
    assert await database.glance(ALL_OF, email="ada@example.org") == []


async def test_a_glance_waits_for_no_writer(database):
    async with database.write() as writer:
        await writer.execute(delete(Session))
        assert len(await database.glance(ALL_OF, email="ada@example.org")) == 1


async def test_a_glance_without_its_value_is_an_error_and_not_an_empty_answer(database):
    with pytest.raises((sqlite3.ProgrammingError, DBAPIError, StatementError)):
        await database.glance(ALL_OF)


async def test_the_reader_of_glances_can_change_nothing(tmp_path):
    database = Database(database_url(tmp_path, "sqlite"))
    await database.migrate()
    await database.close()
    reader = SqliteReader(str(tmp_path / "cloud.db"))
    reader.read(Glance(select(Throttle)), {})
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM throttles")
    reader.close()


def test_a_model_whose_values_sqlite_keeps_otherwise_is_refused():
    with pytest.raises(TypeError, match="taken"):
        Glance(select(SignUp))
