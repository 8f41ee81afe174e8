"""The warranty of routers as the cloud knows them: on their page, and among what their owner takes along."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.store.models import Account, Router
from host_tools.cloud.warranty.term import Term, term

FILE = "warranties.json"


def warranty(router: Router) -> Term | None:
    sold_on = datetime.date.fromisoformat(router.sold_on) if router.sold_on else None
    return term(sold_on, None if router.first_owned_at is None else day_of(router.first_owned_at))


def day_of(moment: float) -> datetime.date:
    """In UTC: a warranty must not depend on who looks at it."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).date()


async def exported(session: AsyncSession, account: Account) -> list[dict[str, Any]]:
    """One row for each of the account's routers; dates as YYYY-MM-DD, None where they are not known."""
    mine = select(Router).where(Router.owner_id == account.id).order_by(Router.serial_number)
    return [_row(router) for router in await session.scalars(mine)]


def _row(router: Router) -> dict[str, Any]:
    found = warranty(router)
    dates = {"begins": found.begins.isoformat(), "ends": found.ends.isoformat()} if found else {}
    return {"serial_number": router.serial_number, "model": router.model, "sold_on": router.sold_on, **dates}
