"""The keys that sign ID tokens, and their rotation (OpenID Connect Core 1.0 section 10.1.1).

A key is published for a day before it signs, so that whoever keeps our key set has it by then, and for a day
after the last token that it signed has expired. The newest that is old enough signs:

    made ──1 day──> signs ──until the next one does──> checks only ──> gone
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeyParameters, KeySet, RSAKey
from sqlalchemy import delete, select

from host_tools.cloud.clock import Clock
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcKey
from host_tools.cloud.store.secret_box import SecretBox

ALGORITHM = "RS256"  # what every OpenID client must know (OpenID Connect Core 1.0 section 15.1)
KEY_BITS = 3072  # 128 bits of security (NIST SP 800-57 part 1, table 2)
SIGNS_S = 90 * 24 * 3600
PUBLISHED_BEFORE_S = 24 * 3600
CHECKS_S = (
    2 * 24 * 3600
)  # an ID token is valid for minutes; a logout's hint may be older, and is then no hint


class Dated(NamedTuple):
    kid: str
    created_at: float


def signing(keys: Sequence[Dated], now: float) -> Dated | None:
    """The newest key that is known long enough; the first of all signs at once."""
    known = [key for key in keys if key.created_at + PUBLISHED_BEFORE_S <= now]
    if known:
        return max(known, key=lambda key: key.created_at)
    return min(keys, key=lambda key: key.created_at, default=None)


def wants_new(keys: Sequence[Dated], now: float) -> bool:
    """Whether the next key is to be made: a day before it is needed."""
    newest = max((key.created_at for key in keys), default=None)
    return newest is None or now >= newest + SIGNS_S


def outlived(keys: Sequence[Dated], now: float) -> list[Dated]:
    """Those that a newer one has replaced long enough ago."""
    signer = signing(keys, now)
    if signer is None or signer.created_at + PUBLISHED_BEFORE_S + CHECKS_S > now:
        return []
    return [key for key in keys if key.created_at < signer.created_at]


class Keys:
    def __init__(self, database: Database, box: SecretBox, clock: Clock):
        self._database = database
        self._box = box
        self._clock = clock
        self._held: dict[str, RSAKey] = {}  # opened: signing must not read the database each time
        self._dated: list[Dated] = []

    async def refresh(self) -> None:
        """Make, forget and open what is due. Called at the start and every hour, and before the first use."""
        async with self._database.read() as session:
            due = wants_new(_dated(await session.scalars(select(OidcKey))), self._clock())
        made = await self._make() if due else None
        async with self._database.write() as session:
            rows = list(await session.scalars(select(OidcKey)))
            now = self._clock()
            if made and wants_new(_dated(rows), now):  # no other process was quicker
                session.add(made)
                rows.append(made)
            gone = {key.kid for key in outlived(_dated(rows), now)}
            await session.execute(delete(OidcKey).where(OidcKey.kid.in_(gone)))
        self._open([row for row in rows if row.kid not in gone])

    async def rotate(self) -> str:
        """Make the next key now; it signs in a day. Returns its kid."""
        row = await self._make()
        async with self._database.write() as session:
            session.add(row)
        await self.refresh()
        return row.kid

    async def public(self) -> dict[str, Any]:
        """The key set (RFC 7517)."""
        await self._opened()
        return {"keys": [key.as_dict(private=False) for key in self._held.values()]}

    async def sign(self, claims: dict[str, Any], kind: str = "JWT") -> str:
        """kind: the header's typ (RFC 8725 section 3.11)."""
        await self._opened()
        chosen = signing(self._dated, self._clock())
        assert chosen is not None  # refresh made one
        header = {"alg": ALGORITHM, "kid": chosen.kid, "typ": kind}
        return jwt.encode(header, claims, self._held[chosen.kid], algorithms=[ALGORITHM])

    async def read(self, token: str) -> dict[str, Any] | None:
        """The claims of what we signed, whether or not it has expired; None of anything else."""
        await self._opened()
        try:
            return jwt.decode(token, KeySet(list(self._held.values())), algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError):
            return None

    async def _opened(self) -> None:
        if not self._held:
            await self.refresh()

    def _open(self, rows: list[OidcKey]) -> None:
        self._held = {row.kid: RSAKey.import_key(json.loads(self._box.open(row.private))) for row in rows}
        self._dated = _dated(rows)

    async def _make(self) -> OidcKey:
        parameters: KeyParameters = {"use": "sig", "alg": ALGORITHM}
        # Finding two primes takes as long as ten pages do: not on the loop.
        key = await asyncio.to_thread(RSAKey.generate_key, KEY_BITS, parameters, auto_kid=True)
        text = json.dumps(key.as_dict(private=True))
        return OidcKey(kid=key.kid, private=self._box.seal(text), created_at=self._clock())


def _dated(rows: Iterable[OidcKey]) -> list[Dated]:
    return [Dated(row.kid, row.created_at) for row in rows]
