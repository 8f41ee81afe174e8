"""The first step: the password, a passkey, or an account elsewhere. Then comes second_step.py."""

from __future__ import annotations

import asyncio
import logging
import secrets

from sqlalchemy import bindparam, select, update

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.passkeys import Passkeys
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.second_step import WRONG_PASSWORD, Entered, OnlyPasskeysError, SecondStep
from host_tools.cloud.accounts.turnstile import Turnstile, Who
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance
from host_tools.cloud.store.models import Account
from host_tools.cloud.tasks import Tasks

BY_EMAIL = Glance(select(Account).where(Account.email == bindparam("email")))

SOON_S = 2.0  # within which a refused sign-in is noted
DRAW = secrets.SystemRandom()

log = logging.getLogger("cloud.accounts")


class Entry:
    def __init__(
        self,
        database: Database,
        hasher: Hasher,
        turnstile: Turnstile,
        passkeys: Passkeys,
        second: SecondStep,
        tasks: Tasks,
    ):
        self._database = database
        self._hasher = hasher
        self._turnstile = turnstile
        self._passkeys = passkeys
        self._second = second
        self._tasks = tasks
        self.soon_s = SOON_S

    async def password(self, email: str, password: str, visit: Visit) -> Entered:
        """The first step. Raises RefusedError; the same work and the same words for an unknown e-mail, and
        where only passkeys sign in: whoever guesses learns neither.
        """
        about = self._turnstile.about(email, visit)
        await self._turnstile.take("sign_in", **about)
        account = await self._find(email)
        matches = await self._hasher.matches(account.password_hash if account else None, password)
        passkeys_only = account is not None and account.passkeys_only_at is not None
        # Whether the browser is trusted changes nothing about what is wrong.
        event = signin.first_event(matches, signin.PASSWORD, False, passkeys_only)
        if account is None or event == signin.WRONG:
            log.info("a sign-in from %s was refused", visit.address)
            if account is not None:
                kind, way = ("way_closed", signin.PASSWORD) if matches else ("password_wrong", "")
                self._note_soon(account.id, kind, way, visit)
            raise RefusedError("password", WRONG_PASSWORD)
        knew = await self._freshen(account, password)
        try:
            return await self._second.begin(account.id, signin.PASSWORD, visit, about, knew)
        except OnlyPasskeysError:  # switched on just now
            raise RefusedError("password", WRONG_PASSWORD) from None

    async def passkey(self, signed: str, visit: Visit) -> Entered:
        """The first step, and the whole sign-in. Raises RefusedError."""
        about: Who = {"account": visit.browser_hash, "address": visit.address}
        await self._turnstile.take("sign_in", **about)
        held, verdict = await self._passkeys.first(signed, visit)
        if held is None or verdict.event != signin.RIGHT:
            raise RefusedError("", verdict.text)
        return await self._second.begin(held.account_id, signin.PASSKEY, visit, about, passkey_id=held.id)

    async def outside(self, account_id: str, visit: Visit) -> Entered:
        """The first step, taken at a provider that has just told whose it is (outside/). Raises
        RefusedError.
        """
        try:
            return await self._second.begin(account_id, signin.OUTSIDE, visit)
        except OnlyPasskeysError:
            self._note_soon(account_id, "way_closed", signin.OUTSIDE, visit)
            raise

    def _note_soon(self, account_id: str, kind: str, about: str, visit: Visit) -> None:
        """Nobody waits for it: an e-mail that has an account takes no longer to be refused."""
        self._tasks.start(self._note(account_id, kind, about, visit), "note a refused sign-in")

    async def _note(self, account_id: str, kind: str, about: str, visit: Visit) -> None:
        """At a moment that is drawn: else the next answer, which waits for this writer, would tell by its
        delay that there is an account. At a stop it is written at once.
        """
        try:
            await asyncio.sleep(DRAW.uniform(0, self.soon_s))
        finally:
            async with self._database.write() as session:
                note(session, account_id, kind, visit, about)

    async def _find(self, email: str) -> Account | None:
        return next((account for (account,) in await self._database.glance(BY_EMAIL, email=email)), None)

    async def _freshen(self, account: Account, password: str) -> str:
        """Hash again at today's cost while the password is at hand. Returns the hash that is kept now.

        A password that was changed meanwhile stays: the one at hand is the one of before.
        """
        known = account.password_hash
        if not self._hasher.outdated(known):
            return known
        fresh = await self._hasher.hash(password)
        mine = (Account.id == account.id, Account.password_hash == known)
        async with self._database.write() as session:
            kept = update(Account).where(*mine).values(password_hash=fresh).returning(Account.id)
            return fresh if await session.scalar(kept) else known
