"""The second step's shell: what is open, what was sent, what the answer comes to. signin.py decides."""

from __future__ import annotations

import logging
from typing import NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import signin, totp, trusted
from host_tools.cloud.accounts.answers import Answers
from host_tools.cloud.accounts.attempts import (
    START_AGAIN,
    Waiting,
    bound_to,
    locked,
    new_row,
    of_browser,
    phones_of,
    sent_progress,
    stepped,
)
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note, note_within
from host_tools.cloud.accounts.factors import Verdict
from host_tools.cloud.accounts.holdings import holdings
from host_tools.cloud.accounts.sending import Sending
from host_tools.cloud.accounts.sessions import begin_session
from host_tools.cloud.accounts.turnstile import Turnstile, Who
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_, reader
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, SignIn
from host_tools.cloud.store.passkey_models import Passkey

DISABLED = N_("This account is disabled. Write to support.")
TABLE, ACCOUNTS = SignIn.metadata.tables[SignIn.__tablename__], Account.metadata.tables[Account.__tablename__]
ADD = insert(TABLE)
DROP = delete(TABLE).where(TABLE.c.browser_hash == bindparam("browser"))  # one browser has one sign-in
THEM = ACCOUNTS.c.id == bindparam("account")
PERSON = select(
    ACCOUNTS.c.disabled_at, ACCOUNTS.c.language, ACCOUNTS.c.factor_asked_at, ACCOUNTS.c.password_hash
).where(THEM)
PASSKEYS = Passkey.metadata.tables[Passkey.__tablename__]
HELD = select(PASSKEYS.c.id).where(PASSKEYS.c.id == bindparam("passkey"))
SPEAK = update(ACCOUNTS).where(THEM).values(language=bindparam("tag"))
ONLY_PASSKEYS = N_("Only a passkey signs in to this account.")
WRONG_PASSWORD = N_("The e-mail or the password is wrong. Try again, or set a new password.")
NOT_AGREED = N_("Nobody has agreed to it yet.")

log = logging.getLogger("cloud.accounts")


class Entered(NamedTuple):
    """Where the sign-in stands: signin.SIGNED_IN with a session token, or signin.CHALLENGE.

    `lead`: it is time to lead the person to choose a second factor (N4).
    `learned`: two codes in a row told by how much the clock of an authenticator is off.
    """

    state: str
    session_token: str | None = None
    lead: bool = False
    learned: bool = False


class OnlyPasskeysError(RefusedError):
    """The first step was right, and the account's person lets none of its kind sign in."""

    def __init__(self) -> None:
        super().__init__("", ONLY_PASSKEYS)


class Person(NamedTuple):
    """The columns of PERSON."""

    disabled_at: float | None
    language: str
    factor_asked_at: float | None
    password_hash: str


class SecondStep:
    def __init__(
        self,
        database: Database,
        turnstile: Turnstile,
        answers: Answers,
        sent_codes: Codes,
        sending: Sending,
        changes: Changes,
    ):
        self._database = database
        self._turnstile = turnstile
        self._answers = answers
        self._codes = sent_codes
        self._sending = sending
        self._changes = changes

    async def begin(
        self,
        account_id: str,
        how: str,
        visit: Visit,
        attempt_of: Who | None = None,
        knew: str | None = None,
        passkey_id: str = "",
    ) -> Entered:
        """After a first step that was right: a session, or a challenge that has been sent.

        attempt_of: whose attempt at the turnstile was honest; it is given back.
        knew: the hash of the password that was right. Hashing takes its time: the account may have another
        one by now, or be gone.
        passkey_id: of the passkey that signed, where one did: it may have been removed by now.
        Raises RefusedError, OnlyPasskeysError.
        """
        async with self._database.brief() as session:
            if attempt_of:
                await self._turnstile.give_back_within(session, "sign_in", **attempt_of)
            person = await _person(session, account_id)
            held = await holdings(session, account_id, visit)
            known = await trusted.is_trusted(session, account_id, visit)
            if knew not in (None, person.password_hash):
                raise RefusedError("password", WRONG_PASSWORD)
            if passkey_id and await session.scalar(HELD, {"passkey": passkey_id}) is None:
                raise RefusedError("", START_AGAIN)
            event = signin.first_event(True, how, known, bool(held.passkeys_only))
            if event == signin.WRONG:
                raise OnlyPasskeysError
            offered = signin.open_methods(held)
            asked = offered[0] if offered else ""
            attempt = signin.step(signin.begin(visit.now), event, visit.now, asked, offered)
            await session.execute(DROP, {"browser": visit.browser_hash})
            if person.disabled_at is not None:
                raise RefusedError("", DISABLED)
            if attempt.state == signin.SIGNED_IN:
                chosen = signin.two_factor(held)
                return await self._let_in(session, account_id, how, person, not chosen, visit)
            await session.execute(ADD, new_row(account_id, how, attempt, visit))
        await self._send_first(visit)
        return Entered(attempt.state)

    async def waiting(self, visit: Visit) -> Waiting | None:
        """This browser's sign-in between its steps."""
        async with self._database.read() as session:
            row = await session.scalar(of_browser(visit))
            if row is None:
                return None
            held = await holdings(session, row.account_id, visit)
            account = await session.get_one(Account, row.account_id)
            sent = await self._codes.sent(session, bound_to(row))
            phones = list(await session.scalars(phones_of(row.account_id)))
            offered, chosen = signin.open_methods(held), signin.two_factor(held)
            progress = await sent_progress(session, sent)
            return Waiting(row, account, offered, chosen, sent, phones, progress)

    async def choose(self, method: str, phone_id: str, visit: Visit) -> str:
        """Ask another way, and send what it takes. Returns the method that is asked now, as `send` does.

        Raises RefusedError.
        """
        async with self._database.write() as session:
            row = await locked(session, visit)
            await stepped(session, row, signin.CHOSEN, method, visit)
            row.phone_id = phone_id
        return await self.send(visit)

    async def send(self, visit: Visit) -> str:
        """Send the code, or ring again. After too many calls it is a text message. Raises RefusedError."""
        waiting = await self.waiting(visit)
        if waiting is None or waiting.row.method not in waiting.offered:
            raise RefusedError("", START_AGAIN)
        method = waiting.row.method
        following = signin.instead(method, waiting.sent.sends if waiting.sent else 0)
        if following != method:
            return await self.choose(following, waiting.row.phone_id, visit)
        await self._sending.send(waiting, visit)
        return method

    async def answer(self, text: str, wants_trust: bool, visit: Visit) -> Entered:
        """A typed code, or what a passkey signed (JSON). Raises RefusedError."""
        waiting = await self.waiting(visit)
        if waiting is None:
            raise RefusedError("", START_AGAIN)
        await self._turnstile.take("code", account=waiting.row.account_id, address=visit.address)
        prepared = await self._answers.prepared(waiting.row, text)
        async with self._database.write() as session:
            row = await locked(session, visit)
            if (row.id, row.method) != (waiting.row.id, waiting.row.method):  # `prepared` is for another
                raise RefusedError("", START_AGAIN)
            meant = self._answers.meant(row, text)
            if meant != row.method:
                await stepped(session, row, signin.CHOSEN, meant, visit)
            held = await holdings(session, row.account_id, visit)
            offered = signin.open_methods(held)  # before the answer: the last recovery code is used up by it
            verdict = await self._answers.judge(session, row, prepared, visit)
            entered = await self._answered(session, row, verdict, offered, wants_trust, visit)
        self._sending.wake()  # a passkey that is doubted is told of
        return _said(entered, verdict)

    async def take(self, wants_trust: bool, visit: Visit) -> Entered:
        """After somebody agreed elsewhere: go in. Raises RefusedError where nobody has."""
        async with self._database.write() as session:
            row = await locked(session, visit)
            if row.state != signin.APPROVED:
                raise RefusedError("", NOT_AGREED)
            after = await stepped(session, row, signin.TAKEN, row.method, visit)
            if after.state != signin.SIGNED_IN:
                raise RefusedError("", START_AGAIN)
            return await self._finish(session, row, wants_trust, visit)

    async def _answered(
        self,
        session: AsyncSession,
        row: SignIn,
        verdict: Verdict,
        offered: tuple[str, ...],
        wants_trust: bool,
        visit: Visit,
    ) -> Entered:
        after = await stepped(session, row, verdict.event, row.method, visit, offered)
        if after.state == signin.SIGNED_IN:
            return await self._finish(session, row, wants_trust, visit)
        if after.state == signin.VOID:
            # Somebody knows the password, or what stands for it, and has not got the second factor.
            account = await session.get_one(Account, row.account_id)
            await self._changes.tell(session, "sign_in_failed", row.method, visit, account)
            await session.delete(row)
        else:
            note(session, row.account_id, "sign_in_failed", visit, row.method)
        return Entered(after.state)

    async def _finish(self, session: AsyncSession, row: SignIn, wants_trust: bool, visit: Visit) -> Entered:
        """The session; and trust, where it was ticked, or where nothing else was set up."""
        chosen = signin.two_factor(await holdings(session, row.account_id, visit))
        if wants_trust or not chosen:
            await trusted.trust(session, row.account_id, visit)
        await self._codes.drop(session, bound_to(row))
        await session.delete(row)
        person, how = await _person(session, row.account_id), row.method or row.first
        return await self._let_in(session, row.account_id, how, person, not chosen, visit)

    async def _let_in(
        self, session: Transaction, account_id: str, how: str, person: Person, unchosen: bool, visit: Visit
    ) -> Entered:
        await trusted.use(session, account_id, visit)
        if not person.language:  # of an imported customer
            await session.execute(SPEAK, {"account": account_id, "tag": reader().tag})
        await note_within(session, account_id, "signed_in", visit, how)
        log.info("account %s signed in from %s", account_id, visit.address)
        token = await begin_session(session, account_id, visit)
        return Entered(signin.SIGNED_IN, token, unchosen and person.factor_asked_at is None)

    async def _send_first(self, visit: Visit) -> None:
        try:
            await self.send(visit)
        except RefusedError:
            log.info("a code was held back: too many were sent")  # the page offers to send it later


async def _person(session: Transaction, account_id: str) -> Person:
    """Raises RefusedError where the account was deleted in the meantime."""
    found = (await session.execute(PERSON, {"account": account_id})).all()
    if not found:
        raise RefusedError("", START_AGAIN)
    return Person(*found[0])


def _said(entered: Entered, verdict: Verdict) -> Entered:
    """What a typed answer comes to on the page."""
    if entered.state == signin.VOID:
        raise RefusedError("", START_AGAIN)
    if entered.state != signin.SIGNED_IN:
        raise RefusedError("code", verdict.text)
    return entered._replace(learned=verdict.said == totp.LEARNED)
