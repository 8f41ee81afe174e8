"""Personal tokens: made by whoever proves the password, shown once, kept as a hash, told to the owner.

A token opens the API only, within its scopes, until it expires or is revoked. It ends with whatever ends
every session for a reason: a password that was forgotten, an account that was disabled.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sqlalchemy import delete, func, select, update

from host_tools.cloud.accounts import undo
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.passkeys_rule import not_due
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import new_id, new_token, token_hash

PREFIX = "glp_"  # so that a scanner of logs and repositories knows it, and tells it from oidc/tokens.py's
FORM = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
DAY_S = 24 * 3600
DAYS = (30, 90, 365)  # for how long one may be made
TOKENS_MAX = 20
SHOWN_AFTER_S = 30 * DAY_S  # an expired one stays in the list this long: it says why a program stopped
NOTED_EVERY_S = 60  # more often the last use is not written down
TOO_MANY = N_("An account holds %(count)s tokens. Revoke one first.")


class Bearer(NamedTuple):
    """Whose a token is, and what it may do."""

    token_id: str
    account: Account
    scopes: frozenset[str]


class Tokens:
    def __init__(self, database: Database, factors: Factors, changes: Changes, rule: str):
        """rule: of passkeys_rule.py."""
        self._open = (Account.disabled_at.is_(None), *not_due(rule))
        self._database = database
        self._factors = factors
        self._changes = changes

    async def of(self, account_id: str) -> list[ApiToken]:
        """The newest first."""
        mine = select(ApiToken).where(ApiToken.account_id == account_id)
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(ApiToken.created_at.desc(), ApiToken.id)))

    async def make(self, name: str, scopes: tuple[str, ...], days: int, password: str, visit: Visit) -> str:
        """The token, which is stored nowhere. The mail that tells of it can undo it. Raises RefusedError."""
        await self._factors.again.check("make a token", password, visit)
        token, account_id = PREFIX + new_token(), visit.signed_in.id
        row = ApiToken(id=new_id(), account_id=account_id, name=name, token_hash=token_hash(token))
        row.scope, row.created_at, row.expires_at = " ".join(scopes), visit.now, visit.now + days * DAY_S
        live = select(func.count()).where(ApiToken.account_id == account_id, ApiToken.expires_at > visit.now)
        async with self._database.write() as session:
            if (await session.scalar(live) or 0) >= TOKENS_MAX:
                raise RefusedError("", TOO_MANY, count=TOKENS_MAX)
            session.add(row)
            await self._changes.tell(session, "token_made", name, visit, steps=undo.dropping(row))
        self._changes.wake()
        return token

    async def revoke(self, token_id: str, visit: Visit) -> None:
        """It opens nothing from now on. Raises NotTheirsError."""
        mine = (ApiToken.id == token_id, ApiToken.account_id == visit.signed_in.id)
        async with self._database.write() as session:
            name = await session.scalar(delete(ApiToken).where(*mine).returning(ApiToken.name))
            if name is None:
                raise NotTheirsError
            await self._changes.tell(session, "token_revoked", name, visit)
        self._changes.wake()

    async def bearer(self, token: str, now: float) -> Bearer | None:
        """None: it is wrong, revoked or expired, or its account is disabled or has to add passkeys first."""
        if not FORM.fullmatch(token):
            return None
        joined = select(ApiToken, Account).join(Account, Account.id == ApiToken.account_id)
        right = (ApiToken.token_hash == token_hash(token), ApiToken.expires_at > now)
        async with self._database.read() as session:
            found = (await session.execute(joined.where(*right, *self._open))).one_or_none()
        if found is None:
            return None
        row, account = found
        if row.used_at is None or now - row.used_at >= NOTED_EVERY_S:
            await self._note(row.id, now)
        return Bearer(row.id, account, frozenset(row.scope.split()))

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(ApiToken).where(ApiToken.expires_at < now - SHOWN_AFTER_S))

    async def _note(self, token_id: str, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(update(ApiToken).where(ApiToken.id == token_id).values(used_at=now))
