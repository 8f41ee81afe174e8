"""Sessions: a 256-bit token in a cookie, its hash in the table.

A session whose person proves again who they are goes on under a new token (again.py). The one before is good
for what was under way in other windows of the browser, for seconds, and proves nothing.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import NotTheirsError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance
from host_tools.cloud.store.models import Account, Session
from host_tools.cloud.store.secret_box import new_id, new_token, token_hash
from host_tools.cloud.tasks import Tasks

IDLE_S = 24 * 3600  # of acting: a page that is only open, live values and all, does not keep a session alive
WHOLE_S = 14 * 24 * 3600
SESSIONS_OF_ACCOUNT_MAX = 50  # signing in rightly is not throttled; nobody has more browsers
NOTED_EVERY_S = 60  # acting is written down at most this often: a page view is not a write
GATHERED_S = 1
OVERLAP_S = 30  # a page's requests take no longer; live pages connect again, with the new cookie


BY_TOKEN = Glance(
    select(Session, Account)
    .join(Account, Account.id == Session.account_id)
    .where(Session.token_hash == bindparam("token_hash"))
)
BY_FORMER = Glance(
    select(Session, Account)
    .join(Account, Account.id == Session.account_id)
    .where(Session.former_hash == bindparam("token_hash"), Session.former_until > bindparam("now"))
)


TABLE = Session.metadata.tables[Session.__tablename__]
MINE = TABLE.c.account_id == bindparam("account")
KEPT = select(TABLE.c.id).where(MINE).order_by(TABLE.c.acted_at.desc(), TABLE.c.id).limit(bindparam("kept"))
MAKE_ROOM = delete(TABLE).where(MINE, TABLE.c.id.not_in(KEPT))
ADD = insert(TABLE)
ACTED = update(TABLE).where(TABLE.c.id == bindparam("name")).values(acted_at=bindparam("at"))


class Sessions:
    def __init__(self, database: Database, tasks: Tasks):
        self._database = database
        self._tasks = tasks
        self._acted: dict[str, float] = {}  # by session, when: what is still to be written down
        self._gathering = False

    async def find(self, token: str, now: float, *, acting: bool) -> tuple[Session, Account] | None:
        """The live session of a cookie, and whose it is."""
        before = self._acted  # what is written down while the row is read may not be in it yet
        for session, account in await self._find(token_hash(token), now):
            noted = (acted.get(session.id, 0.0) for acted in (before, self._acted))
            session.acted_at = max(session.acted_at, *noted)
            if now >= expires_at(session):
                return None
            if acting and now - session.acted_at >= NOTED_EVERY_S:
                self._note(session.id, now)
            return session, account
        return None

    async def _find(self, hashed: str, now: float) -> list[tuple[Session, Account]]:
        found = await self._database.glance(BY_TOKEN, token_hash=hashed)
        if not found:
            found = await self._database.glance(BY_FORMER, token_hash=hashed, now=now)
            for session, _ in found:
                session.proved_at = session.second_proved_at = None
        return found

    async def flush(self) -> None:
        """Write down who has acted. Where that fails they are kept, and written with the next."""
        written = dict(self._acted)
        if not written:
            return
        async with self._database.brief() as session:
            await session.execute(ACTED, [{"name": name, "at": at} for name, at in written.items()])
        self._acted = {name: at for name, at in self._acted.items() if written.get(name) != at}

    async def of(self, account_id: str, now: float) -> list[Session]:
        """The live ones, the one that acted last first."""
        await self.flush()
        mine = (Session.account_id == account_id, Session.expires_at > now, Session.acted_at > now - IDLE_S)
        async with self._database.read() as session:
            newest = select(Session).where(*mine).order_by(Session.acted_at.desc(), Session.id)
            return list(await session.scalars(newest))

    async def end(self, session_id: str, visit: Visit) -> None:
        """End one of the account's own sessions. Raises NotTheirsError."""
        account_id = visit.signed_in.id
        async with self._database.write() as session:
            mine = (Session.id == session_id, Session.account_id == account_id)
            gone = await session.scalar(delete(Session).where(*mine).returning(Session.browser))
            if gone is None:
                raise NotTheirsError
            own = session_id == visit.open_session.id
            note(session, account_id, "signed_out" if own else "session_ended", visit, "" if own else gone)

    async def end_others(self, visit: Visit) -> None:
        """Every other one of the account."""
        account_id = visit.signed_in.id
        others = (Session.account_id == account_id, Session.id != visit.open_session.id)
        async with self._database.write() as session:
            gone = await session.scalars(delete(Session).where(*others).returning(Session.browser))
            for browser in list(gone):
                note(session, account_id, "session_ended", visit, browser)

    async def prune(self, now: float) -> None:
        await self.flush()
        async with self._database.write() as session:
            old = (Session.expires_at < now) | (Session.acted_at < now - IDLE_S)
            await session.execute(delete(Session).where(old))

    def _note(self, session_id: str, now: float) -> None:
        """No page waits for the disk: those who act within a second are written down together."""
        self._acted[session_id] = now
        if not self._gathering:
            self._gathering = True
            self._tasks.start(self._gather(), "note who acted")

    async def _gather(self) -> None:
        try:
            await asyncio.sleep(GATHERED_S)
        finally:
            self._gathering = False
        await self.flush()


async def begin_session(session: Transaction, account_id: str, visit: Visit) -> str:
    """Add a session to the caller's transaction and return its token, which is stored nowhere.

    Those of the account that acted longest ago end, beyond the number that it may hold.
    """
    token = new_token()
    row = {
        "id": new_id(),
        "token_hash": token_hash(token),
        "account_id": account_id,
        "address": visit.address,
        "browser": visit.browser,
        "browser_hash": visit.browser_hash,
        "created_at": visit.now,
        "acted_at": visit.now,
        "expires_at": visit.now + WHOLE_S,
    }
    await session.execute(MAKE_ROOM, {"account": account_id, "kept": SESSIONS_OF_ACCOUNT_MAX - 1})
    await session.execute(ADD, row)
    return token


async def renew(session: AsyncSession, visit: Visit) -> str | None:
    """Give the visit's session a new token, in the caller's transaction, and return it.

    None where another window was quicker: its answer brings the cookie.
    """
    token, former = new_token(), token_hash(visit.session_token or "")
    mine = (Session.id == visit.open_session.id, Session.token_hash == former)
    values = {"token_hash": token_hash(token), "former_hash": former, "former_until": visit.now + OVERLAP_S}
    won = await session.scalar(update(Session).where(*mine).values(**values).returning(Session.id))
    return token if won else None


async def outlive_others(session: AsyncSession, visit: Visit) -> None:
    """Every session of the account ends but the visit's own, in the caller's transaction.

    Raises NoResultFound where that one was ended meanwhile (pages/failures.py): it must put nobody out.
    """
    own = select(Session.id).where(Session.id == visit.open_session.id).with_for_update()
    (await session.scalars(own)).one()
    await end_other_sessions(session, visit.signed_in.id, visit.open_session.id)


async def end_other_sessions(session: AsyncSession, account_id: str, kept_id: str) -> None:
    await session.execute(delete(Session).where(Session.account_id == account_id, Session.id != kept_id))


def expires_at(row: Session) -> float:
    return min(row.expires_at, row.acted_at + IDLE_S)
