"""The keys of the data directory as files, sealing a whole database anew, and what keeps an old key.

    secrets.key   the first hash key, 32 bytes
    hash.keys     once there was a rotation: the ring of hash keys, the newest first
    seal.keys     the ring of sealing keys, the newest first

A ring is a JSON object of a key's id, its 32 bytes (base64) and when it was made, on each line. All three
belong into the backup of the database, and into another place than that backup. Each may be a credential of
systemd instead (credentials.py).
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections import Counter
from pathlib import Path

from sqlalchemy import Column, LargeBinary, Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools import exit_codes
from host_tools.cloud import files
from host_tools.cloud.credentials import path_of
from host_tools.cloud.store.models import RecoveryCode
from host_tools.cloud.store.secret_box import KEY_BYTES, RingKey, SecretBox, key_id_of, new_key
from host_tools.cloud.store.tables import METADATA
from host_tools.errors import ToolError

HASH_KEY, HASH_RING, RING = "secrets.key", "hash.keys", "seal.keys"
OPEN = "open"  # in a column's info: bytes that are no secret. All others are sealed.


def secret_box(data: Path, now: float) -> SecretBox:
    """The box of a data directory, whose keys are made at the first start."""
    hash_key = files.master_key(path_of(data, HASH_KEY))
    if not path_of(data, RING).exists():
        write_ring(data / RING, [new_key(now)])
    return SecretBox(hash_key, read_ring(path_of(data, RING)), read_hash_ring(data))


def read_hash_ring(data: Path) -> list[RingKey]:
    """Before the first rotation there is one key, without an id."""
    if path_of(data, HASH_RING).exists():
        return read_ring(path_of(data, HASH_RING))
    return [RingKey("", files.master_key(path_of(data, HASH_KEY)), 0.0)]


def forget_first_hash_key(data: Path) -> None:
    """Nothing hangs on it any more: other bytes take its place, for the file says that a cloud is here."""
    files.write_whole(data / HASH_KEY, secrets.token_bytes(KEY_BYTES), files.SECRET_MODE)


def read_ring(path: Path) -> list[RingKey]:
    """Raises ToolError where the file is damaged."""
    try:
        return [_key(json.loads(line)) for line in path.read_text("ascii").splitlines()]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ToolError(
            f"{path} is damaged",
            "restore it from the backup of this data directory",
            exit_codes.CLOUD_DID_NOT_START,
        ) from error


def write_ring(path: Path, keys: list[RingKey]) -> None:
    lines = [
        json.dumps({"id": key.id, "key": base64.b64encode(key.key).decode(), "made_at": key.made_at})
        for key in keys
    ]
    files.write_whole(path, "".join(line + "\n" for line in lines).encode(), files.SECRET_MODE)


def _key(row: dict) -> RingKey:
    key = base64.b64decode(row["key"], validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a key has another length")
    return RingKey(str(row["id"]), key, float(row["made_at"]))


def sealed_columns() -> list[tuple[Table, Column]]:
    return [
        (table, column)
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and not column.info.get(OPEN)
    ]


async def seal_anew(session: AsyncSession, box: SecretBox) -> Counter[str]:
    """Under the newest key, in the caller's transaction: how many values of each column were sealed anew.

    Raises InvalidToken, and then nothing is to be committed, where a value's key is not in the ring.
    """
    counts: Counter[str] = Counter()
    for table, column in sealed_columns():
        keys = list(table.primary_key.columns)
        rows = await session.execute(select(*keys, column).where(column.is_not(None)))
        for *names, sealed in rows.all():
            if key_id_of(sealed) == box.newest_id:
                continue
            where = [key == name for key, name in zip(keys, names, strict=True)]
            anew = {column.name: box.seal(box.open(sealed))}
            await session.execute(update(table).where(*where).values(anew))
            counts[f"{table.name}.{column.name}"] += 1
    return counts


async def hanging(session: AsyncSession) -> Counter[str]:
    """By hash key: how many recovery codes that are not used yet it alone recognizes.

    They cannot be hashed anew, for nobody has them but their people. All else that is hashed under a key is
    short-lived, or made anew when its browser comes.
    """
    unused = select(RecoveryCode.code_hash).where(RecoveryCode.used_at.is_(None))
    return Counter(key_id_of(each.encode()) for each in await session.scalars(unused))
