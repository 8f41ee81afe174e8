"""On PostgreSQL the cloud serves under a role that owns nothing: rows it may, the schema it may not."""

import asyncio
import time

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import ProgrammingError

from host_tools import cli, exit_codes
from host_tools.cloud.pruning import prune
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Event
from host_tools.errors import ToolError
from tests.host_tools.cloud_rig import PATIENCE_S, Rig, database_url
from tests.host_tools.postgresql_rig import ROLE, as_role, fresh_database

OLD = {"account_id": "a", "kind": "signed_in", "about": "", "address": "", "browser": ""}


async def migrate(folder, owner, *options):
    key_ring.secret_box(folder, 1.0)  # a data directory
    words = ["cloud", "migrate", "--data", str(folder), "--database", owner, *options]
    return await asyncio.to_thread(cli.main, words)


@pytest.fixture
async def owner(tmp_path):
    """The owner's URL of a database that was made ready for the role."""
    owner = database_url(tmp_path / "of-the-owner", "postgresql")
    assert await migrate(tmp_path, owner, "--serving-role", ROLE) == exit_codes.OK
    return owner


async def test_v13_2_2_the_role_that_serves_has_rows_and_no_schema(tmp_path, owner):
    async with Rig(tmp_path, database_url=as_role(owner)) as rig:
        ada = rig.browser()
        await ada.join()
        await ada.enrol()
        assert (await rig.browser().sign_in()).path == "/sign-in/code"
        await rig.own_router("GL-0001", ada)
        await rig.parts.push_keys.load()
        await prune(rig.parts)
        assert "Account created" in (await ada.get("/security/sessions")).text


REFUSED = (
    "DROP TABLE accounts", "ALTER TABLE accounts ADD COLUMN x int", "CREATE TABLE x (y int)",
    "TRUNCATE sessions", "UPDATE events SET kind = 'x'", "DELETE FROM events", "TRUNCATE events",
    "ALTER TABLE events DISABLE TRIGGER ALL", "DROP TRIGGER events_kept ON events",
    "CREATE OR REPLACE FUNCTION events_guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "UPDATE alembic_version SET version_num = 'x'", "SET SESSION AUTHORIZATION postgres", "CREATE ROLE x",
)  # fmt: skip


async def test_what_changes_the_schema_or_the_log_is_refused(owner):
    serving = Database(as_role(owner))
    for statement in REFUSED:
        with pytest.raises(ProgrammingError) as refused:
            async with serving.write() as session:
                await session.execute(text(statement))
        assert refused.value.orig.sqlstate == "42501", statement
    await serving.close()


async def test_the_owner_drops_what_is_over_a_year_old_and_who_serves_does_not(tmp_path, owner, capsys):
    async with Rig(tmp_path, database_url=as_role(owner)) as rig:
        async with rig.parts.database.write() as session:
            await session.execute(insert(Event), [{**OLD, "at": 1.0}, {**OLD, "at": time.time()}])
        await rig.parts.events.prune(time.time())
        assert await events(rig.parts.database) == 2
        words = ["cloud", "prune", "--data", str(tmp_path), "--database", owner]
        assert await asyncio.wait_for(asyncio.to_thread(cli.main, words), PATIENCE_S) == exit_codes.OK
        assert await events(rig.parts.database) == 1


async def events(database):
    async with database.read() as session:
        return len(list(await session.scalars(select(Event.id).where(Event.account_id == "a"))))


async def test_an_older_schema_is_one_sentence_for_the_role_that_serves(owner):
    old = Database(owner)
    async with old.write() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0027'"))
    await old.close()
    serving = Database(as_role(owner))
    with pytest.raises(ToolError, match="may not change it"):
        await serving.migrate()
    await serving.close()


async def test_an_empty_database_is_one_sentence_for_the_role_that_serves():
    serving = Database(as_role(fresh_database()))
    with pytest.raises(ToolError, match="may not change it"):
        await serving.migrate()
    await serving.close()


@pytest.mark.parametrize("role, why", [("nobody_here", "there is no role"), ("postgres", "owns the tables")])
async def test_a_role_that_is_none_or_too_mighty_is_refused(tmp_path, owner, capsys, role, why):
    role = owner.partition("//")[2].partition("@")[0] if role == "postgres" else role
    assert await migrate(tmp_path, owner, "--serving-role", role) == exit_codes.USAGE
    assert why in capsys.readouterr().err


@pytest.mark.parametrize("thing", ["TABLE accounts", "SEQUENCE of_theirs", "SCHEMA public"])
async def test_a_role_that_owns_a_part_of_it_is_refused(tmp_path, owner, capsys, thing):
    """As after an update of a cloud whose tables the serving role made."""
    database = Database(owner)
    async with database.write() as session:
        await session.execute(text("CREATE SEQUENCE of_theirs"))
        await session.execute(text(f"ALTER {thing} OWNER TO {ROLE}"))
    await database.close()
    assert await migrate(tmp_path, owner, "--serving-role", ROLE) == exit_codes.USAGE
    assert "owns the tables" in capsys.readouterr().err


async def test_sqlite_knows_no_roles(tmp_path, capsys):
    owner = f"sqlite+aiosqlite:///{tmp_path}/cloud.db"
    assert await migrate(tmp_path, owner, "--serving-role", ROLE) == exit_codes.USAGE
    assert "knows no roles" in capsys.readouterr().err
