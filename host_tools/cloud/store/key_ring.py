"""The keys of the data directory as files, and sealing a whole database anew.

    secrets.key   the hash key, 32 bytes. It is never changed: recovery codes and the marks of known browsers
                  are its hashes.
    seal.keys     the ring, the newest first: a JSON object of a key's id, its 32 bytes (base64) and when it
                  was made, on each line

Both belong into the backup of the database, and into another place than that backup.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from pathlib import Path

from sqlalchemy import Column, LargeBinary, Table, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools import exit_codes
from host_tools.cloud import files
from host_tools.cloud.store.secret_box import KEY_BYTES, SealKey, SecretBox, key_id_of, new_seal_key
from host_tools.cloud.store.tables import METADATA
from host_tools.errors import ToolError

HASH_KEY, RING = "secrets.key", "seal.keys"
OPEN = "open"  # in a column's info: bytes that are no secret. All others are sealed.


def secret_box(data: Path, now: float) -> SecretBox:
    """The box of a data directory, whose keys are made at the first start."""
    hash_key = files.master_key(data / HASH_KEY)
    if not (data / RING).exists():
        write_ring(data, [new_seal_key(now)])
    return SecretBox(hash_key, read_ring(data))


def read_ring(data: Path) -> list[SealKey]:
    """Raises ToolError where the file is damaged."""
    try:
        return [_key(json.loads(line)) for line in (data / RING).read_text("ascii").splitlines()]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ToolError(
            f"{data / RING} is damaged",
            "restore it from the backup of this data directory",
            exit_codes.CLOUD_DID_NOT_START,
        ) from error


def write_ring(data: Path, keys: list[SealKey]) -> None:
    lines = [
        json.dumps({"id": key.id, "key": base64.b64encode(key.key).decode(), "made_at": key.made_at})
        for key in keys
    ]
    files.write_whole(data / RING, "".join(line + "\n" for line in lines).encode(), files.SECRET_MODE)


def _key(row: dict) -> SealKey:
    key = base64.b64decode(row["key"], validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a sealing key has another length")
    return SealKey(str(row["id"]), key, float(row["made_at"]))


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
