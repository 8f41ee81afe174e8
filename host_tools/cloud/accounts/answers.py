"""What an answer to a challenge is worth, by the method that was asked. signin.py decides what follows."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import codes, recovery, signin
from host_tools.cloud.accounts.attempts import bound_to, phones_of
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.factors import Factors, Verdict
from host_tools.cloud.accounts.passkeys import Passkeys
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.models import SignIn

WRONG_CODE = N_("That code is not right. Check the newest message, or send another code.")
VOID_CODE = N_("That code is no longer valid. Send another code.")


class Answers:
    """`verdict = await answers.judge(...)` in the transaction that makes the session: what is used up there
    is used up only with it.
    """

    def __init__(self, factors: Factors, sent_codes: Codes, passkeys: Passkeys):
        self._factors = factors
        self._codes = sent_codes
        self._passkeys = passkeys

    def meant(self, row: SignIn, text: str) -> str:
        """The method that the text answers: a recovery code may stand in the authenticator's field."""
        if row.method == "authenticator" and recovery.looks_like_one(text):
            return "recovery"
        return row.method

    async def prepared(self, row: SignIn, text: str) -> str:
        """The text as `judge` takes it: what takes long is done before its transaction. Raises BusyError."""
        if self.meant(row, text) == "recovery":
            return await self._factors.recovery.hashed(row.account_id, text)
        return text

    async def judge(self, session: AsyncSession, row: SignIn, text: str, visit: Visit) -> Verdict:
        if row.method == "authenticator":
            return await self._factors.check_authenticator(session, row.account_id, text, row.id, visit)
        if row.method == "recovery":
            return await self._factors.check_recovery(session, row.account_id, text, visit.now)
        if row.method == signin.PASSKEY:
            return await self._passkeys.check(session, row, text, visit)
        return await self._sent_code(session, row, text, visit.now)

    async def _sent_code(self, session: AsyncSession, row: SignIn, text: str, now: float) -> Verdict:
        said = await self._codes.check(session, bound_to(row), "".join(text.split()), now)
        if said != codes.RIGHT:
            wrong = VOID_CODE if said == codes.VOID else WRONG_CODE
            return Verdict(signin.WRONG, _(wrong))
        await _used_phone(session, row, now)
        return Verdict(signin.RIGHT, "")


async def _used_phone(session: AsyncSession, row: SignIn, now: float) -> None:
    if row.method not in signin.BY_PHONE:
        return
    phones = list(await session.scalars(phones_of(row.account_id)))
    used = next((phone for phone in phones if phone.id == row.phone_id), phones[0])
    used.used_at = now
