"""What an operator may do to an account (`gatelodge cloud account`): logged, and told to its person."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import applications
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.emails import normal
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.account_models import WaitingChange
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Router
from host_tools.cloud.store.tables import METADATA

# Whatever lets somebody in, or speaks for the account, without a sign-in.
OPENINGS = (
    "sessions", "sign_ins", "trusted_browsers", "password_resets", "oidc_tokens", "oidc_codes", "api_tokens",
)  # fmt: skip
COUNTED = ("authenticators", "passkeys", "phones", "telegram_chats", "sessions", "trusted_browsers")


class Administration:
    def __init__(self, database: Database, changes: Changes):
        self._database = database
        self._changes = changes

    async def find(self, who: str) -> Account | None:
        """By e-mail, user name or id."""
        either = or_(Account.email == normal(who), Account.user_name == normal(who), Account.id == who)
        async with self._database.read() as session:
            return await session.scalar(select(Account).where(either))

    async def add(self, account: Account, visit: Visit) -> bool:
        """Whether its e-mail and user name were free. It has no password: its person sets one by mail."""
        async with self._database.write() as session:
            same = [Account.email == account.email]
            if account.user_name:
                same.append(Account.user_name == account.user_name)
            if await session.scalar(select(Account.id).where(or_(*same))) is not None:
                return False
            session.add(account)
            note(session, account.id, "account_made", visit)
        return True

    async def disable(self, account_id: str, reason: str, visit: Visit) -> bool:
        """Nobody signs in any more, and everybody is out. False: it was so already."""
        async with self._database.write() as session:
            account = await session.get_one(Account, account_id)
            if account.disabled_at is not None:
                return False
            account.disabled_at = visit.now
            await _shut(session, account_id)
            await self._changes.tell(session, "account_disabled", reason, visit, account)
        return True

    async def enable(self, account_id: str, visit: Visit) -> bool:
        async with self._database.write() as session:
            account = await session.get_one(Account, account_id)
            if account.disabled_at is None:
                return False
            account.disabled_at = None
            await self._changes.tell(session, "account_enabled", "", visit, account)
        return True

    async def set_role(self, account_id: str, role: str, visit: Visit) -> bool:
        """`role`: of help/roles.py, "" for none. False: it was so already."""
        async with self._database.write() as session:
            account = await session.get_one(Account, account_id)
            if account.role == role:
                return False
            account.role = role
            await self._changes.tell(session, "role_changed", role or "none", visit, account)
        return True

    async def counts(self, account_id: str) -> Counter[str]:
        """How much of what the account has; no value of it."""
        found: Counter[str] = Counter()
        async with self._database.read() as session:
            for name in COUNTED:
                table = METADATA.tables[name]
                mine = select(func.count()).select_from(table).where(table.c.account_id == account_id)
                found[name] = await session.scalar(mine) or 0
            owned = select(func.count()).select_from(Router).where(Router.owner_id == account_id)
            found["routers"] = await session.scalar(owned) or 0
        return found

    async def waiting(self, account_id: str) -> list[WaitingChange]:
        mine = select(WaitingChange).where(WaitingChange.account_id == account_id)
        async with self._database.read() as session:
            return list(await session.scalars(mine))


async def _shut(session: AsyncSession, account_id: str) -> None:
    await applications.shut_out(session, account_id)
    for name in OPENINGS:
        table = METADATA.tables[name]
        await session.execute(delete(table).where(table.c.account_id == account_id))
