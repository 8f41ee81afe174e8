"""Recovery codes are kept as argon2id over the keyed hash, with one salt for each set.

What is there is wrapped here, without any key: afterwards no code hangs on a fast hash. That takes two passes
over 19 MiB for each unused code, on every core: some 500 sets of ten a minute on two of them.
"""

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import sqlalchemy as sa
from alembic import op
from argon2.low_level import Type, hash_secret

revision = "0029"
down_revision = "0028"
CODES = sa.table(
    "recovery_codes", sa.column("id"), sa.column("account_id"), sa.column("code_hash"), sa.column("used_at")
)
argon2id = partial(
    hash_secret, time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, type=Type.ID, version=19
)


def upgrade() -> None:
    _resize(73, 140)
    connection = op.get_bind()
    found = connection.execute(sa.select(CODES).where(CODES.c.used_at.is_(None))).all()
    salts = {row.account_id: secrets.token_bytes(16) for row in found}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        wrapped = threads.map(lambda row: _wrapped(row.code_hash, salts[row.account_id]), found)
        for row, code_hash in zip(found, wrapped, strict=True):
            connection.execute(CODES.update().where(CODES.c.id == row.id).values(code_hash=code_hash))
    connection.execute(CODES.update().where(CODES.c.used_at.is_not(None)).values(code_hash=""))


def downgrade() -> None:
    """What was wrapped cannot be unwrapped: people make new codes."""
    op.execute(CODES.delete())
    _resize(140, 73)


def _wrapped(code_hash: str, salt: bytes) -> str:
    """The id of the pepper's key stays in front."""
    key_id, mark, digest = code_hash.rpartition(":")
    return f"{key_id}{mark}{argon2id(digest.encode(), salt).decode()}"


def _resize(old: int, new: int) -> None:
    with op.batch_alter_table("recovery_codes") as table:
        table.alter_column(
            "code_hash", existing_type=sa.String(old), type_=sa.String(new), existing_nullable=False
        )
