"""What is kept of an account's recovery codes: argon2id with one salt for each set, over a keyed hash.

The keyed hash is the pepper: who has the database alone can try nothing. Who has the key as well pays a
password's hash (passwords.py: 19 MiB, 2 passes) for each of 2^50 codes. A try costs us one such hash, in the
threads of the passwords, whatever it is worth and whether or not the account has codes; a new set costs ten.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import recovery
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import RecoveryCode
from host_tools.cloud.store.secret_box import SecretBox, named, unnamed

PURPOSE = "recovery code"  # of the keyed hash


class FreshSet(NamedTuple):
    codes: list[str]  # as they are shown
    hashes: list[str]  # as they are kept


class HashedCode(str):
    """Made by `hashed` alone. What somebody typed is none, were it the very hash that is kept."""


class RecoverySets:
    """A code is hashed before the transaction that uses it up: a writer keeps all others waiting."""

    def __init__(self, database: Database, box: SecretBox, hasher: Hasher):
        self._database = database
        self._box = box
        self._hasher = hasher

    async def fresh(self, account_id: str) -> FreshSet:
        """Ten codes for `replace`. Raises BusyError."""
        codes, hashes = recovery.new_codes(), []
        key_id, like = self._box.newest_hash_id, self._hasher.salt()
        for code in codes:  # one by one: between two of them a password takes its turn
            peppered = self._box.keyed_hash(PURPOSE, account_id, code)
            hashes.append(named(key_id, await self._hasher.salted(peppered, like)))
        return FreshSet([recovery.grouped(code) for code in codes], hashes)

    async def replace(self, session: AsyncSession, account_id: str, fresh: FreshSet) -> list[str]:
        """In the caller's transaction: the set before is void. Returns the codes."""
        await self.drop(session, account_id)
        session.add_all(RecoveryCode(account_id=account_id, code_hash=each) for each in fresh.hashes)
        return fresh.codes

    async def drop(self, session: AsyncSession, account_id: str) -> None:
        await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))

    async def hashed(self, account_id: str, text: str) -> HashedCode:
        """What `use` takes of a code that was typed. Raises BusyError."""
        async with self._database.read() as session:
            stored = await session.scalar(select(RecoveryCode.code_hash).where(*_unused(account_id)).limit(1))
        key_id, like = unnamed(stored or "")
        peppered = self._box.hash_under(key_id, PURPOSE, account_id, recovery.canonical(text))
        salted = await self._hasher.salted(peppered, like or self._hasher.salt())
        return HashedCode(named(key_id, salted))

    async def use(self, session: AsyncSession, account_id: str, code_hash: str, now: float) -> bool:
        """Use the code up, in the caller's transaction: of two browsers with one code, one wins.

        What was not hashed is wrong: whoever has a copy of the database has the hashes, and no code.
        """
        if not isinstance(code_hash, HashedCode):
            return False
        mine = (*_unused(account_id), RecoveryCode.code_hash == str(code_hash))
        won = update(RecoveryCode).where(*mine).values(used_at=now).returning(RecoveryCode.id)
        return await session.scalar(won) is not None

    async def left(self, account_id: str) -> int:
        async with self._database.read() as session:
            return await session.scalar(select(func.count()).where(*_unused(account_id))) or 0


def _unused(account_id: str):
    return RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
