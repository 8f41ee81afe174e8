"""Trusted browsers: they skip the second step, and may agree to the sign-in of a new one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import NotTheirsError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.sessions import IDLE_S
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Session, TrustedBrowser
from host_tools.cloud.store.push_models import PushSubscription
from host_tools.cloud.store.secret_box import new_id

TRUSTED_S = 90 * 24 * 3600  # unused for so long, it must verify again
TRUSTED_MAX = 20  # of one account: the one that was unused longest goes

TABLE = TrustedBrowser.metadata.tables[TrustedBrowser.__tablename__]
THIS_ONE = (
    TABLE.c.account_id == bindparam("account"),
    TABLE.c.browser_hash == bindparam("this"),
    TABLE.c.used_at > bindparam("after"),
)
KNOWN = select(TABLE.c.id).where(*THIS_ONE)
USE = update(TABLE).where(*THIS_ONE)


class TrustedBrowsers:
    def __init__(self, database: Database):
        self._database = database

    async def of(self, account_id: str, now: float) -> list[TrustedBrowser]:
        """The one that was used last first."""
        mine = select(TrustedBrowser).where(*_trusted(account_id, now))
        async with self._database.read() as session:
            newest = mine.order_by(TrustedBrowser.used_at.desc(), TrustedBrowser.id)
            return list(await session.scalars(newest))

    async def remove(self, trusted_id: str, visit: Visit) -> None:
        """It is signed out at once, and must verify again. Raises NotTheirsError."""
        account_id = visit.signed_in.id
        async with self._database.write() as session:
            row = await session.get(TrustedBrowser, trusted_id)
            if row is None or row.account_id != account_id:
                raise NotTheirsError
            await session.delete(row)
            theirs = (Session.account_id == account_id, Session.browser_hash == row.browser_hash)
            await session.execute(delete(Session).where(*theirs))
            note(session, account_id, "browser_removed", visit, row.browser)

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(TrustedBrowser).where(TrustedBrowser.used_at < now - TRUSTED_S))


async def is_trusted(session: Transaction, account_id: str, visit: Visit) -> bool:
    return await session.scalar(KNOWN, _about(account_id, visit)) is not None


def awake(account_id: Any, browser_hash: Any, now: Any, by_push: bool) -> list:
    """Other trusted browsers that hear of a sign-in: signed in now, or told by Web Push. As conditions."""
    live = exists().where(
        Session.account_id == account_id,
        Session.browser_hash == TrustedBrowser.browser_hash,
        Session.expires_at > now,
        Session.acted_at > now - IDLE_S,
    )
    told = exists().where(
        PushSubscription.account_id == account_id,
        PushSubscription.browser_hash == TrustedBrowser.browser_hash,
    )
    hears = live | told if by_push else live
    return [*_trusted(account_id, now), TrustedBrowser.browser_hash != browser_hash, hears]


def subscribed(account_id: str, visit: Visit):
    """The Web Push subscriptions of other browsers that are trusted now: their ids."""
    known = select(TrustedBrowser.browser_hash).where(*_trusted(account_id, visit.now))
    mine = (PushSubscription.account_id == account_id, PushSubscription.browser_hash != visit.browser_hash)
    return select(PushSubscription.id).where(*mine, PushSubscription.browser_hash.in_(known))


async def trust(session: AsyncSession, account_id: str, visit: Visit) -> None:
    """From now on this browser skips the second step."""
    mine = (TrustedBrowser.account_id == account_id, TrustedBrowser.browser_hash == visit.browser_hash)
    row = await session.scalar(select(TrustedBrowser).where(*mine))  # also one that was unused too long
    if row is None:
        await _make_room(session, account_id)
        row = TrustedBrowser(id=new_id(), account_id=account_id, browser_hash=visit.browser_hash)
        row.created_at = visit.now
        session.add(row)
        note(session, account_id, "browser_trusted", visit)
    row.address, row.browser, row.used_at = visit.address, visit.browser, visit.now


async def use(session: Transaction, account_id: str, visit: Visit) -> None:
    seen = {"address": visit.address, "browser": visit.browser, "used_at": visit.now}
    await session.execute(USE, _about(account_id, visit) | seen)


async def forget_all(session: AsyncSession, account_id: str) -> None:
    await session.execute(delete(TrustedBrowser).where(TrustedBrowser.account_id == account_id))


async def _make_room(session: AsyncSession, account_id: str) -> None:
    mine = TrustedBrowser.account_id == account_id
    kept = select(TrustedBrowser.id).where(mine).order_by(TrustedBrowser.used_at.desc(), TrustedBrowser.id)
    gone = TrustedBrowser.id.not_in(kept.limit(TRUSTED_MAX - 1))
    await session.execute(delete(TrustedBrowser).where(mine, gone))


def _about(account_id: str, visit: Visit) -> dict[str, Any]:
    """The values of THIS_ONE."""
    return {"account": account_id, "this": visit.browser_hash, "after": visit.now - TRUSTED_S}


def this_one(account_id: Any, browser_hash: Any, now: Any) -> list:
    """That this browser is trusted, as conditions: of values, or of what a SELECT is given later."""
    return [*_trusted(account_id, now), TrustedBrowser.browser_hash == browser_hash]


def _trusted(account_id: Any, now: Any) -> list:
    return [TrustedBrowser.account_id == account_id, TrustedBrowser.used_at > now - TRUSTED_S]
