"""Phone numbers of an account: proved by a text message before they are a factor; several, each removable."""

from __future__ import annotations

from sqlalchemy import select

from host_tools.cloud.accounts import codes, costs, letters, numbers, undo
from host_tools.cloud.accounts.again import count
from host_tools.cloud.accounts.answers import VOID_CODE, WRONG_CODE
from host_tools.cloud.accounts.attempts import sent_progress
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.proof import SECOND
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Phone
from host_tools.cloud.store.secret_box import new_id

PHONES_MAX = 5
HELD = N_("You have that number already.")
NO_WAY = N_("This cloud cannot send text messages. Use an authenticator app.")
TOO_MANY = N_("An account holds %(count)s phone numbers. Remove one first.")


class Phones:
    def __init__(
        self,
        database: Database,
        factors: Factors,
        sent_codes: Codes,
        turnstile: Turnstile,
        changes: Changes,
        post: Post,
    ):
        self._database = database
        self._factors = factors
        self._codes = sent_codes
        self._turnstile = turnstile
        self._changes = changes
        self._post = post

    @property
    def possible(self) -> bool:
        return "sms" in self._post.channels

    @property
    def are_called(self) -> bool:
        return "voice" in self._post.channels

    async def of(self, account_id: str) -> list[Phone]:
        async with self._database.read() as session:
            return list(await session.scalars(_of_account(account_id)))

    async def begin(self, text: str, password: str, visit: Visit) -> None:
        """Send a code to the number. Raises RefusedError."""
        if not self.possible:
            raise RefusedError("number", NO_WAY)
        number = numbers.canonical(text)
        await self._factors.again.check("add a phone number", password, visit)
        account_id = visit.signed_in.id
        held = await self.of(account_id)
        if number in [phone.number for phone in held]:
            raise RefusedError("number", HELD)
        if len(held) >= PHONES_MAX:
            raise RefusedError("", TOO_MANY, count=PHONES_MAX)
        await self._codes.allow(_bound_to(visit), account_id, number, visit)
        async with self._database.write() as session:
            await costs.spend(session, account_id, "sms", visit.now)
            with letters.to(visit.signed_in):
                await self._codes.send(
                    session, _bound_to(visit), "sms", [number], letters.short_code, visit.now
                )
        self._post.wake()

    async def pending(self, visit: Visit) -> str | None:
        """The number that this session is proving."""
        async with self._database.read() as session:
            row = await self._codes.sent(session, _bound_to(visit))
        return row.recipient if row is not None and visit.now < row.expires_at else None

    async def progress(self, visit: Visit) -> str:
        """How it stands with the message to that number (delivery/progress.py)."""
        async with self._database.read() as session:
            return await sent_progress(session, await self._codes.sent(session, _bound_to(visit)))

    async def finish(self, code: str, visit: Visit) -> list[str]:
        """Save the number that the code was sent to; every other session ends. Raises RefusedError.

        Returns ten new recovery codes where this is the account's first second factor, else none.
        """
        account = visit.signed_in
        await self._turnstile.take("code", account=account.id, address=visit.address)
        recovery_codes: list[str] = []
        fresh = await self._factors.prepare(visit)
        async with self._database.write() as session:
            row = await self._codes.sent(session, _bound_to(visit))
            number = row.recipient if row else ""
            said = await self._codes.check(session, _bound_to(visit), "".join(code.split()), visit.now)
            held = list(await session.scalars(_of_account(account.id)))
            if said == codes.RIGHT and number not in [phone.number for phone in held]:
                recovery_codes = await self._factors.chosen(session, fresh, visit)
                await count(session, (SECOND,), visit)
                phone = Phone(id=new_id(), account_id=account.id, number=number)
                phone.created_at = phone.used_at = visit.now
                session.add(phone)
                steps, hint = undo.dropping(phone), numbers.hinted(number)
                await self._changes.tell(session, "phone_added", hint, visit, steps=steps)
        if said != codes.RIGHT:
            wrong = VOID_CODE if said == codes.VOID else WRONG_CODE
            raise RefusedError("code", wrong)
        self._changes.wake()
        return recovery_codes

    async def remove(self, phone_id: str, password: str, visit: Visit) -> None:
        """Raises RefusedError, NotTheirsError."""
        await self._factors.again.check("remove a phone number", password, visit)
        async with self._database.write() as session:
            row = await session.get(Phone, phone_id)
            if row is None or row.account_id != visit.signed_in.id:
                raise NotTheirsError
            steps, hint = undo.restoring(row), numbers.hinted(row.number)
            await session.delete(row)
            await self._factors.dropped(session, visit)
            await self._changes.tell(session, "phone_removed", hint, visit, steps=steps)
        self._changes.wake()


def _of_account(account_id: str):
    return select(Phone).where(Phone.account_id == account_id).order_by(Phone.used_at.desc(), Phone.id)


def _bound_to(visit: Visit) -> str:
    return f"phone {visit.open_session.id}"
