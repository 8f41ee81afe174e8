"""Proving once more who one is, without a password (proof.py): by a passkey, elsewhere, or by a code."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import codes, letters, proof, signin
from host_tools.cloud.accounts.answers import VOID_CODE, WRONG_CODE
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.passkeys import Passkeys
from host_tools.cloud.accounts.proof import Held
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import MAIL, Post
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator, Phone, SentCode, Session
from host_tools.cloud.store.outside_models import OutsideLink
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.telegram_models import TelegramChat

CLOSED = N_("That way is not open to your account. Use another one.")
NOT_YOURS = N_("That account elsewhere is not connected to yours. Sign in there with the one that is.")


class Proving:
    """`asks_again`: the ids of the providers that ask their person again when they are told to."""

    def __init__(
        self,
        database: Database,
        factors: Factors,
        passkeys: Passkeys,
        sent_codes: Codes,
        turnstile: Turnstile,
        post: Post,
        asks_again: Iterable[str],
    ):
        self._database = database
        self._factors = factors
        self._passkeys = passkeys
        self._codes = sent_codes
        self._turnstile = turnstile
        self._post = post
        self._asks_again = frozenset(asks_again)

    async def ways(self, visit: Visit) -> tuple[str, ...]:
        async with self._database.read() as session:
            return proof.open_ways(await self._held(session, visit.signed_in))

    async def providers(self, visit: Visit) -> list[str]:
        """Those at which the person can sign in again."""
        mine = select(OutsideLink.provider).where(*self._links(visit.signed_in.id)).distinct()
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(OutsideLink.provider)))

    async def ask_passkey(self, visit: Visit) -> str:
        """What the browser is to sign: JSON."""
        return await self._passkeys.ask_again(visit)

    async def passkey(self, signed: str, visit: Visit) -> None:
        """Raises RefusedError."""
        await self._take("sign_in", visit)
        async with self._database.write() as session:
            await self._check_open(session, proof.PASSKEY, visit)
            verdict = await self._passkeys.check_again(session, signed, visit)
            await self._settle(session, proof.PASSKEY, verdict.event == signin.RIGHT, visit)
        if verdict.event != signin.RIGHT:
            self._post.wake()  # a counter that went back is told
            raise RefusedError("", verdict.text)

    async def outside(self, provider: str, subject: str, visit: Visit) -> None:
        """The provider has just asked its person again, and says who it is. Raises RefusedError."""
        async with self._database.write() as session:
            its = (OutsideLink.provider == provider, OutsideLink.subject == subject)
            mine = (*self._links(visit.signed_in.id), *its)
            known = await session.scalar(select(OutsideLink.id).where(*mine)) is not None
            await self._settle(session, proof.OUTSIDE, known, visit)
        if not known:
            raise RefusedError("", NOT_YOURS)

    async def send(self, visit: Visit) -> None:
        """A code to the account's e-mail. Raises RefusedError."""
        account = visit.signed_in
        async with self._database.read() as session:
            await self._check_open(session, proof.MAIL, visit)
        await self._codes.allow(_bound_to(visit), account.id, account.email, visit)
        async with self._database.write() as session:
            to = [account.email]
            await self._codes.send(session, _bound_to(visit), MAIL, to, letters.proof_code, visit.now)
        self._post.wake()

    async def sent(self, visit: Visit) -> SentCode | None:
        """The code that this session waits for."""
        async with self._database.read() as session:
            row = await self._codes.sent(session, _bound_to(visit))
        return row if row is not None and visit.now < row.expires_at else None

    async def code(self, way: str, text: str, visit: Visit) -> None:
        """One that is typed: of an authenticator, or of the mail. Raises RefusedError."""
        await self._take("code", visit)
        async with self._database.write() as session:
            await self._check_open(session, way, visit)
            wrong = await self._wrong_code(session, way, text, visit)
            await self._settle(session, way, not wrong, visit)
        if wrong:
            raise RefusedError("code", wrong)

    async def _wrong_code(self, session: AsyncSession, way: str, text: str, visit: Visit) -> str:
        """Why it is not right; "" where it is."""
        if way == proof.AUTHENTICATOR:
            return (
                await self._factors.check_authenticator(session, visit.signed_in.id, text, visit.now)
            ).text
        if way != proof.MAIL:
            raise RefusedError("", CLOSED)
        said = await self._codes.check(session, _bound_to(visit), "".join(text.split()), visit.now)
        return {codes.RIGHT: "", codes.VOID: VOID_CODE}.get(said, WRONG_CODE)

    async def _take(self, thing: str, visit: Visit) -> None:
        await self._turnstile.take(thing, account=visit.signed_in.id, address=visit.address)

    async def _check_open(self, session: AsyncSession, way: str, visit: Visit) -> None:
        if way not in proof.open_ways(await self._held(session, visit.signed_in)):
            raise RefusedError("", CLOSED)

    async def _settle(self, session: AsyncSession, way: str, right: bool, visit: Visit) -> None:
        """In the transaction that used the answer up."""
        note(session, visit.signed_in.id, "proved" if right else "proof_failed", visit, way)
        row = await session.get(Session, visit.open_session.id)
        if right and row is not None:
            row.proved_at = visit.now

    async def _held(self, session: AsyncSession, account: Account) -> Held:
        async def count(table, *conditions) -> int:
            mine = select(func.count()).select_from(table).where(table.account_id == account.id, *conditions)
            return await session.scalar(mine) or 0

        return Held(
            password=bool(account.password_hash),
            passkeys=await count(Passkey),
            outside=await count(OutsideLink, OutsideLink.provider.in_(self._asks_again)),
            authenticators=await count(Authenticator),
            elsewhere=await count(Phone) + await count(TelegramChat),
        )

    def _links(self, account_id: str):
        return OutsideLink.account_id == account_id, OutsideLink.provider.in_(self._asks_again)


def _bound_to(visit: Visit) -> str:
    return f"proof {visit.open_session.id}"
