"""A forgotten password (N2): a code and a link by mail, then a new password, then the second factor as ever.

A stranger learns nothing: whoever asks gets a row and the same page, and nobody waits while it is looked up
whether there is an account. The row is bound to the browser that asked; the link, which only the mail has,
opens in any.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud import links
from host_tools.cloud.accounts import applications, letters, signin, trusted, undo
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.own_password import personal_words
from host_tools.cloud.accounts.passwords import Hasher, fault
from host_tools.cloud.accounts.second_step import Entered, SecondStep
from host_tools.cloud.accounts.sign_up import TERMS_VERSION
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.breached.collection import BreachedPasswords
from host_tools.cloud.delivery import progress
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.delivery.queue import for_purpose
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.account_models import EmailChange, PasswordReset
from host_tools.cloud.store.api_models import ApiToken
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Session, SignIn
from host_tools.cloud.store.secret_box import SecretBox, new_id, token_hash
from host_tools.cloud.tasks import Tasks

RESET_S = 1200
SOON_S = 2.0  # within which a message is on its way
DRAW = secrets.SystemRandom()
TRIES = 5
WRONG_CODE = N_("That code is not right. Check the newest message, or ask for another.")
OVER = N_("This code or link has been used, or is older than 20 minutes. Ask for another.")
TERMS = N_("Read the terms and tick this box to go on.")


class Resets:
    def __init__(
        self,
        database: Database,
        box: SecretBox,
        hasher: Hasher,
        breached: BreachedPasswords,
        turnstile: Turnstile,
        second: SecondStep,
        changes: Changes,
        post: Post,
        tasks: Tasks,
        url: str,
    ):
        self._database = database
        self._box = box
        self._hasher = hasher
        self._breached = breached
        self._turnstile = turnstile
        self._second = second
        self._changes = changes
        self._post = post
        self._tasks = tasks
        self._url = url
        self.soon_s = SOON_S

    async def begin(self, who: str, visit: Visit) -> None:
        """`who`: an e-mail, or a user name of before. Raises ThrottledError."""
        # A browser that is known to the account counts by itself: strangers keep its owner from no message.
        await self._turnstile.take("reset", **self._turnstile.about(who, visit))
        code, link_code = f"{secrets.randbelow(10**6):06d}", links.new_code()
        row = PasswordReset(id=new_id(), browser_hash=visit.browser_hash, tries=0, proved=False)
        row.code_hash, row.link_hash = self._hash(row.id, code), token_hash(link_code)
        row.expires_at = visit.now + RESET_S
        async with self._database.write() as session:
            mine = PasswordReset.browser_hash == visit.browser_hash
            await session.execute(delete(PasswordReset).where(mine))
            session.add(row)
        self._tasks.start(self._send_soon(row.id, who, code, link_code, visit), "send a reset")

    async def waits(self, visit: Visit) -> bool:
        """Whether this browser asked, and its code was not entered yet."""
        row = await self._asked(visit)
        return row is not None and not row.proved

    async def progress(self, visit: Visit) -> str | None:
        """How it stands with the message (delivery/progress.py), for a browser that is known to the account.

        None for any other: whether there is a message would tell whether there is an account. It takes such a
        browser the same one look either way.
        """
        whose = select(PasswordReset, Account.email).outerjoin(
            Account, Account.id == PasswordReset.account_id
        )
        async with self._database.read() as session:
            found = (await session.execute(whose.where(*_mine(visit)))).one_or_none()
            if found is None or not self._turnstile.knows(found.email or "", visit):
                return None
            return progress.of_all(await session.scalars(for_purpose(_about(found.PasswordReset), 0.0)))

    async def prove(self, code: str, visit: Visit) -> None:
        """The code, in the browser that asked: it may set the password now. Raises RefusedError."""
        if await self._asked(visit) is None:
            raise RefusedError("code", OVER)  # there is nothing to guess, and nothing to count
        await self._turnstile.take("mailed_code", account=visit.browser_hash, address=visit.address)
        async with self._database.write() as session:
            row = await session.scalar(_of_browser(visit))
            fault = self._fault(row, code)
            if row is not None and fault is None:
                row.proved = True
        if fault:
            raise RefusedError("code", fault)

    async def whose(self, link_code: str, visit: Visit) -> Account | None:
        """Whose password may be set: by the link, or with none, by this browser that knew the code.

        None where only passkeys sign in, too. Switching that on drops the row, in one transaction.
        """
        async with self._database.read() as session:
            row = await session.scalar(_proved(link_code, visit))
            account = await session.get(Account, row.account_id) if row and row.account_id else None
        return account if account is None or account.passkeys_only_at is None else None

    async def finish(self, link_code: str, password: str, terms: bool, visit: Visit) -> Entered:
        """Set the password. Every session and all trust end, and the second factor is asked as ever.

        Raises RefusedError.
        """
        account = await self.whose(link_code, visit)
        if account is None:
            raise RefusedError("", OVER)
        wrong = fault(password, personal_words(account.email, account.first_name, account.last_name))
        wrong = wrong or await self._breached.fault(password)
        if wrong:
            raise RefusedError("new_password", wrong)
        if not (account.terms_version or terms):
            raise RefusedError("terms", TERMS)
        password_hash = await self._hasher.hash(password)
        async with self._database.write() as session:
            row = await session.scalar(_proved(link_code, visit))
            if row is None or row.account_id != account.id:
                raise RefusedError("", OVER)
            await self._set(session, account, password_hash, visit)
        self._changes.wake()
        return await self._second.begin(account.id, signin.PASSWORD, visit, knew=password_hash)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(PasswordReset).where(PasswordReset.expires_at < now))

    async def _asked(self, visit: Visit) -> PasswordReset | None:
        """What this browser asked for."""
        async with self._database.read() as session:
            return await session.scalar(_of_browser(visit))

    async def _set(self, session: AsyncSession, before: Account, password_hash: str, visit: Visit) -> None:
        """before: the account with the password that it had."""
        account_id, old_hash = before.id, before.password_hash
        account = await session.get_one(Account, account_id)
        account.password_hash = password_hash
        account.terms_version = account.terms_version or TERMS_VERSION
        await trusted.forget_all(session, account_id)
        await applications.shut_out(session, account_id)
        for table in (Session, SignIn, PasswordReset, EmailChange, ApiToken):
            await session.execute(delete(table).where(table.account_id == account_id))
        if not signin.two_factor(await holdings(session, account_id, visit)):
            # This browser has just proved the e-mail, as a new one would have to.
            await trusted.trust(session, account_id, visit)
        steps = undo.setting(password_hash=old_hash) if old_hash else ()
        await self._changes.tell(session, "password_reset", "", visit, before, steps)

    async def _send_soon(self, *about: Any) -> None:
        """At a moment that is drawn: else the next answer would tell, by its delay, that there is work."""
        await asyncio.sleep(DRAW.uniform(0, self.soon_s))
        await self._send(*about)

    async def _send(self, reset_id: str, who: str, code: str, link_code: str, visit: Visit) -> None:
        async with self._database.write() as session:
            row = await session.get(PasswordReset, reset_id)
            account = await session.scalar(_named(who))
            if row is None or account is None or account.disabled_at is not None:
                return
            note(session, account.id, "password_asked", visit)
            closed = account.passkeys_only_at is not None  # a password would open nothing
            row.account_id = None if closed else account.id  # nobody's: its code and its link are wrong
            link = links.link_to(f"{self._url}/forgotten/link", link_code)
            with letters.to(account):
                asked = letters.reset(code, link, account.email, self._url)
                text = letters.reset_closed(self._url) if closed else asked
            late_at = row.expires_at
            await self._post.add(
                session, account.email, text, visit.now, about=_about(row), expires_at=late_at
            )
        self._post.wake()

    def _fault(self, row: PasswordReset | None, code: str) -> str | None:
        """Why the code is refused, or None. Counts a try."""
        if row is None or row.tries >= TRIES:
            return OVER
        row.tries += 1
        right = self._box.is_hash(row.code_hash, "reset code", row.id, code)
        return None if right and row.account_id else WRONG_CODE

    def _hash(self, reset_id: str, code: str) -> str:
        return self._box.keyed_hash("reset code", reset_id, code)


def _about(row: PasswordReset) -> str:
    """The purpose of its message."""
    return f"reset {row.id}"


def _named(who: str):
    return select(Account).where(or_(Account.email == who, Account.user_name == who))


def _mine(visit: Visit):
    return PasswordReset.browser_hash == visit.browser_hash, PasswordReset.expires_at > visit.now


def _of_browser(visit: Visit):
    return select(PasswordReset).where(*_mine(visit))


def _proved(link_code: str, visit: Visit):
    if not link_code:
        return _of_browser(visit).where(PasswordReset.proved.is_(True))
    found = PasswordReset.link_hash == token_hash(link_code)
    return select(PasswordReset).where(found, PasswordReset.expires_at > visit.now)
