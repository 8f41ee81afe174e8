"""Passkeys of an account (G3): made, named, used and removed. ceremonies.py says what is right."""

from __future__ import annotations

import logging

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import ceremonies, passkeys_only, proof, signin, undo
from host_tools.cloud.accounts.again import count
from host_tools.cloud.accounts.ceremonies import NOT_SIGNED, Answer, Made, Site
from host_tools.cloud.accounts.challenges import Challenges
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.factors import Factors, Verdict
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, SignIn
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.secret_box import new_id

PASSKEYS_MAX = 10
ADD, FIRST, SECOND, AGAIN = "add", "first step", "second step", "again"  # what a challenge is for
TOO_MANY = N_("An account holds %(count)s passkeys. Remove one first.")
HELD = N_("That passkey is in use here already.")
OVER = N_("That took too long. Begin again.")
DOUBTED = N_("This passkey's counter went back: there may be a copy of it. Use another way, then remove it.")

log = logging.getLogger("cloud.accounts")


class Passkeys:
    def __init__(
        self, database: Database, challenges: Challenges, factors: Factors, changes: Changes, site: Site
    ):
        self._database = database
        self._challenges = challenges
        self._factors = factors
        self._changes = changes
        self._site = site

    @property
    def possible(self) -> bool:
        """Browsers know no passkey for an address, only for a name."""
        return not self._site.name.replace(".", "").isdigit() and ":" not in self._site.name

    async def of(self, account_id: str) -> list[Passkey]:
        async with self._database.read() as session:
            return list(await session.scalars(_of_account(account_id)))

    async def begin(self, password: str, visit: Visit) -> str:
        """What the browser is to make, for whoever knows the password: the challenge is the proof of it.

        Returns JSON. Raises RefusedError.
        """
        await self._factors.again.check("add a passkey", password, visit)
        account = visit.signed_in
        held = await self.of(account.id)
        if len(held) >= PASSKEYS_MAX:
            raise RefusedError("", TOO_MANY, count=PASSKEYS_MAX)
        challenge = self._challenges.make(ADD, visit.open_session.id, visit.now)
        known = [row.credential_id for row in held]
        return ceremonies.creation_options(
            self._site, account.id, account.email, account.name, challenge, known
        )

    async def finish(self, name: str, text: str, visit: Visit) -> list[str]:
        """Keep the passkey; every other session ends. Raises RefusedError.

        Returns ten new recovery codes where this is the account's first second factor, else none.
        """
        challenge = ceremonies.challenge_of(text)
        async with self._database.write() as session:
            fresh = await self._challenges.spend(session, challenge, ADD, visit.open_session.id, visit.now)
        if not fresh:
            raise RefusedError("", OVER)
        made = ceremonies.check_made(self._site, text, challenge)
        recovery = await self._factors.prepare(visit)
        async with self._database.write() as session:
            await self._check_room(session, made, visit)
            codes = await self._factors.chosen(session, recovery, visit)
            await count(session, (proof.SECOND,), visit)
            row = _new_passkey(visit.signed_in.id, name, made, visit.now)
            session.add(row)
            await self._changes.tell(session, "passkey_added", name, visit, steps=undo.dropping(row))
        self._changes.wake()
        return codes

    async def rename(self, passkey_id: str, name: str, visit: Visit) -> None:
        """Raises NotTheirsError."""
        async with self._database.write() as session:
            row = await _own(session, passkey_id, visit)
            row.name = name
            note(session, row.account_id, "passkey_renamed", visit, name)

    async def remove(self, passkey_id: str, password: str, visit: Visit) -> None:
        """Raises RefusedError, NotTheirsError."""
        await self._factors.again.check("remove a passkey", password, visit)
        async with self._database.write() as session:
            row = await _own(session, passkey_id, visit)
            steps = undo.restoring(row)
            await session.delete(row)
            await self._factors.dropped(session, visit)
            if row.doubted_at is None:  # one that is doubted signs in no more: it may always go
                await passkeys_only.check_left(session, visit.signed_in.id)
            await self._changes.tell(session, "passkey_removed", row.name, visit, steps=steps)
        self._changes.wake()

    def ask_first(self, visit: Visit) -> str:
        """For a browser that signs in without a password: JSON."""
        challenge = self._challenges.make(FIRST, visit.browser_hash, visit.now)
        return ceremonies.request_options(self._site, challenge)

    async def ask_second(self, row: SignIn, visit: Visit) -> str:
        """For a sign-in that waits for a passkey of its account: JSON."""
        challenge = self._challenges.make(SECOND, row.id, visit.now)
        allowed = [held.credential_id for held in await self.of(row.account_id)]
        return ceremonies.request_options(self._site, challenge, allowed)

    async def ask_again(self, visit: Visit) -> str:
        """For a session whose person is to prove who they are (proving.py): JSON."""
        challenge = self._challenges.make(AGAIN, visit.open_session.id, visit.now)
        allowed = [held.credential_id for held in await self.of(visit.signed_in.id)]
        return ceremonies.request_options(self._site, challenge, allowed)

    async def first(self, text: str, visit: Visit) -> tuple[Passkey | None, Verdict]:
        """A sign-in without a password: (the passkey that it names, what the answer is worth)."""
        async with self._database.write() as session:
            answer = ceremonies.read_answer(text)
            row = await _found(session, answer, answer.user_handle)
            verdict = await self._judge(session, row, answer, text, (FIRST, visit.browser_hash), visit)
            if row is not None and verdict.event != signin.RIGHT:
                note(session, row.account_id, "sign_in_failed", visit, signin.PASSKEY)
        self._changes.wake()
        return row, verdict

    async def check(self, session: AsyncSession, sign_in: SignIn, text: str, visit: Visit) -> Verdict:
        """As a second factor, in the caller's transaction."""
        return await self._check_of(session, sign_in.account_id, text, (SECOND, sign_in.id), visit)

    async def check_again(self, session: AsyncSession, text: str, visit: Visit) -> Verdict:
        """Of the account that is signed in, in the caller's transaction."""
        bound = (AGAIN, visit.open_session.id)
        return await self._check_of(session, visit.signed_in.id, text, bound, visit)

    async def _check_of(
        self, session: AsyncSession, account_id: str, text: str, bound: tuple[str, str], visit: Visit
    ) -> Verdict:
        try:
            answer = ceremonies.read_answer(text)
        except RefusedError as error:
            return Verdict(signin.WRONG, error.text)
        row = await _found(session, answer, account_id)
        return await self._judge(session, row, answer, text, bound, visit)

    async def _judge(
        self,
        session: AsyncSession,
        row: Passkey | None,
        answer: Answer,
        text: str,
        bound: tuple[str, str],
        visit: Visit,
    ) -> Verdict:
        fresh = await self._challenges.spend(session, answer.challenge, *bound, visit.now)
        if not fresh or row is None:
            return Verdict(signin.WRONG, _(NOT_SIGNED))
        try:
            signed = ceremonies.check_signed(self._site, text, answer.challenge, row.public_key)
        except RefusedError as error:
            return Verdict(signin.WRONG, error.text)
        if ceremonies.went_back(row.sign_count, signed) or not await _count(session, row, signed, visit.now):
            await self._doubt(session, row, visit)
            return Verdict(signin.USED, _(DOUBTED))
        return Verdict(signin.RIGHT, "")

    async def _doubt(self, session: AsyncSession, row: Passkey, visit: Visit) -> None:
        """There may be a copy: the owner is told, and this answer opens nothing."""
        log.warning("the counter of a passkey of account %s went back", row.account_id)
        row.doubted_at = visit.now
        account = await session.get_one(Account, row.account_id)
        await self._changes.tell(session, "passkey_doubted", row.name, visit, account)

    async def _check_room(self, session: AsyncSession, made: Made, visit: Visit) -> None:
        if await session.scalar(_by_credential(made.credential_id)) is not None:
            raise RefusedError("", HELD)
        if len(list(await session.scalars(_of_account(visit.signed_in.id)))) >= PASSKEYS_MAX:
            raise RefusedError("", TOO_MANY, count=PASSKEYS_MAX)


async def _count(session: AsyncSession, row: Passkey, signed: int, now: float) -> bool:
    """Write the counter where it still grows: of two answers at once with one counter, one wins."""
    grows = (Passkey.sign_count < signed) | ((Passkey.sign_count == 0) & (signed == 0))
    counted = update(Passkey).where(Passkey.id == row.id, grows)
    won = await session.scalar(counted.values(sign_count=signed, used_at=now).returning(Passkey.id))
    return won is not None


async def _found(session: AsyncSession, answer: Answer, account_id: str) -> Passkey | None:
    """The passkey that is said to have signed, where it is of that account."""
    named = _by_credential(answer.credential_id).where(Passkey.account_id == account_id)
    return await session.scalar(named)


async def _own(session: AsyncSession, passkey_id: str, visit: Visit) -> Passkey:
    row = await session.get(Passkey, passkey_id)
    if row is None or row.account_id != visit.signed_in.id:
        raise NotTheirsError
    return row


def _new_passkey(account_id: str, name: str, made: Made, now: float) -> Passkey:
    row = Passkey(id=new_id(), account_id=account_id, name=name, created_at=now, used_at=now)
    row.credential_id, row.credential_hash = (
        made.credential_id,
        ceremonies.credential_hash(made.credential_id),
    )
    row.public_key, row.sign_count, row.synced = made.public_key, made.sign_count, made.synced
    return row


def _by_credential(credential_id: bytes):
    return select(Passkey).where(Passkey.credential_hash == ceremonies.credential_hash(credential_id))


def _of_account(account_id: str):
    return select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.created_at, Passkey.id)
