"""Signed proofs that were taken: each is taken once (RFC 9449 section 11.1, RFC 7523 section 3)."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcSpent


class Spent:
    """Rows go as soon as their proofs are over, at the next proof: a flood leaves no more than it brings
    within the life of one.
    """

    def __init__(self, database: Database):
        self._database = database

    async def first_time(self, kind: str, signer: str, jti: str, until: float, now: float) -> bool:
        """Whether nobody has brought it before. `signer`: whose names `jti` is one of."""
        proof_hash = hashlib.sha256("\0".join((kind, signer, jti)).encode()).hexdigest()
        async with self._database.write() as session:
            await session.execute(delete(OidcSpent).where(OidcSpent.expires_at < now))
            if await session.get(OidcSpent, proof_hash) is not None:
                return False
            session.add(OidcSpent(proof_hash=proof_hash, expires_at=until))
        return True
