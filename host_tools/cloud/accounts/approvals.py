"""A new browser's sign-in, agreed to on a trusted one: by the number that the new browser shows.

Whoever only says "yes" to everything does not know the number. "It was not me" ends the attempt.
"""

from __future__ import annotations

import secrets
from typing import Any

from gatelodge.contract.errors import StateError
from sqlalchemy import Float, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import signin, trusted
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance
from host_tools.cloud.store.models import HASH, ID, SignIn

ELSEWHERE = tuple(method.name for method in signin.METHODS if method.answer == signin.ELSEWHERE)
WRONG_NUMBER = N_("That is not the number that the other browser shows. If it is not yours, say so below.")
OVER = N_("This sign-in is over. If it was yours, begin it again.")


class Approvals:
    def __init__(self, database: Database, turnstile: Turnstile, bus: Bus):
        self._database = database
        self._turnstile = turnstile
        self._bus = bus

    async def waiting(self, visit: Visit) -> SignIn | None:
        """The newest sign-in that asks the trusted browsers of this account; None where this one is not."""
        if visit.account is None:
            return None
        about = {"account_id": visit.account.id, "browser_hash": visit.browser_hash, "now": visit.now}
        return next((row for (row,) in await self._database.glance(WAITING, **about)), None)

    async def view(self, sign_in_id: str, visit: Visit) -> SignIn:
        """Raises NotTheirsError: it is over, another account's, or this browser is not trusted."""
        async with self._database.read() as session:
            return await self._row(session, sign_in_id, visit)

    async def agree(self, sign_in_id: str, number: str, visit: Visit) -> None:
        """Raises RefusedError. A wrong number is one of signin.TRIES, and the last ends the attempt."""
        await self._turnstile.take("code", account=visit.signed_in.id, address=visit.address)
        async with self._database.write() as session:
            row = await self._row(session, sign_in_id, visit)
            right = secrets.compare_digest(row.number.encode(), number.strip().encode())
            attempt = self._after(row, signin.AGREED if right else signin.WRONG, visit.now)
        self._rang(row)
        if not right:
            wrong = OVER if attempt.state == signin.VOID else WRONG_NUMBER
            raise RefusedError("number", wrong)

    async def deny(self, sign_in_id: str, visit: Visit) -> None:
        """It was not the owner: the attempt is over. Raises NotTheirsError."""
        async with self._database.write() as session:
            row = await self._row(session, sign_in_id, visit)
            self._after(row, signin.DENIED, visit.now)
            note(session, row.account_id, "sign_in_denied", visit, row.browser)
        self._rang(row)

    def _after(self, row: SignIn, event: str, now: float) -> signin.Attempt:
        """The attempt after the event, written down."""
        before = signin.Attempt(row.state, row.method, row.tries, row.expires_at)
        try:
            after = signin.step(before, event, now, row.method, ELSEWHERE)
        except StateError as error:
            raise NotTheirsError from error
        row.state, row.method, row.tries, row.expires_at = after
        return after

    async def _row(self, session: AsyncSession, sign_in_id: str, visit: Visit) -> SignIn:
        asking = _asking(visit.signed_in.id, visit.browser_hash, visit.now).where(SignIn.id == sign_in_id)
        row = await session.scalar(asking)
        if row is None or not await trusted.is_trusted(session, visit.signed_in.id, visit):
            raise NotTheirsError
        return row

    def _rang(self, row: SignIn) -> None:
        self._bus.publish(f"account:{row.account_id}")
        self._bus.publish(f"sign-in:{row.id}")


def _asking(account_id: Any, browser_hash: Any, now: Any):
    """Sign-ins of other browsers that wait for a trusted one, the newest first."""
    asking = (
        SignIn.state == signin.CHALLENGE,
        SignIn.method == "push",
        SignIn.asked_at > now - signin.ASKED_S,
        SignIn.expires_at > now,
    )
    theirs = (SignIn.account_id == account_id, SignIn.browser_hash != browser_hash)
    return select(SignIn).where(*theirs, *asking).order_by(SignIn.created_at.desc(), SignIn.id)


def _waiting() -> Glance[SignIn]:
    account_id, browser_hash = bindparam("account_id", type_=ID), bindparam("browser_hash", type_=HASH)
    now = bindparam("now", type_=Float(53))
    known = exists().where(*trusted.this_one(account_id, browser_hash, now))
    return Glance(_asking(account_id, browser_hash, now).where(known).limit(1))


WAITING = _waiting()
