"""Codes and tokens: what an application holds after somebody has signed in.

A code is good for a minute, once, with its PKCE verifier. A refresh token is good once, and gives the next;
whoever brings a used one has a copy, and the whole family ends (RFC 9700 section 4.14.2). A year after the
sign-in it ends in any case. Without offline_access the tokens end with the session of the browser.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.oidc.consents import connect
from host_tools.cloud.oidc.requests import Asked
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.models import Session as BrowserSession
from host_tools.cloud.store.oidc_models import OidcClient, OidcCode, OidcLogin, OidcToken
from host_tools.cloud.store.secret_box import new_id, new_token, token_hash

CODE_S = 60
ACCESS_S = 600
REFRESH_S = 30 * 24 * 3600  # since the last use
REFRESH_WHOLE_S = 365 * 24 * 3600  # since the sign-in, however often it was used
ACCESS, REFRESH = "access", "refresh"
PREFIXES = {ACCESS: "gla_", REFRESH: "glf_"}  # so that a scanner of logs and repositories knows them


class GrantError(Exception):
    """An error of RFC 6749 section 5.2 or 4.1.2.1, RFC 8628 section 3.5 or RFC 6750 section 3.1."""

    def __init__(self, error: str, text: str):
        super().__init__(text)
        self.error = error
        self.text = text


class Given(NamedTuple):
    """What a token answer is made of. `refresh`: "" without offline_access."""

    account: Account
    scope: tuple[str, ...]
    access: str
    refresh: str
    nonce: str
    session_id: str
    signed_in_at: float


class Origin(NamedTuple):
    """What tokens are made from."""

    client_id: str
    account_id: str
    session_id: str
    family: str
    scope: str
    signed_in_at: float


class Grants:
    def __init__(self, database: Database):
        self._database = database

    async def code(self, asked: Asked, client: OidcClient, visit: Visit) -> str:
        """A code for the person who is signed in, and who has agreed to what is asked."""
        code, account_id = new_token(), visit.signed_in.id
        async with self._database.write() as session:
            await connect(session, client, asked.scope, visit)
            await session.merge(
                OidcLogin(
                    session_id=visit.open_session.id,
                    client_id=client.id,
                    account_id=account_id,
                    attempts=0,
                    due_at=0.0,
                )
            )
            session.add(
                OidcCode(
                    code_hash=token_hash(code),
                    client_id=client.id,
                    account_id=account_id,
                    session_id=visit.open_session.id,
                    family=new_id(),
                    redirect_uri=asked.redirect_uri,
                    scope=" ".join(asked.scope),
                    nonce=asked.nonce,
                    challenge=asked.challenge,
                    signed_in_at=visit.open_session.created_at,
                    used=False,
                    expires_at=visit.now + CODE_S,
                )
            )
        return code

    async def by_code(
        self, client: OidcClient, code: str, redirect_uri: str, verifier: str, now: float
    ) -> Given:
        """Raises GrantError. A code that comes twice ends what came of the first time."""
        wrong = GrantError("invalid_grant", "the code is wrong, used, expired, or not this client's")
        async with self._database.write() as session:
            row = await session.get(OidcCode, token_hash(code))
            if row is None or row.client_id != client.id:
                raise wrong
            if row.used:
                await _end_family(session, row.family)
            right = row.redirect_uri == redirect_uri and _verifies(verifier, row.challenge)
            # Also for offline_access: whoever has signed out, or is out, lets nobody in any more.
            usable = not row.used and now < row.expires_at and await _lasts(session, row.session_id)
            row.used = True  # also if the rest is wrong: a code is tried once
            given = await self._give(session, _origin(row), row.nonce, now) if usable and right else None
        if given is None:
            raise wrong
        return given

    async def by_refresh(self, client: OidcClient, token: str, scope: str | None, now: float) -> Given:
        """The next pair of tokens. Raises GrantError."""
        async with self._database.write() as session:
            row = await session.get(OidcToken, token_hash(token))
            mine = row is not None and row.kind == REFRESH and row.client_id == client.id
            given = None
            if row is not None and mine and row.used:
                await self._stolen(session, row, client, now)
            elif row is not None and mine and now < row.expires_at:
                _narrower(scope, row.scope)
                row.used = True
                given = await self._give(session, _origin(row), "", now)
        if given is None:
            raise GrantError("invalid_grant", "the refresh token is wrong, used, or expired")
        return given

    async def give(self, session: AsyncSession, origin: Origin, now: float) -> Given | None:
        """Tokens in the caller's transaction, for a device that was let in."""
        return await self._give(session, origin, "", now)

    async def bearer(self, token: str, now: float) -> tuple[Account, tuple[str, ...]] | None:
        """Whose an access token is, and what it may be told."""
        found = select(OidcToken, Account).join(Account, Account.id == OidcToken.account_id)
        right = (OidcToken.token_hash == token_hash(token), OidcToken.kind == ACCESS)
        mine = found.where(*right, Account.disabled_at.is_(None))
        async with self._database.read() as session:
            row = (await session.execute(mine.where(OidcToken.expires_at > now, _alive()))).one_or_none()
        return None if row is None else (row[1], tuple(row[0].scope.split()))

    async def revoke(self, client: OidcClient, token: str) -> None:
        """RFC 7009: the whole family goes with a refresh token; what is not the client's is left alone."""
        async with self._database.write() as session:
            row = await session.get(OidcToken, token_hash(token))
            if row is None or row.client_id != client.id:
                return
            if row.kind == REFRESH:
                await _end_family(session, row.family)
            else:
                await session.delete(row)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            for table in (OidcCode, OidcToken):
                await session.execute(delete(table).where(table.expires_at < now))

    async def _give(self, session: AsyncSession, origin: Origin, nonce: str, now: float) -> Given | None:
        account = await session.get(Account, origin.account_id)
        offline = "offline_access" in origin.scope.split()
        if account is None or account.disabled_at is not None:
            return None
        if not (offline or await _lasts(session, origin.session_id)):
            return None
        access = _add_token(session, ACCESS, origin, "" if offline else origin.session_id, now + ACCESS_S)
        refresh = _add_token(session, REFRESH, origin, "", _over_at(origin, now)) if offline else ""
        return Given(
            account,
            tuple(origin.scope.split()),
            access,
            refresh,
            nonce,
            origin.session_id,
            origin.signed_in_at,
        )

    async def _stolen(self, session: AsyncSession, row: OidcToken, client: OidcClient, now: float) -> None:
        if not await _end_family(session, row.family):
            return  # it was noted then: a copy that comes again and again fills no log
        nobody = Visit("", "", "", now)
        note(session, row.account_id, "application_doubted", nobody, client.name)


def _over_at(origin: Origin, now: float) -> float:
    """When a refresh token ends that was given now."""
    return min(now + REFRESH_S, origin.signed_in_at + REFRESH_WHOLE_S)


def _alive():
    """An access token without a session of its own lives by itself; another only with it."""
    return (OidcToken.session_id == "") | exists().where(BrowserSession.id == OidcToken.session_id)


async def _lasts(session: AsyncSession, session_id: str) -> bool:
    """Whether the browser's session is there still. A device has none."""
    return not session_id or await session.get(BrowserSession, session_id) is not None


def _origin(row: OidcCode | OidcToken) -> Origin:
    return Origin(row.client_id, row.account_id, row.session_id, row.family, row.scope, row.signed_in_at)


def _add_token(session: AsyncSession, kind: str, origin: Origin, session_id: str, expires_at: float) -> str:
    token = PREFIXES[kind] + new_token()
    row = OidcToken(token_hash=token_hash(token), kind=kind, used=False, expires_at=expires_at)
    row.family, row.client_id, row.account_id = origin.family, origin.client_id, origin.account_id
    row.session_id, row.scope, row.signed_in_at = session_id, origin.scope, origin.signed_in_at
    session.add(row)
    return token


async def _end_family(session: AsyncSession, family: str) -> bool:
    """Access tokens end; used refresh tokens stay until they expire, so that they are known again.

    False: it had ended before.
    """
    mine = (OidcToken.family == family, OidcToken.used.is_(False))
    alive = await session.scalar(select(exists().where(*mine)))
    await session.execute(delete(OidcToken).where(*mine, OidcToken.kind == ACCESS))
    await session.execute(update(OidcToken).where(*mine).values(used=True))
    return bool(alive)


def _verifies(verifier: str, challenge: str) -> bool:
    """RFC 7636 section 4.6."""
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return 43 <= len(verifier) <= 128 and hmac.compare_digest(made, challenge)


def _narrower(scope: str | None, held: str) -> None:
    """RFC 6749 section 6: a refresh may not ask for more. Less is answered with what is held."""
    if scope is not None and set(scope.split()) - set(held.split()):
        raise GrantError("invalid_scope", "a refresh cannot ask for more than was given")
