"""A factory's units come into the cloud, whole or not at all, and nothing else does."""

import asyncio
import json
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from host_tools import cli, exit_codes
from host_tools.cloud.routers.registry import RouterRegistry
from host_tools.cloud.store.database import Database
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.export import json_lines
from host_tools.factory.ledger import Ledger
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.revocation import revoke
from tests.host_tools.cloud_rig import database_url

CODES = ("0123456789ABCDEF9", "ZZZZZZZZZZZZZZZZ7", "1111222233334444A", "55556666777788882")


def unit(number, **changed):
    serial_number, code = f"GL2647{number:06}", CODES[number - 1]
    made = UnitRecord(serial_number, code, f"{number:064x}", "Lodge One", 1795281371, "", f"{number:x}")
    return made._replace(**changed)


@pytest.fixture
def factory(tmp_path):
    """Records of a factory with two routers."""
    records = Records(FactoryAuthority.create(tmp_path / "factory"))
    for number in (1, 2):
        records.finish(unit(number))
    return records


@pytest.fixture
def cloud(tmp_path, factory, capsys):
    """A callable that imports a file into one cloud, and returns (exit status, output, errors)."""
    own_key = tmp_path / "factory" / "service_code.key"

    def run(source=factory.ledger.path, key=own_key):
        status = cli.main(
            ["cloud", "import-devices", str(source), *run.options, "--service-code-key", str(key)]
        )
        return (status, *capsys.readouterr())

    run.data = tmp_path / "cloud"
    run.url = database_url(run.data)
    run.options = ["--data", str(run.data), "--database", run.url]
    return run


def routers(cloud, columns="serial_number"):
    """What the cloud has; nothing where its database was not begun."""

    async def read():
        database = Database(cloud.url)
        try:
            async with database.read() as session:
                query = text(f"SELECT {columns} FROM routers ORDER BY serial_number")
                return [tuple(row) for row in await session.execute(query)]
        except ProgrammingError:  # it has no tables
            return []
        finally:
            await database.close()

    if cloud.url.startswith("sqlite") and not cloud.data.exists():
        return []
    rows = asyncio.run(read())
    return [row[0] if len(row) == 1 else row for row in rows]


def export(factory, path):
    path.write_text("".join(json_lines(factory.ledger.entries())))
    return path


def test_a_ledger_is_imported_and_again_is_no_harm(cloud, factory):
    assert cloud()[:2] == (exit_codes.OK, "imported 2 routers, 0 were there\n")
    before = routers(cloud, "*")
    assert cloud()[:2] == (exit_codes.OK, "imported 0 routers, 2 were there\n")
    factory.finish(unit(3))
    assert cloud()[:2] == (exit_codes.OK, "imported 1 router, 2 were there\n")
    assert routers(cloud, "*")[:2] == before
    assert routers(cloud) == ["GL2647000001", "GL2647000002", "GL2647000003"]


def test_the_cloud_keeps_the_hash_and_no_secret(cloud, factory):
    cloud()
    columns = "serial_number, service_code_hash, certificate_fingerprint, model, made_at, owner_id"
    hashed = factory.finished("GL2647000001").fields["service_code_hash"]
    expected = ("GL2647000001", hashed, f"{1:064x}", "Lodge One", 1795281371.0, None)
    assert routers(cloud, columns)[0] == expected
    key = (cloud.data.parent / "factory/service_code.key").read_bytes()
    held = repr(routers(cloud, "*")).encode() + b"".join(path.read_bytes() for path in cloud.data.iterdir())
    assert hashed.encode() in held
    for secret in (CODES[0].encode(), CODES[1].encode(), key, key.hex().encode(), b"PRIVATE KEY"):
        assert secret not in held


@pytest.mark.parametrize("form", ["export", "devices.jsonl"])
def test_an_export_and_the_list_beside_the_bench_are_imported_too(cloud, factory, tmp_path, form):
    source = export(factory, tmp_path / "units.jsonl") if form == "export" else factory.path
    assert cloud(source)[0] == exit_codes.OK
    assert routers(cloud) == ["GL2647000001", "GL2647000002"]


def test_another_key_is_said(cloud, tmp_path):
    other = FactoryAuthority.create(tmp_path / "other").directory / "service_code.key"
    status, _, errors = cloud(key=other)
    assert status == exit_codes.CONFLICT
    assert "GL2647000001 that was hashed with another key; nothing was imported" in errors
    assert routers(cloud) == []


def test_a_record_that_does_not_name_its_key_is_refused(cloud, factory, tmp_path):
    record = json.loads(factory.path.read_text().splitlines()[0])
    del record["service_code_key_id"]
    (tmp_path / "old.jsonl").write_text(json.dumps(record) + "\n")
    status, _, errors = cloud(tmp_path / "old.jsonl")
    assert status == exit_codes.CONFLICT
    assert "line 1 does not say which key" in errors


@pytest.mark.parametrize(
    "wrong, reason",
    [
        (unit(1, certificate_fingerprint="cd" * 32), "GL2647000001 is here with another code or certificate"),
        (unit(1, service_code=CODES[3]), "GL2647000001 is here with another code or certificate"),
        (unit(4, service_code=CODES[0]), "GL2647000004 has the code of GL2647000001"),
        (unit(4, certificate_fingerprint=f"{2:064x}"), "GL2647000004 has the certificate of GL2647000002"),
    ],
)
def test_units_that_contradict_are_named_and_nothing_is_imported(cloud, factory, tmp_path, wrong, reason):
    cloud()
    factory.path.unlink()  # another ledger would begin with it
    other = Records(FactoryAuthority.load(tmp_path / "factory"), Ledger(tmp_path / "other.db"))
    other.finish(unit(3))
    other.finish(wrong)
    status, _, errors = cloud(tmp_path / "other.db")
    assert status == exit_codes.CONFLICT
    assert reason in errors
    assert "nothing was imported" in errors
    assert routers(cloud) == ["GL2647000001", "GL2647000002"]


def test_two_new_units_of_one_source_that_contradict_are_named(cloud, factory):
    factory.finish(unit(3, service_code=CODES[0]))
    status, _, errors = cloud()
    assert status == exit_codes.CONFLICT
    assert "GL2647000003 has the code of GL2647000001" in errors
    assert routers(cloud) == []


def test_a_source_that_contradicts_itself_is_refused_with_its_place(cloud, factory):
    factory.finish(unit(1, certificate_fingerprint="cd" * 32))
    status, _, errors = cloud()
    assert status == exit_codes.CONFLICT
    assert "entry 3 contradicts an earlier one of GL2647000001" in errors


def test_many_contradictions_are_counted(cloud, factory):
    for number in range(10, 25):
        factory.finish(unit(1, serial_number=f"GL2647{number:06}", certificate_fingerprint=f"{number:064x}"))
    errors = cloud()[2]
    assert errors.count("has the code of") == 10
    assert "and 5 more" in errors


def test_a_revoked_router_is_left_out(cloud, factory, tmp_path):
    revoke(FactoryAuthority.load(tmp_path / "factory"), factory, "GL2647000001", "stolen")
    status, out, _ = cloud()
    assert status == exit_codes.OK
    assert out == "imported 1 router, 0 were there, left out 1 that was revoked\n"
    assert routers(cloud) == ["GL2647000002"]


def test_a_router_that_is_revoked_later_is_named(cloud, factory, tmp_path):
    cloud()
    revoke(FactoryAuthority.load(tmp_path / "factory"), factory, "GL2647000001", "stolen")
    status, _, errors = cloud()
    assert status == exit_codes.OK
    assert "GL2647000001 is here, and was revoked by the factory" in errors


def row(**changed):
    known = {"serial_number": "GL2647000009", "model": "Lodge One", "made_at": 1795281371}
    hashes = {"service_code_hash": "ab" * 32, "certificate_fingerprint": "cd" * 32}
    return json.dumps({**known, **hashes, **changed})


@pytest.mark.parametrize(
    "line, reason",
    [
        ('{"serial_number": "GL26', "is no JSON object, or was cut off"),
        ("[1]", "is no JSON object"),
        ("[" * 100_000, "is no JSON object"),
        ('{"a": "' + "x" * 3_000_000, "is no JSON object"),
        (row(service_code_hash="ab"), "service_code_hash is no SHA-256"),
        (row(service_code_hash="zz" * 32), "is no unit"),
        (row(serial_number="../../x"), "'../../x' is no serial number"),
        (row(model="\ud800"), "model is missing, too long or not to be printed"),
        (row(model=["x"]), "model is missing"),
        (row(made_at=10**400), "which key"),  # the time is of no consequence
    ],
    ids=range(10),
)
def test_a_line_that_is_wrong_is_named_and_nothing_is_imported(cloud, factory, tmp_path, line, reason):
    path = export(factory, tmp_path / "units.jsonl")
    with path.open("a") as file:
        file.write(line)
    status, _, errors = cloud(path)
    assert status == exit_codes.CONFLICT
    assert "line 3 " in errors
    assert reason in errors
    assert routers(cloud) == []


def test_a_damaged_ledger_is_not_imported(cloud, factory):
    with sqlite3.connect(factory.ledger.path) as database:
        database.execute("DROP TRIGGER entry_never_goes")
        database.execute("DELETE FROM entry WHERE sequence = 1")
    database.close()
    status, _, errors = cloud()
    assert status == exit_codes.LEDGER
    assert "cannot be trusted" in errors


@pytest.mark.parametrize("wrong", ["source", "key"])
def test_a_file_that_is_not_there_is_said(cloud, tmp_path, wrong):
    status, _, errors = cloud(**{wrong: tmp_path / "nowhere"})
    assert status == exit_codes.USAGE
    assert str(tmp_path / "nowhere") in errors


def test_a_router_is_found_by_a_cloud_that_runs_while_it_is_imported(cloud, factory, tmp_path):
    """By the verb as a process, into a database that the cloud's registry has open."""
    key = tmp_path / "factory/service_code.key"
    command = [sys.executable, "-m", "host_tools.cli", "cloud", "import-devices", factory.ledger.path]
    command += [*cloud.options, "--service-code-key", key, "--json"]

    async def look():
        database = Database(cloud.url)
        try:
            await database.migrate()
            registry = RouterRegistry(database, None)
            assert await registry.find("GL2647000001") is None
            done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=120)
            assert json.loads(done.stdout) == {"new": 2, "known": 0, "ended": []}, done.stderr
            return await registry.find("GL2647000001")
        finally:
            await database.close()

    assert asyncio.run(look()).certificate_fingerprint == f"{1:064x}"
