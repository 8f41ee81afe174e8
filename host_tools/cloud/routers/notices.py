"""What routers have their owners told: a new browser, a change of a factor, too many wrong tries.

The router speaks for itself, over its own link, and is believed as far as that: only who owns it now is
mailed, once for each notice, and so often an hour at most. What can be undone counts by itself: whoever got
in cannot use up with other notices what the mail with the link takes.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.letters import to
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import texts
from host_tools.cloud.delivery.post import Post
from host_tools.cloud.routers.undos import offered
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, Notice, Router

KEPT_S = 30 * 24 * 3600  # longer than any router waits for an acknowledgement that was lost

log = logging.getLogger("cloud.routers")


class Notices:
    def __init__(self, database: Database, turnstile: Turnstile, post: Post, clock: Clock, url: str):
        self._url = url
        self._database = database
        self._turnstile = turnstile
        self._post = post
        self._clock = clock

    async def take(self, serial_number: str, notice: dict[str, Any]) -> None:
        """Tell the owner. On return the router need not say it again, whether a mail was due or not."""
        async with self._database.read() as session:
            if await _is_taken(session, serial_number, notice["notice_id"]):
                return  # and it costs nothing of what the router may say
        try:
            budget = f"{serial_number} undo" if notice["undo"] else serial_number
            await self._turnstile.take("notice", account=budget, address="")
        except ThrottledError:
            log.warning("%s has its owner told too often: %s is left out", serial_number, notice["kind"])
            return
        async with self._database.write() as session:
            owner = await _owner(session, serial_number, notice["account_id"])
            if owner is None or await _is_taken(session, serial_number, notice["notice_id"]):
                return
            now = self._clock()
            session.add(Notice(serial_number=serial_number, notice_id=notice["notice_id"], taken_at=now))
            link = ""
            if notice["undo"]:
                link = self._url + await offered(session, serial_number, owner.id, notice, now)
            with to(owner):
                text = texts.router_notice(serial_number, notice, link)
            await self._post.add(session, owner.email, text, now)
        self._post.wake()
        log.info("%s has its owner told of %s", serial_number, notice["kind"])

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(Notice).where(Notice.taken_at < now - KEPT_S))


async def _is_taken(session: AsyncSession, serial_number: str, notice_id: str) -> bool:
    this = (Notice.serial_number == serial_number, Notice.notice_id == notice_id)
    return await session.scalar(select(Notice.taken_at).where(*this)) is not None


async def _owner(session: AsyncSession, serial_number: str, account_id: str) -> Account | None:
    """The owner, if the notice is meant for whoever owns the router now."""
    owner = select(Account).join(Router, Router.owner_id == Account.id)
    return await session.scalar(owner.where(Router.serial_number == serial_number, Account.id == account_id))
