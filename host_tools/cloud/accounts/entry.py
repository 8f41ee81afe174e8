"""The sign-in's shell: it looks things up, asks the table (signin.py) what follows, and keeps the answer."""

from __future__ import annotations

import logging
from typing import NamedTuple

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.factors import Factors, Verdict
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.sessions import begin_session
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator, SignIn
from host_tools.cloud.store.secret_box import new_id, token_hash

WRONG_PASSWORD = "The e-mail or the password is wrong. Try again, or sign up."
START_AGAIN = "That took too long or too many tries. Sign in again from the start."


log = logging.getLogger("cloud.accounts")


class Entered(NamedTuple):
    """Where the sign-in stands: signin.SIGNED_IN with a session token, or signin.CODE."""

    state: str
    session_token: str | None = None


class Entry:
    def __init__(self, database: Database, hasher: Hasher, turnstile: Turnstile, factors: Factors):
        self._database = database
        self._hasher = hasher
        self._turnstile = turnstile
        self._factors = factors

    async def password(self, email: str, password: str, visit: Visit) -> Entered:
        """The first step. Raises RefusedError; the same work and the same words for an unknown e-mail."""
        about = {"account": self._turnstile.whom(email, visit), "address": visit.address}
        await self._turnstile.take("sign_in", **about)
        account, has_factor = await self._find(email)
        matches = await self._hasher.matches(account.password_hash if account else None, password)
        event = signin.password_event(matches, has_factor)
        attempt = signin.step(signin.begin(visit.now), event, visit.now)
        if account is None or attempt.state == signin.PASSWORD:
            log.info("a sign-in from %s was refused", visit.address)
            raise RefusedError("password", WRONG_PASSWORD)
        await self._turnstile.give_back("sign_in", **about)
        await self._freshen(account, password)
        async with self._database.write() as session:
            return await self._keep(session, account.id, attempt, visit)

    async def attempt(self, visit: Visit) -> SignIn | None:
        """This browser's sign-in that waits for a code."""
        async with self._database.read() as session:
            row = await session.scalar(_of_browser(visit))
        return row if row is not None and row.state == signin.CODE and visit.now < row.expires_at else None

    async def code(self, text: str, visit: Visit) -> Entered:
        """The second step: a code of an authenticator, or a recovery code. Raises RefusedError."""
        waiting = await self.attempt(visit)
        if waiting is None:
            raise RefusedError("", START_AGAIN)
        await self._turnstile.take("code", account=waiting.account_id, address=visit.address)
        async with self._database.write() as session:
            row = await session.scalar(_of_browser(visit).with_for_update())
            if row is None or row.state != signin.CODE:
                raise RefusedError("", START_AGAIN)
            verdict = await self._factors.check(session, row.account_id, text, visit.now)
            entered = await self._keep(session, row.account_id, self._after(row, verdict, visit.now), visit)
        return self._answer(entered, verdict)

    def _after(self, row: SignIn, verdict: Verdict, now: float) -> signin.Attempt:
        return signin.step(signin.Attempt(row.state, row.tries, row.expires_at), verdict.event, now)

    def _answer(self, entered: Entered, verdict: Verdict) -> Entered:
        if entered.state == signin.VOID:
            raise RefusedError("", START_AGAIN)
        if entered.state != signin.SIGNED_IN:
            raise RefusedError("code", verdict.text)
        return entered

    async def _keep(
        self, session: AsyncSession, account_id: str, attempt: signin.Attempt, visit: Visit
    ) -> Entered:
        """Write the attempt down, or end it: by a session, or for good."""
        await session.execute(delete(SignIn).where(SignIn.browser_hash == token_hash(visit.browser_token)))
        if attempt.state == signin.CODE:
            row = SignIn(id=new_id(), browser_hash=token_hash(visit.browser_token), account_id=account_id)
            row.state, row.tries, row.expires_at = attempt
            session.add(row)
        if attempt.state != signin.SIGNED_IN:
            return Entered(attempt.state)
        log.info("account %s signed in from %s", account_id, visit.address)
        return Entered(attempt.state, await begin_session(session, account_id, visit))

    async def _find(self, email: str) -> tuple[Account | None, bool]:
        """One query either way, so that an unknown e-mail takes no shorter path."""
        factor = exists().where(Authenticator.account_id == Account.id)
        async with self._database.read() as session:
            row = (await session.execute(select(Account, factor).where(Account.email == email))).one_or_none()
        return (row[0], bool(row[1])) if row else (None, False)

    async def _freshen(self, account: Account, password: str) -> None:
        """Hash again at today's cost while the password is at hand."""
        if not self._hasher.outdated(account.password_hash):
            return
        password_hash = await self._hasher.hash(password)
        async with self._database.write() as session:
            row = await session.get(Account, account.id)
            if row is not None:
                row.password_hash = password_hash


def _of_browser(visit: Visit):
    return select(SignIn).where(SignIn.browser_hash == token_hash(visit.browser_token))
