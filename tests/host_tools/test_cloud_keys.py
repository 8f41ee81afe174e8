"""The key ring: old keys open, the newest seals, and a whole database is sealed anew."""

import asyncio
import re
import stat

import pytest
from cryptography.fernet import InvalidToken
from sqlalchemy import select

from host_tools import cli, exit_codes
from host_tools.cloud import files
from host_tools.cloud.store import key_ring
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator
from host_tools.cloud.store.secret_box import SecretBox, key_id_of, new_id, new_seal_key

HASH_KEY = b"h" * 32


def test_the_newest_key_seals_and_every_key_opens():
    old, new = new_seal_key(1.0), new_seal_key(2.0)
    before, between = SecretBox(HASH_KEY), SecretBox(HASH_KEY, [old])
    now = SecretBox(HASH_KEY, [new, old])
    sealed = [box.seal("a secret") for box in (before, between, now)]
    assert [key_id_of(each) for each in sealed] == ["", old.id, new.id]
    assert [now.open(each) for each in sealed] == ["a secret"] * 3
    with pytest.raises(InvalidToken):
        between.open(sealed[2])


def test_rotating_leaves_every_hash_as_it_is():
    boxes = SecretBox(HASH_KEY), SecretBox(HASH_KEY, [new_seal_key(1.0)])
    assert len({box.keyed_hash("recovery code", "a", "b") for box in boxes}) == 1


@pytest.mark.parametrize("sealed", [b"", b":", b"0badc0de:", b"0badc0de:gAAAA", b"\xff:x", b"gAAAA"])
def test_what_nobody_sealed_does_not_open(sealed):
    with pytest.raises(InvalidToken):
        SecretBox(HASH_KEY, [new_seal_key(1.0)]).open(sealed)


def test_the_ring_is_made_at_the_first_start_and_for_its_owner_alone(tmp_path):
    first = key_ring.secret_box(tmp_path, 1.0).newest_id
    assert key_ring.secret_box(tmp_path, 2.0).newest_id == first
    assert stat.S_IMODE((tmp_path / key_ring.RING).stat().st_mode) == 0o600


def test_a_damaged_ring_is_one_sentence(tmp_path, capsys):
    key_ring.secret_box(tmp_path, 1.0)
    (tmp_path / key_ring.RING).write_text('{"id": "x"}\n')
    assert rotate(tmp_path) == exit_codes.CLOUD_DID_NOT_START
    assert "is damaged" in capsys.readouterr().err


def rotate(data, *options):
    return cli.main(["cloud", "rotate-keys", "--data", str(data), *options])


async def add_secrets(data, boxes):
    """An account with one authenticator sealed by each box."""
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    await database.migrate()
    async with database.write() as session:
        names = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "terms_version": "1"}
        session.add(Account(id="a", email="ada@example.org", password_hash="", created_at=1.0, **names))
        for index, box in enumerate(boxes):
            row = Authenticator(id=new_id(), account_id="a", name="Phone", secret=box.seal(f"secret {index}"))
            row.last_step, row.created_at, row.used_at = 0, float(index), 1.0
            session.add(row)
    await database.close()


async def secrets_of(data):
    database = Database(f"sqlite+aiosqlite:///{data}/cloud.db")
    async with database.read() as session:
        rows = await session.scalars(select(Authenticator).order_by(Authenticator.created_at))
        sealed = [row.secret for row in rows]
    await database.close()
    return sealed


def test_a_database_with_values_of_three_keys_is_sealed_anew(tmp_path, capsys):
    hash_key = files.master_key(tmp_path / key_ring.HASH_KEY)
    old = new_seal_key(1.0)
    key_ring.write_ring(tmp_path, [new_seal_key(2.0), old])
    boxes = [SecretBox(hash_key), SecretBox(hash_key, [old]), key_ring.secret_box(tmp_path, 3.0)]
    asyncio.run(add_secrets(tmp_path, boxes))
    assert rotate(tmp_path) == exit_codes.OK
    said = re.search(r"key (\w+): 3 secrets sealed anew, 3 keys kept", capsys.readouterr().out)
    sealed, box = asyncio.run(secrets_of(tmp_path)), key_ring.secret_box(tmp_path, 4.0)
    assert {key_id_of(each) for each in sealed} == {box.newest_id} == {said[1]}
    assert [box.open(each) for each in sealed] == ["secret 0", "secret 1", "secret 2"]


def test_old_keys_are_forgotten_when_asked(tmp_path):
    asyncio.run(add_secrets(tmp_path, [key_ring.secret_box(tmp_path, 1.0)]))
    assert rotate(tmp_path, "--forget-old") == exit_codes.OK
    assert len(key_ring.read_ring(tmp_path)) == 1
    [sealed] = asyncio.run(secrets_of(tmp_path))
    assert key_ring.secret_box(tmp_path, 2.0).open(sealed) == "secret 0"


def test_a_value_whose_key_is_lost_stops_the_rotation_and_nothing_changes(tmp_path, capsys):
    lost = SecretBox(files.master_key(tmp_path / key_ring.HASH_KEY), [new_seal_key(1.0)])
    asyncio.run(add_secrets(tmp_path, [key_ring.secret_box(tmp_path, 2.0), lost]))
    before = asyncio.run(secrets_of(tmp_path))
    assert rotate(tmp_path, "--forget-old") == exit_codes.FAILED
    assert "not in the ring" in capsys.readouterr().err
    assert asyncio.run(secrets_of(tmp_path)) == before
    assert len(key_ring.read_ring(tmp_path)) == 2  # what was sealed before still opens


def test_a_cloud_that_runs_is_not_rotated_under(tmp_path, capsys):
    key_ring.secret_box(tmp_path, 1.0)
    lock = files.lock_directory(tmp_path)
    assert rotate(tmp_path) == exit_codes.CLOUD_DID_NOT_START
    assert "stop it first" in capsys.readouterr().err
    files.os.close(lock)


def test_every_column_of_bytes_is_sealed_or_says_that_it_is_open():
    names = {f"{table.name}.{column.name}" for table, column in key_ring.sealed_columns()}
    assert {"authenticators.secret", "sessions.enrolment", "undos.steps"} <= names
    assert not names & {"passkeys.public_key", "passkeys.credential_id"}
