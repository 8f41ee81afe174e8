"""The schema and its migrations, transactions, secrets at rest, and the files of the data directory."""

import asyncio
import sqlite3
import stat
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography import x509
from cryptography.fernet import InvalidToken
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from host_tools.cloud import certificates, files, tasks
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Base, Session
from host_tools.cloud.store.secret_box import SecretBox
from host_tools.errors import ToolError
from tests.host_tools.cloud_rig import PATIENCE_S, Rig, database_url

EVERY_NAME = {"localhost", "127.0.0.1", "10.0.2.2", "cloud.gatelodge.internal"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    database = Database(database_url(tmp_path, request.param))
    await database.migrate()
    yield database
    await database.close()


async def everything_in(database):
    async with database.read() as session:
        rows = [row for table in Base.metadata.sorted_tables for row in await session.execute(table.select())]
    return repr(rows).encode()


def names_of(path):
    found = x509.load_pem_x509_certificate(path.read_bytes())
    alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(alternative.value) for alternative in alternatives}


async def test_migrations_make_from_nothing_what_the_models_say(database):
    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_no_index_is_the_beginning_of_another_one():
    """Each costs something with every row that is written."""
    for table in Base.metadata.sorted_tables:
        whole = {index.name: list(index.columns.keys()) for index in table.indexes if not is_partial(index)}
        shared = {index.name for index in table.indexes if not index.unique} & whole.keys()
        for name in shared:
            for other, columns in whole.items():
                assert other == name or columns[: len(whole[name])] != whole[name], (name, other)


def is_partial(index):
    return any(index.dialect_options[name]["where"] is not None for name in ("sqlite", "postgresql"))


async def test_migrating_again_changes_nothing(database):
    await database.migrate()
    async with database.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    assert set(Base.metadata.tables) < set(tables)


async def test_an_error_of_the_database_tells_no_value(database):
    with pytest.raises(IntegrityError) as raised:
        async with database.write() as session:
            session.add(Account(id="a", email="ada@example.org", password_hash="a secret"))
    assert "accounts" in str(raised.value)
    assert "a secret" not in str(raised.value) and "ada@" not in str(raised.value)


async def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path):
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/absent/cloud.db")
    with pytest.raises(ToolError) as raised:
        await database.migrate()
    assert raised.value.remedy
    await database.close()


@pytest.mark.parametrize(
    "url", ["nosuch+driver://host/name", "mysql+pymysql://host/name", "sqlite+nosuch:///x"]
)
def test_a_database_without_its_driver_is_one_sentence(url):
    with pytest.raises(ToolError, match=r"sqlite\+aiosqlite:///FILE"):
        Database(url)


async def test_a_server_that_is_away_is_one_sentence(tmp_path):
    database = Database(f"postgresql+asyncpg:///cloud?host={tmp_path}")
    with pytest.raises(ToolError) as raised:
        await database.migrate()
    assert raised.value.remedy
    await database.close()


async def test_sqlite_keeps_foreign_keys_and_a_write_ahead_log(tmp_path):
    database = Database(database_url(tmp_path, "sqlite"))
    async with database.engine.connect() as connection:
        values = [
            await connection.scalar(text(f"PRAGMA {name}")) for name in ("foreign_keys", "journal_mode")
        ]
    await database.close()
    assert values == [1, "wal"]


async def test_a_reader_sees_one_moment_and_can_change_nothing(database):
    count = text("SELECT count(*) FROM throttles")
    insert = text("INSERT INTO throttles VALUES ('k', 0)")
    async with database.read() as reader:
        before = await reader.scalar(count)
        async with database.write() as writer:
            await writer.execute(insert)
        assert await reader.scalar(count) == before == 0
    if database.engine.dialect.name == "postgresql":  # SQLite's reader may write; no code of ours commits it
        with pytest.raises(DBAPIError, match="read-only"):
            async with database.read() as reader:
                await reader.execute(insert)


async def test_a_connection_that_nobody_waits_for_ends_with_the_database(tmp_path, monkeypatch):
    """A task is cancelled while its connection's thread opens the file: the thread tells the loop of it."""
    opening, go_on, opened, connect = threading.Event(), threading.Event(), [], sqlite3.connect

    def slow(*args, **options):
        opening.set()
        assert go_on.wait(PATIENCE_S)
        opened.append(connect(*args, **options))
        return opened[0]

    async def read():
        async with database.read() as session:
            await session.execute(text("SELECT 1"))

    database = Database(database_url(tmp_path, "sqlite"))
    monkeypatch.setattr(sqlite3, "connect", slow)
    work = asyncio.create_task(read())
    assert await asyncio.to_thread(opening.wait, PATIENCE_S)
    work.cancel()
    await asyncio.wait([work])
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    await database.close()
    assert len(opened) == 1


async def test_a_writer_that_waits_too_long_for_another_is_told(database):
    async with database.write() as first:
        await first.execute(text("INSERT INTO throttles VALUES ('k', 0)"))
        with pytest.raises(DBAPIError, match="lock"):
            async with database.write() as second:
                await second.execute(text("INSERT INTO throttles VALUES ('l', 0)"))
    async with database.read() as reader:
        assert list(await reader.scalars(text("SELECT key FROM throttles"))) == ["k"]


async def test_writers_at_once_wait_for_each_other_and_lose_nothing(database):
    async def add(index):
        async with database.write() as session:
            taken = await session.scalar(text("SELECT count(*) FROM throttles"))
            await session.execute(text(f"INSERT INTO throttles VALUES ('k{index}', {taken})"))

    await asyncio.gather(*(add(index) for index in range(20)))
    async with database.read() as session:
        seen = await session.scalars(text("SELECT due_at FROM throttles"))
        assert sorted(seen) == list(range(20))


async def test_tokens_and_authenticator_keys_are_not_in_the_database(tmp_path):
    async with Rig(tmp_path) as rig:
        browser = rig.browser()
        await browser.join()
        totp, _ = await browser.enrol()
        secrets = [cookie.value for cookie in browser._session.cookie_jar] + [totp.secret]
        content = await everything_in(rig.parts.database)
    content += b"".join(path.read_bytes() for path in tmp_path.glob("cloud.db*"))
    assert b"ada@example.org" in content
    assert [secret for secret in secrets if secret.encode() in content] == []


async def test_ending_an_account_ends_its_sessions(tmp_path):
    async with Rig(tmp_path) as rig:
        await rig.browser().join()
        async with rig.parts.database.write() as session:
            await session.execute(Account.__table__.delete())
        async with rig.parts.database.read() as session:
            assert list(await session.scalars(Session.__table__.select())) == []


def test_what_was_sealed_opens_with_its_own_key_only():
    sealed = SecretBox(b"a" * 32).seal("a key")
    assert SecretBox(b"a" * 32).open(sealed) == "a key"
    with pytest.raises(InvalidToken):
        SecretBox(b"b" * 32).open(sealed)


def test_a_keyed_hash_of_one_purpose_is_not_that_of_another():
    box = SecretBox(b"a" * 32)
    assert box.keyed_hash("csrf", "x", "y") != box.keyed_hash("code", "x", "y")
    assert box.keyed_hash("csrf", "x", "y") != box.keyed_hash("csrf", "xy", "")


def test_the_certificates_bear_every_name_by_which_the_cloud_is_reached(tmp_path):
    made = certificates.load_or_create(tmp_path, ("account.example.org",))
    for pair in (made.portal, made.devices):
        assert names_of(pair.certificate) == EVERY_NAME | {"account.example.org"}


def test_routers_see_a_certificate_older_than_any_firmware(tmp_path):
    made = certificates.load_or_create(tmp_path)
    for path in (made.ca, made.devices.certificate):
        assert x509.load_pem_x509_certificate(path.read_bytes()).not_valid_before_utc.year == 2024


def test_certificates_are_kept_until_a_name_is_missing(tmp_path):
    first = certificates.load_or_create(tmp_path).portal.certificate.read_bytes()
    ca = (tmp_path / "cloud-ca.pem").read_bytes()
    assert certificates.load_or_create(tmp_path).portal.certificate.read_bytes() == first
    assert (
        certificates.load_or_create(tmp_path, ("new.example.org",)).portal.certificate.read_bytes() != first
    )
    assert (tmp_path / "cloud-ca.pem").read_bytes() == ca


def test_keys_are_readable_by_their_owner_alone(tmp_path):
    certificates.load_or_create(tmp_path)
    files.master_key(tmp_path / "secrets.key")
    secret = [*tmp_path.glob("*.key")]
    assert len(secret) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_a_damaged_master_key_is_one_sentence(tmp_path):
    (tmp_path / "secrets.key").write_bytes(b"short")
    with pytest.raises(ToolError):
        files.master_key(tmp_path / "secrets.key")


async def test_a_worker_that_failed_begins_again(monkeypatch):
    monkeypatch.setattr(tasks, "AGAIN_S", 0)
    begun, again = [], asyncio.Event()

    async def work():
        begun.append(len(begun))
        if len(begun) > 1:
            again.set()
        raise RuntimeError("the database is away")

    owner = tasks.Tasks("test")
    owner.keep(work, "work")
    await asyncio.wait_for(again.wait(), 10)
    await owner.close()
    assert begun[:2] == [0, 1]


async def test_a_worker_that_misses_its_first_cancellation_ends_with_the_next(monkeypatch):
    monkeypatch.setattr(tasks, "CLOSE_AGAIN_S", 0.01)
    begun, missed = asyncio.Event(), []

    async def work():
        begun.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            missed.append(True)
        await asyncio.sleep(3600)

    owner = tasks.Tasks("test")
    owner.start(work(), "work")
    await begun.wait()
    async with asyncio.timeout(PATIENCE_S):
        await owner.close()
    assert missed == [True]
