"""Challenges for passkeys: bound to what asked, good for five minutes, and for one answer.

A challenge is 16 random bytes, the second at which it ends (8 bytes), and a MAC over both, its purpose and
what it is bound to. So a page that shows one costs no row, however often strangers load it; an answer does.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.passkey_models import SpentChallenge
from host_tools.cloud.store.secret_box import SecretBox

CHALLENGE_S = 300
NONCE_BYTES, TIME_BYTES, MAC_BYTES = 16, 8, 32
WHOLE_BYTES = NONCE_BYTES + TIME_BYTES + MAC_BYTES


class Challenges:
    def __init__(self, database: Database, box: SecretBox):
        self._database = database
        self._box = box

    def make(self, purpose: str, bound_to: str, now: float) -> bytes:
        ends_at = int(now) + CHALLENGE_S
        open_part = secrets.token_bytes(NONCE_BYTES) + ends_at.to_bytes(TIME_BYTES, "big")
        return open_part + self._mac(open_part, purpose, bound_to)

    async def spend(
        self, session: AsyncSession, challenge: bytes, purpose: str, bound_to: str, now: float
    ) -> bool:
        """Whether it is ours, young, of this purpose and binding, and was not answered before.

        Counts in the caller's transaction, which must commit also where the answer turns out wrong.
        """
        open_part, mac = challenge[:-MAC_BYTES], challenge[-MAC_BYTES:]
        if len(challenge) != WHOLE_BYTES:
            return False
        if not self._box.is_hash(mac.hex(), "challenge", purpose, bound_to, open_part.hex()):
            return False
        ends_at = int.from_bytes(open_part[NONCE_BYTES:], "big")
        return now < ends_at and await _first_time(session, challenge, ends_at)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SpentChallenge).where(SpentChallenge.expires_at < now))

    def _mac(self, open_part: bytes, purpose: str, bound_to: str) -> bytes:
        return bytes.fromhex(self._box.keyed_hash("challenge", purpose, bound_to, open_part.hex()))


async def _first_time(session: AsyncSession, challenge: bytes, ends_at: int) -> bool:
    challenge_hash = hashlib.sha256(challenge).hexdigest()
    if await session.get(SpentChallenge, challenge_hash) is not None:
        return False
    session.add(SpentChallenge(challenge_hash=challenge_hash, expires_at=float(ends_at)))
    await session.flush()
    return True
