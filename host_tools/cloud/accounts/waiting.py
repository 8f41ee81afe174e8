"""Grave changes that wait: two-factor reset by an operator (72 hours), an account deleted by its person (14
days). Both are told when they are asked for and when they are done, and can be stopped until then, by the
link of the mail or on the account's pages.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.links import link_to, new_code
from host_tools.cloud.store.account_models import WaitingChange
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.secret_box import token_hash

HOUR_S = 3600
RESET, DELETION = "two-factor reset", "deletion"
BATCH = 100
OF_THE_CLOUD = "gatelodge cloud"  # as the browser of what the service does by itself

log = logging.getLogger("cloud.accounts")


class Kind(NamedTuple):
    wait_s: int
    asked: str  # kinds of events
    stopped: str
    done: str


KINDS_OF_CHANGE = {
    RESET: Kind(72 * HOUR_S, "reset_asked", "reset_stopped", "two_factor_reset"),
    DELETION: Kind(14 * 24 * HOUR_S, "deletion_asked", "deletion_stopped", "account_deleted"),
}
# What is done when it is due, in the caller's transaction. Returns the routers that became nobody's.
Deed = Callable[[AsyncSession, Account], Awaitable[list[str]]]
LetGo = Callable[[list[str]], Awaitable[None]]


class WaitingChanges:
    def __init__(
        self, database: Database, post: Post, clock: Clock, url: str, deeds: Mapping[str, Deed], let_go: LetGo
    ):
        self._database = database
        self._post = post
        self._clock = clock
        self._url = url
        self._deeds = deeds
        self._let_go = let_go

    async def ask(self, account_id: str, kind: str, reason: str, visit: Visit) -> float:
        """When it will be done. Asked again, it waits from now again."""
        code, about = new_code(), KINDS_OF_CHANGE[kind]
        due_at = visit.now + about.wait_s
        async with self._database.write() as session:
            account = await session.get_one(Account, account_id)
            await _drop(session, account_id, kind)
            row = WaitingChange(account_id=account_id, kind=kind, token_hash=token_hash(code))
            row.reason, row.asked_at, row.due_at = reason[:200], visit.now, due_at
            session.add(row)
            note(session, account_id, about.asked, visit, reason)
            link = link_to(f"{self._url}/waiting", code)
            with letters.to(account):
                text = letters.waits(about.asked, reason, due_at, link, self._url)
            await self._post.add(session, account.email, text, visit.now)
        self._post.wake()
        return due_at

    async def of(self, account_id: str) -> list[WaitingChange]:
        mine = select(WaitingChange).where(WaitingChange.account_id == account_id)
        async with self._database.read() as session:
            return list(await session.scalars(mine.order_by(WaitingChange.due_at)))

    async def by_link(self, code: str) -> WaitingChange | None:
        async with self._database.read() as session:
            return await session.scalar(_by_code(code))

    async def stop(self, account_id: str, kind: str, visit: Visit) -> bool:
        """Whether there was something to stop."""
        async with self._database.write() as session:
            found = await _drop(session, account_id, kind)
            if found:
                account = await session.get_one(Account, account_id)
                stopped = KINDS_OF_CHANGE[kind].stopped
                note(session, account_id, stopped, visit)
                with letters.to(account):
                    text = letters.factor_changed(stopped, "", "", self._url, visit.now)
                await self._post.add(session, account.email, text, visit.now)
        self._post.wake()
        return found

    async def carry_out(self) -> int:
        """Do what is due; how many. One transaction each: a fault with one keeps no other waiting."""
        due = select(WaitingChange).where(WaitingChange.due_at <= self._clock())
        async with self._database.read() as session:
            rows = list(await session.scalars(due.order_by(WaitingChange.due_at).limit(BATCH)))
        for row in rows:
            try:
                await self._do(row)
            except Exception:
                log.exception("a %s of account %s failed", row.kind, row.account_id)
        self._post.wake()
        return len(rows)

    async def _do(self, due: WaitingChange) -> None:
        async with self._database.write() as session:
            row = await session.get(WaitingChange, (due.account_id, due.kind))
            if row is None or row.due_at > self._clock():
                return  # stopped, or asked for again, in the meantime
            account, kind = await session.get_one(Account, due.account_id), due.kind
            email, done = account.email, KINDS_OF_CHANGE[kind].done
            with letters.to(account):
                text = letters.carried_out(done, self._url, self._clock())
            await session.delete(row)
            await session.flush()
            visit = Visit(browser_token="", address="", user_agent=OF_THE_CLOUD, now=self._clock())
            note(session, account.id, done, visit, due.reason)
            serial_numbers = await self._deeds[kind](session, account)
            await self._post.add(session, email, text, visit.now)
        await self._let_go(serial_numbers)
        log.info("account %s: %s", due.account_id, kind)


async def _drop(session: AsyncSession, account_id: str, kind: str) -> bool:
    mine = (WaitingChange.account_id == account_id, WaitingChange.kind == kind)
    gone = await session.scalars(delete(WaitingChange).where(*mine).returning(WaitingChange.kind))
    return bool(list(gone))


def _by_code(code: str):
    return select(WaitingChange).where(WaitingChange.token_hash == token_hash(code))
