"""Sign-up: names, e-mail, country, password, terms; then the e-mail is confirmed by a code or a link.

The answers are the same whether or not the e-mail has an account; what differs is the message, which only
its owner reads. Until the e-mail is confirmed there is no account, only a row in `sign_ups`: a stranger who
signs up with somebody's address has prepared nothing.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud import links
from host_tools.cloud.accounts.errors import RefusedError, ThrottledError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.sessions import begin_session
from host_tools.cloud.accounts.trusted import trust
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.zones import zone_of
from host_tools.cloud.breached.collection import BreachedPasswords
from host_tools.cloud.delivery import texts
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.languages.text import N_, reader, speaking
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, SignIn, SignUp
from host_tools.cloud.store.secret_box import SecretBox, new_id, token_hash

TERMS_VERSION = "2026-11"
CODE_S = 600
WHOLE_S = 24 * 3600  # the link, which nobody can guess, may wait for the evening
CODE_TRIES = 5
RESEND_S = 30
WRONG_CODE = N_("That code is not right. Check the newest message, or send another code.")
VOID_CODE = N_("That code is no longer valid. Send another code.")


class NewPerson(NamedTuple):
    first_name: str
    last_name: str
    email: str
    country: str
    password: str


class SignUps:
    def __init__(
        self,
        database: Database,
        box: SecretBox,
        hasher: Hasher,
        breached: BreachedPasswords,
        turnstile: Turnstile,
        post: Post,
        public_url: str,
    ):
        self._database = database
        self._box = box
        self._hasher = hasher
        self._breached = breached
        self._turnstile = turnstile
        self._post = post
        self._public_url = public_url

    async def begin(self, person: NewPerson, visit: Visit) -> None:
        """Keep the sign-up and send its message. Raises RefusedError."""
        await self._turnstile.take("sign_up", account=person.email, address=visit.address)
        # Behind the turnstile: strangers shall not use up what the service answers us.
        if wrong := await self._breached.fault(person.password):
            raise RefusedError("password", wrong)
        password_hash = await self._hasher.hash(person.password)
        async with self._database.write() as session:
            taken = await session.scalar(select(Account.id).where(Account.email == person.email))
            await session.execute(
                delete(SignUp).where(SignUp.browser_hash == token_hash(visit.browser_token))
            )
            row = _new_row(person, password_hash, taken is not None, visit)
            session.add(row)
            await self._send(session, row, visit.now)
        self._post.wake()

    async def pending(self, visit: Visit) -> SignUp | None:
        """The sign-up that this browser began and has not confirmed."""
        async with self._database.read() as session:
            return await session.scalar(_of_browser(visit))

    async def resend(self, visit: Visit) -> None:
        """Send a new code and a new link; the old ones are void. Raises RefusedError."""
        async with self._database.write() as session:
            row = await session.scalar(_of_browser(visit))
            if row is None:
                raise RefusedError("", "This sign-up has expired. Start again.")
            if visit.now < row.sent_at + RESEND_S:
                raise ThrottledError(row.sent_at + RESEND_S - visit.now)
        await self._turnstile.take("sign_up", account=row.email, address=visit.address)
        async with self._database.write() as session:
            again = await session.get(SignUp, row.id)
            if again is not None:
                await self._send(session, again, visit.now)
        self._post.wake()

    async def confirm_code(self, code: str, visit: Visit, zone: str = "") -> str:
        """Create the account and return a session token. Raises RefusedError on the field `code`.

        zone: what the browser says of its time zone.
        """
        if await self.pending(visit) is None:
            raise RefusedError("code", VOID_CODE)  # there is nothing to guess, and nothing to count
        await self._turnstile.take("mailed_code", account=visit.browser_hash, address=visit.address)
        async with self._database.write() as session:
            row = await session.scalar(_of_browser(visit))
            fault = self._code_fault(row, code, visit.now)
            token = None if fault or row is None else await _create_account(session, row, visit, zone)
        if token is None:
            wrong = fault or WRONG_CODE
            raise RefusedError("code", wrong)
        return token

    async def by_link(self, link_code: str, now: float) -> SignUp | None:
        async with self._database.read() as session:
            return await session.scalar(_of_link(link_code, now))

    async def confirm_link(self, link_code: str, password: str, visit: Visit, zone: str = "") -> str:
        """Create the account and return a session token.

        Another browser than the one that signed up must know the password: else a stranger could sign up with
        somebody's address, and its owner's click would hand the stranger a confirmed account.
        """
        row = await self.by_link(link_code, visit.now)
        if row is None:
            raise RefusedError("", "This link has been used or has expired. Sign in, or sign up again.")
        if not self.same_browser(row, visit):
            await self._check_password(row, password, visit)
        async with self._database.write() as session:
            again = await session.scalar(_of_link(link_code, visit.now))
            token = None if again is None else await _create_account(session, again, visit, zone)
        if token is None:
            raise RefusedError("", "This link has been used or has expired. Sign in, or sign up again.")
        return token

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(SignUp).where(SignUp.expires_at < now))
            await session.execute(delete(SignIn).where(SignIn.expires_at < now))

    def same_browser(self, row: SignUp, visit: Visit) -> bool:
        return row.browser_hash == token_hash(visit.browser_token)

    async def _check_password(self, row: SignUp, password: str, visit: Visit) -> None:
        await self._turnstile.take("sign_in", account=row.email, address=visit.address)
        if not await self._hasher.matches(row.password_hash, password):
            raise RefusedError(
                "password", "That is not the password of this sign-up. Try again, or sign up anew."
            )

    def _code_fault(self, row: SignUp | None, code: str, now: float) -> str | None:
        """Why the code is refused, or None. Counts a try."""
        if row is None or row.tries >= CODE_TRIES or now >= row.code_expires_at:
            return VOID_CODE
        row.tries += 1
        right = self._box.is_hash(row.code_hash, "sign-up code", row.id, code)
        return None if right and not row.taken else WRONG_CODE

    async def _send(self, session: AsyncSession, row: SignUp, now: float) -> None:
        code, link_code = f"{secrets.randbelow(10**6):06d}", links.new_code()
        row.code_hash = self._box.keyed_hash("sign-up code", row.id, code)
        row.link_hash = token_hash(link_code)
        row.tries = 0
        row.sent_at = now
        row.code_expires_at = now + CODE_S
        link = links.link_to(f"{self._public_url}/confirm/link", link_code)
        text = await self._text(session, row, code, link)
        await self._post.add(session, row.email, text, now)

    async def _text(self, session: AsyncSession, row: SignUp, code: str, link: str) -> Text:
        """In the language of the browser that asks; to whom has an account, in that account's."""
        known = select(Account.language, Account.time_zone).where(Account.email == row.email)
        found = (await session.execute(known)).one_or_none()  # looked for either way: nobody waits longer
        if not row.taken:
            return texts.confirm_email(code, link)
        language, zone = found or ("", "")
        with speaking(language or reader().tag, zone):
            return texts.already_signed_up(self._public_url)


def _new_row(person: NewPerson, password_hash: str, taken: bool, visit: Visit) -> SignUp:
    return SignUp(
        id=new_id(),
        browser_hash=token_hash(visit.browser_token),
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        country=person.country,
        password_hash=password_hash,
        terms_version=TERMS_VERSION,
        taken=taken,
        expires_at=visit.now + WHOLE_S,
    )


async def _create_account(session: AsyncSession, row: SignUp, visit: Visit, zone: str) -> str | None:
    """The account and its first session; None where the e-mail got an account in the meantime."""
    if row.taken or await session.scalar(select(Account.id).where(Account.email == row.email)):
        return None
    account = Account(
        id=new_id(),
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        country=row.country,
        password_hash=row.password_hash,
        terms_version=row.terms_version,
        language=reader().tag,
        time_zone=zone_of(zone, row.country),
        created_at=visit.now,
    )
    session.add(account)
    await session.delete(row)
    # Others with this e-mail go on looking as they did: that they end would tell a stranger of the account.
    await session.execute(update(SignUp).where(SignUp.email == row.email).values(taken=True))
    await session.flush()
    note(session, account.id, "account_made", visit)
    await trust(session, account.id, visit)  # it has just proved the e-mail, as a new browser would have to
    return await begin_session(session, account.id, visit)


def _of_browser(visit: Visit):
    mine = SignUp.browser_hash == token_hash(visit.browser_token)
    return select(SignUp).where(mine, SignUp.expires_at > visit.now)


def _of_link(link_code: str, now: float):
    found = SignUp.link_hash == token_hash(link_code)
    return select(SignUp).where(found, SignUp.taken.is_(False), SignUp.expires_at > now)
