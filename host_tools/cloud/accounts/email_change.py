"""Another e-mail for an account (K5): asked for with the password, agreed to at both addresses, and for three
days undone by a link that the old address gets.

Nothing tells whether the new address has an account: the page waits, and only that address is told.
"""

from __future__ import annotations

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters, undo
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.emails import hinted
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.sessions import end_other_sessions
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery import progress
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.delivery.queue import for_purpose
from host_tools.cloud.languages.text import N_
from host_tools.cloud.links import link_to, new_code
from host_tools.cloud.store.account_models import EmailChange, PasswordReset
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, SignIn
from host_tools.cloud.store.secret_box import token_hash

CHANGE_S = 24 * 3600
SAME = N_("That is the e-mail you have.")
OVER = N_("This link has been used, a newer one replaced it, or a day has passed.")
WAITING, CHANGED = "waiting", "changed"
OLD, NEW = "old", "new"


class EmailChanges:
    def __init__(
        self,
        database: Database,
        factors: Factors,
        turnstile: Turnstile,
        changes: Changes,
        post: Post,
        url: str,
    ):
        self._database = database
        self._factors = factors
        self._turnstile = turnstile
        self._changes = changes
        self._post = post
        self._url = url

    async def begin(self, email: str, password: str, visit: Visit) -> None:
        """Write to both addresses. Raises RefusedError."""
        await self._factors.again.check("change the e-mail", password, visit)
        account = visit.signed_in
        if email == account.email:
            raise RefusedError("email", SAME)
        await self._turnstile.take("send", account=account.id, address=visit.address)
        await self._turnstile.take("send_to", account=email, address=visit.address)
        old_code, new_one = new_code(), new_code()
        async with self._database.write() as session:
            await session.execute(delete(EmailChange).where(EmailChange.account_id == account.id))
            row = EmailChange(account_id=account.id, email=email, session_id=visit.open_session.id)
            row.old_hash, row.new_hash = token_hash(old_code), token_hash(new_one)
            row.expires_at = visit.now + CHANGE_S
            session.add(row)
            note(session, account.id, "email_asked", visit, hinted(email))
            await self._write(session, account, email, (old_code, new_one), visit.now)
        self._post.wake()

    async def pending(self, account_id: str, now: float) -> EmailChange | None:
        async with self._database.read() as session:
            row = await session.get(EmailChange, account_id)
        return row if row is not None and row.expires_at > now else None

    async def progress(self, row: EmailChange) -> tuple[str, str]:
        """How it stands with the message to the old address, and with that to the new one."""

        async def of(side: str) -> str:
            purpose = for_purpose(_about(row.account_id, side), row.expires_at - CHANGE_S)
            return progress.of_all(await session.scalars(purpose))

        async with self._database.read() as session:
            return await of(OLD), await of(NEW)

    async def cancel(self, visit: Visit) -> None:
        async with self._database.write() as session:
            mine = EmailChange.account_id == visit.signed_in.id
            await session.execute(delete(EmailChange).where(mine))

    async def by_link(self, code: str, now: float) -> tuple[EmailChange, Account] | None:
        async with self._database.read() as session:
            row = await session.scalar(_by_code(code, now))
            return (row, await session.get_one(Account, row.account_id)) if row else None

    async def agree(self, code: str, visit: Visit) -> str:
        """WAITING for the other address, or CHANGED. Raises RefusedError."""
        async with self._database.write() as session:
            row = await session.scalar(_by_code(code, visit.now))
            if row is None:
                raise RefusedError("", OVER)
            if row.old_hash == token_hash(code):
                row.old_agreed_at = visit.now
            else:
                row.new_agreed_at = visit.now
            if row.old_agreed_at is None or row.new_agreed_at is None:
                return WAITING
            await self._change(session, row, visit)
        self._post.wake()
        return CHANGED

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(EmailChange).where(EmailChange.expires_at < now))

    async def _write(
        self, session: AsyncSession, account: Account, email: str, codes: tuple[str, str], now: float
    ) -> None:
        links = [link_to(f"{self._url}/profile/email/agree", code) for code in codes]
        held_by = await _holder(session, email)
        with letters.to(account):
            old = letters.email_leaves(account.email, email, links[0], self._url)
        with letters.to(held_by or account):
            new = letters.email_is_taken(self._url) if held_by else letters.email_comes(email, links[1])
        for recipient, text, side in ((account.email, old, OLD), (email, new, NEW)):
            about = _about(account.id, side)
            await self._post.add(session, recipient, text, now, about=about, expires_at=now + CHANGE_S)

    async def _change(self, session: AsyncSession, row: EmailChange, visit: Visit) -> None:
        if await _holder(session, row.email) is not None:
            raise RefusedError("", OVER)
        account = await session.get_one(Account, row.account_id)
        steps = undo.setting(email=account.email)
        await self._changes.tell(session, "email_changed", hinted(row.email), visit, account, steps)
        account.email = row.email
        with letters.to(account):
            text = letters.factor_changed("email_changed", row.email, "", self._url, visit.now)
        await self._post.add(session, row.email, text, visit.now)
        await session.delete(row)
        for table in (PasswordReset, SignIn):
            await session.execute(delete(table).where(table.account_id == account.id))
        await end_other_sessions(session, account.id, row.session_id)


def _about(account_id: str, side: str) -> str:
    """The purpose of a message to one of the addresses."""
    return f"e-mail {side} {account_id}"


async def _holder(session: AsyncSession, email: str) -> Account | None:
    return await session.scalar(select(Account).where(Account.email == email))


def _by_code(code: str, now: float):
    hashed = token_hash(code)
    either = or_(EmailChange.old_hash == hashed, EmailChange.new_hash == hashed)
    return select(EmailChange).where(either, EmailChange.expires_at > now)
