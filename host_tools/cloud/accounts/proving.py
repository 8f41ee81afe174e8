"""Proving once more who one is on its own page (proof.py): by the password, a passkey, elsewhere, a code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import codes, costs, letters, proof, signin
from host_tools.cloud.accounts.again import Again, proved_in, settle
from host_tools.cloud.accounts.answers import VOID_CODE, WRONG_CODE
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.passkeys import Passkeys
from host_tools.cloud.accounts.proof import BOTH, FIRST, Held
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Authenticator, Phone, RecoveryCode, SentCode
from host_tools.cloud.store.outside_models import OutsideLink
from host_tools.cloud.store.passkey_models import Passkey
from host_tools.cloud.store.telegram_models import TelegramChat

CLOSED = N_("That way is not open to your account. Use another one.")
NOT_YOURS = N_("That account elsewhere is not connected to yours. Sign in there with the one that is.")


class Step(NamedTuple):
    """What the page asks for now: the part that is missing ("" where none is), and its ways."""

    part: str
    ways: tuple[str, ...]
    two_factor: bool


class Proving:
    """`asks_again`: the ids of the providers that ask their person again when they are told to."""

    def __init__(
        self,
        database: Database,
        factors: Factors,
        again: Again,
        passkeys: Passkeys,
        sent_codes: Codes,
        turnstile: Turnstile,
        post: Post,
        asks_again: Iterable[str],
    ):
        self._database = database
        self._factors = factors
        self._again = again
        self._passkeys = passkeys
        self._codes = sent_codes
        self._turnstile = turnstile
        self._post = post
        self._asks_again = frozenset(asks_again)

    async def step(self, visit: Visit) -> Step:
        """Towards a proof in full."""
        async with self._database.read() as session:
            held = await self._held(session, visit.signed_in)
        done = proved_in(visit).parts(visit.now)
        missing = [part for part in (BOTH if held.two_factor else (FIRST,)) if part not in done]
        if not missing:
            return Step("", (), held.two_factor)
        return Step(missing[0], proof.open_ways(held, missing[0], visit.channels), held.two_factor)

    async def providers(self, visit: Visit) -> list[str]:
        """Those at which the person can sign in again."""
        mine = select(OutsideLink.provider).where(*self._links(visit.signed_in.id)).distinct()
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(OutsideLink.provider)))

    async def ask_passkey(self, visit: Visit) -> str:
        """What the browser is to sign: JSON."""
        return await self._passkeys.ask_again(visit)

    async def password(self, text: str, visit: Visit) -> None:
        """Raises RefusedError."""
        async with self._database.read() as session:
            await self._check_open(session, proof.PASSWORD, visit)
        try:
            await self._again.check_password(text, visit)
        except RefusedError:
            async with self._database.write() as session:
                await self._settle(session, proof.PASSWORD, False, visit)
            raise
        async with self._database.write() as session:
            await self._check_open(session, proof.PASSWORD, visit)  # it may have been closed since
            token = await self._settle(session, proof.PASSWORD, True, visit)
        visit.renewed_token = token

    async def passkey(self, signed: str, visit: Visit) -> None:
        """Raises RefusedError."""
        await self._take("sign_in", visit)
        async with self._database.write() as session:
            await self._check_open(session, proof.PASSKEY, visit)
            verdict = await self._passkeys.check_again(session, signed, visit)
            token = await self._settle(session, proof.PASSKEY, verdict.event == signin.RIGHT, visit)
        visit.renewed_token = token
        if verdict.event != signin.RIGHT:
            self._post.wake()  # a counter that went back is told
            raise RefusedError("", verdict.text)

    async def outside(self, provider: str, subject: str, visit: Visit) -> None:
        """The provider has just asked its person again, and says who it is. Raises RefusedError."""
        async with self._database.write() as session:
            await self._check_open(session, proof.OUTSIDE, visit)
            its = (OutsideLink.provider == provider, OutsideLink.subject == subject)
            mine = (*self._links(visit.signed_in.id), *its)
            known = await session.scalar(select(OutsideLink.id).where(*mine)) is not None
            token = await self._settle(session, proof.OUTSIDE, known, visit)
        visit.renewed_token = token
        if not known:
            raise RefusedError("", NOT_YOURS)

    async def send(self, way: str, visit: Visit) -> None:
        """A code, by mail, text message or in every chat. Raises RefusedError."""
        account, bound = visit.signed_in, _bound_to(way, visit)
        async with self._database.read() as session:
            await self._check_open(session, way, visit)
            recipients = await _recipients(session, way, account)
        channel, text_of = proof.BY_NAME[way].channel, _text_of(way)
        if not recipients or not channel:
            raise RefusedError("", CLOSED)
        await self._codes.allow(bound, account.id, recipients[0], visit)
        async with self._database.write() as session:
            await costs.spend(session, account.id, channel, visit.now)
            with letters.to(account):
                await self._codes.send(session, bound, channel, recipients, text_of, visit.now)
        self._post.wake()

    async def sent(self, ways: Iterable[str], visit: Visit) -> dict[str, SentCode]:
        """The codes that this session waits for, by their way."""
        async with self._database.read() as session:
            rows = {way: await self._codes.sent(session, _bound_to(way, visit)) for way in ways}
        return {way: row for way, row in rows.items() if row is not None and visit.now < row.expires_at}

    async def code(self, way: str, text: str, visit: Visit) -> None:
        """One that is typed. Raises RefusedError."""
        await self._take("code", visit)
        if way == proof.RECOVERY:  # before the transaction: it takes long
            text = await self._factors.recovery.hashed(visit.signed_in.id, text)
        async with self._database.write() as session:
            await self._check_open(session, way, visit)
            wrong = await self._wrong_code(session, way, text, visit)
            token = await self._settle(session, way, not wrong, visit)
        visit.renewed_token = token
        if wrong:
            raise RefusedError("code", wrong)

    async def _wrong_code(self, session: AsyncSession, way: str, text: str, visit: Visit) -> str:
        """Why it is not right; "" where it is."""
        account_id, by = visit.signed_in.id, visit.open_session.id
        if way == proof.AUTHENTICATOR:
            return (await self._factors.check_authenticator(session, account_id, text, by, visit)).text
        if way == proof.RECOVERY:
            return (await self._factors.check_recovery(session, account_id, text, visit.now)).text
        if not proof.BY_NAME[way].channel:
            raise RefusedError("", CLOSED)
        said = await self._codes.check(session, _bound_to(way, visit), "".join(text.split()), visit.now)
        return {codes.RIGHT: "", codes.VOID: VOID_CODE}.get(said, WRONG_CODE)

    async def _take(self, thing: str, visit: Visit) -> None:
        await self._turnstile.take(thing, account=visit.signed_in.id, address=visit.address)

    async def _check_open(self, session: AsyncSession, way: str, visit: Visit) -> None:
        parts = proof.BY_NAME[way].parts if way in proof.BY_NAME else ()
        held = await self._held(session, visit.signed_in)
        if not any(way in proof.open_ways(held, part, visit.channels) for part in parts):
            raise RefusedError("", CLOSED)

    async def _settle(self, session: AsyncSession, way: str, right: bool, visit: Visit) -> str | None:
        """In the transaction that used the answer up. Returns the session's new token."""
        note(session, visit.signed_in.id, "proved" if right else "proof_failed", visit, way)
        return await settle(session, proof.BY_NAME[way].parts, visit) if right else None

    async def _held(self, session: AsyncSession, account: Account) -> Held:
        async def count(table, *conditions) -> int:
            mine = select(func.count()).select_from(table).where(table.account_id == account.id, *conditions)
            return await session.scalar(mine) or 0

        passkeys_only = select(Account.passkeys_only_at).where(Account.id == account.id)
        return Held(
            password=bool(account.password_hash),
            passkeys=await count(Passkey),
            outside=await count(OutsideLink, OutsideLink.provider.in_(self._asks_again)),
            authenticators=await count(Authenticator),
            phones=await count(Phone),
            chats=await count(TelegramChat),
            recovery_codes=await count(RecoveryCode, RecoveryCode.used_at.is_(None)),
            passkeys_only=await session.scalar(passkeys_only) is not None,
        )

    def _links(self, account_id: str):
        return OutsideLink.account_id == account_id, OutsideLink.provider.in_(self._asks_again)


def _bound_to(way: str, visit: Visit) -> str:
    return f"proof {way} {visit.open_session.id}"


def _text_of(way: str) -> Callable[[str], Text]:
    return letters.proof_code if way == proof.MAIL else letters.short_code


async def _recipients(session: AsyncSession, way: str, account: Account) -> list[str]:
    """The e-mail, the number that served last, or every chat."""
    if way == proof.SMS:
        mine = select(Phone.number).where(Phone.account_id == account.id)
        return list(await session.scalars(mine.order_by(Phone.used_at.desc(), Phone.id).limit(1)))
    if way == proof.TELEGRAM:
        chats = select(TelegramChat.chat).where(TelegramChat.account_id == account.id)
        return list(await session.scalars(chats))
    return [account.email]
