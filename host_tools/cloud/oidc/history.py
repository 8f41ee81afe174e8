"""What was done to the registrations of applications, as the log of events tells it.

Staff do it on their page, and it is in the log of their own account (registrar.py). An operator does it at
the console, as nobody's account: those events stand under OF_THE_CLOUD.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.events import SHOWN_MAX, note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.models import OF_CLIENTS, Account, Event

OF_THE_CLOUD = "cloud"  # no account's id: those are longer
HISTORY = (
    select(Event, Account.email)
    .outerjoin(Account, Account.id == Event.account_id)
    .where(OF_CLIENTS)
    .order_by(Event.id.desc())
    .limit(SHOWN_MAX)
)


class Done(NamedTuple):
    """email: whose account did it; "" for an operator, or where that account is gone."""

    event: Event
    email: str


def note_at_console(session: AsyncSession, kind: str, name: str, operator: str, now: float) -> None:
    """In the transaction that makes the change. operator: as console.operator() names them."""
    note(session, OF_THE_CLOUD, kind, Visit("", "", operator, now), name)


async def recent(session: AsyncSession) -> list[Done]:
    """The newest first."""
    return [Done(event, email or "") for event, email in await session.execute(HISTORY)]
