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

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.passkeys_rule import is_due, not_due
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.oidc.consents import connect
from host_tools.cloud.oidc.requests import Asked
from host_tools.cloud.oidc.tokens import (
    ACCESS,
    REFRESH,
    Binding,
    Origin,
    add_token,
    alive,
    end_family,
    lasts,
    origin_of,
)
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.oidc_models import OidcClient, OidcCode, OidcLogin, OidcToken
from host_tools.cloud.store.secret_box import new_id, new_token, token_hash

CODE_S = 60
ACCESS_S = 600
REFRESH_S = 30 * 24 * 3600  # since the last use
REFRESH_WHOLE_S = 365 * 24 * 3600  # since the sign-in, however often it was used


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
    jkt: str = ""  # whose key the access token is bound to


class Held(NamedTuple):
    """What an access token stands for."""

    account: Account
    scope: tuple[str, ...]
    jkt: str


class Grants:
    def __init__(self, database: Database, rule: str):
        """rule: of passkeys_rule.py."""
        self._database = database
        self._rule = rule

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
                    jkt=asked.jkt,
                    signed_in_at=visit.open_session.created_at,
                    used=False,
                    expires_at=visit.now + CODE_S,
                )
            )
        return code

    async def by_code(
        self, client: OidcClient, code: str, redirect_uri: str, verifier: str, now: float, jkt: str = ""
    ) -> Given:
        """jkt: of the key that whoever asks has proved. A code that comes twice ends what came of the first.

        Raises GrantError.
        """
        wrong = GrantError("invalid_grant", "the code is wrong, used, expired, or not this client's")
        async with self._database.write() as session:
            row = await session.get(OidcCode, token_hash(code))
            if row is None or row.client_id != client.id:
                raise wrong
            if row.used:
                await end_family(session, row.family)
            right = row.redirect_uri == redirect_uri and row.jkt in ("", jkt)
            right = right and _verifies(verifier, row.challenge)
            given = None
            # Also for offline_access: whoever has signed out, or is out, lets nobody in any more.
            usable = not row.used and now < row.expires_at and await lasts(session, row.session_id)
            row.used = True  # also if the rest is wrong: a code is tried once
            bound = Binding.to(jkt, client)
            if usable and right:
                given = await self._give(session, origin_of(row), row.nonce, now, bound)
        if given is None:
            raise wrong
        return given

    async def by_refresh(
        self, client: OidcClient, token: str, scope: str | None, now: float, jkt: str = ""
    ) -> Given:
        """The next pair of tokens. Who has another key changes nothing: a thief cannot even end the family.

        Raises GrantError.
        """
        async with self._database.write() as session:
            row = await session.get(OidcToken, token_hash(token))
            mine = row is not None and row.kind == REFRESH and row.client_id == client.id
            mine = mine and row is not None and row.jkt in ("", jkt)
            given = None
            if row is not None and mine and row.used:
                await self._stolen(session, row, client, now)
            elif row is not None and mine and now < row.expires_at:
                _narrower(scope, row.scope)
                row.used = True
                given = await self._give(session, origin_of(row), "", now, Binding.to(jkt, client))
        if given is None:
            text = "the refresh token is wrong, used, expired, or bound to another key"
            raise GrantError("invalid_grant", text)
        return given

    async def give(self, session: AsyncSession, origin: Origin, now: float, bound: Binding) -> Given | None:
        """Tokens in the caller's transaction, for a device that was let in."""
        return await self._give(session, origin, "", now, bound)

    async def held(self, token: str, now: float) -> Held | None:
        """Whose an access token is, and what it may be told."""
        found = select(OidcToken, Account).join(Account, Account.id == OidcToken.account_id)
        right = (OidcToken.token_hash == token_hash(token), OidcToken.kind == ACCESS)
        mine = found.where(*right, Account.disabled_at.is_(None), *not_due(self._rule))
        async with self._database.read() as session:
            row = (await session.execute(mine.where(OidcToken.expires_at > now, alive()))).one_or_none()
        return None if row is None else Held(row[1], tuple(row[0].scope.split()), row[0].jkt)

    async def revoke(self, client: OidcClient, token: str) -> None:
        """RFC 7009: the whole family goes with a refresh token; what is not the client's is left alone."""
        async with self._database.write() as session:
            row = await session.get(OidcToken, token_hash(token))
            if row is None or row.client_id != client.id:
                return
            if row.kind == REFRESH:
                await end_family(session, row.family)
            else:
                await session.delete(row)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            for table in (OidcCode, OidcToken):
                await session.execute(delete(table).where(table.expires_at < now))

    async def _give(
        self, session: AsyncSession, origin: Origin, nonce: str, now: float, bound: Binding
    ) -> Given | None:
        account = await session.get(Account, origin.account_id)
        offline = "offline_access" in origin.scope.split()
        if account is None or account.disabled_at is not None or is_due(self._rule, account):
            return None
        if not (offline or await lasts(session, origin.session_id)):
            return None
        session_id = "" if offline else origin.session_id
        access = add_token(session, ACCESS, origin, session_id, now + ACCESS_S, bound.access)
        refresh = ""
        if offline:
            refresh = add_token(session, REFRESH, origin, "", _over_at(origin, now), bound.refresh)
        return Given(
            account,
            tuple(origin.scope.split()),
            access,
            refresh,
            nonce,
            origin.session_id,
            origin.signed_in_at,
            bound.access,
        )

    async def _stolen(self, session: AsyncSession, row: OidcToken, client: OidcClient, now: float) -> None:
        if not await end_family(session, row.family):
            return  # it was noted then: a copy that comes again and again fills no log
        nobody = Visit("", "", "", now)
        note(session, row.account_id, "application_doubted", nobody, client.name)


def _over_at(origin: Origin, now: float) -> float:
    """When a refresh token ends that was given now."""
    return min(now + REFRESH_S, origin.signed_in_at + REFRESH_WHOLE_S)


def _verifies(verifier: str, challenge: str) -> bool:
    """RFC 7636 section 4.6."""
    digest = hashlib.sha256(verifier.encode("ascii", "replace")).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return 43 <= len(verifier) <= 128 and hmac.compare_digest(made, challenge)


def _narrower(scope: str | None, held: str) -> None:
    """RFC 6749 section 6: a refresh may not ask for more. Less is answered with what is held."""
    if scope is not None and set(scope.split()) - set(held.split()):
        raise GrantError("invalid_scope", "a refresh cannot ask for more than was given")
