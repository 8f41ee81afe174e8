"""The rows of tokens: what they come of, whose key they are bound to, and the end of a family."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.store.models import Session as BrowserSession
from host_tools.cloud.store.oidc_models import OidcClient, OidcCode, OidcToken
from host_tools.cloud.store.secret_box import new_token, token_hash

ACCESS, REFRESH = "access", "refresh"
PREFIXES = {ACCESS: "gla_", REFRESH: "glf_"}  # so that a scanner of logs and repositories knows them


class Origin(NamedTuple):
    """What tokens are made from."""

    client_id: str
    account_id: str
    session_id: str
    family: str
    scope: str
    signed_in_at: float


class Binding(NamedTuple):
    """Thumbprints of the keys without which a token is worth nothing (RFC 9449 section 6); "" of none."""

    access: str = ""
    refresh: str = ""

    @classmethod
    def to(cls, jkt: str, client: OidcClient) -> Binding:
        """Section 5: a refresh token of who proves itself is bound to it by that; it may change its key."""
        return cls(jkt, jkt if client.public else "")


def alive():
    """An access token without a session of its own lives by itself; another only with it."""
    return (OidcToken.session_id == "") | exists().where(BrowserSession.id == OidcToken.session_id)


async def lasts(session: AsyncSession, session_id: str) -> bool:
    """Whether the browser's session is there still. A device has none."""
    return not session_id or await session.get(BrowserSession, session_id) is not None


def origin_of(row: OidcCode | OidcToken) -> Origin:
    return Origin(row.client_id, row.account_id, row.session_id, row.family, row.scope, row.signed_in_at)


def add_token(
    session: AsyncSession, kind: str, origin: Origin, session_id: str, expires_at: float, jkt: str
) -> str:
    token = PREFIXES[kind] + new_token()
    row = OidcToken(token_hash=token_hash(token), kind=kind, used=False, expires_at=expires_at, jkt=jkt)
    row.family, row.client_id, row.account_id = origin.family, origin.client_id, origin.account_id
    row.session_id, row.scope, row.signed_in_at = session_id, origin.scope, origin.signed_in_at
    session.add(row)
    return token


async def end_family(session: AsyncSession, family: str) -> bool:
    """Access tokens end; used refresh tokens stay until they expire, so that they are known again.

    False: it had ended before.
    """
    mine = (OidcToken.family == family, OidcToken.used.is_(False))
    alive = await session.scalar(select(exists().where(*mine)))
    await session.execute(delete(OidcToken).where(*mine, OidcToken.kind == ACCESS))
    await session.execute(update(OidcToken).where(*mine).values(used=True))
    return bool(alive)
