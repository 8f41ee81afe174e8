"""What text messages and calls may cost: a bound for each account and day, so that nobody is made to pay."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Spending

DAY_S = 86400
# Cents of one message, at the dearest of the usual countries. A bound, not an invoice.
COSTS = {"sms": 12, "voice": 20}
DAY_MAX = 120  # cents: ten text messages
SPENT = N_("No more text messages or calls today: their cost for one account is bounded. Use another way.")


def affordable(spent: int, channel: str) -> bool:
    return spent + COSTS.get(channel, 0) <= DAY_MAX


async def spend(session: AsyncSession, account_id: str, channel: str, now: float) -> None:
    """Count the message, in the transaction that queues it. Raises RefusedError where the day is spent."""
    if channel not in COSTS:
        return
    day = int(now // DAY_S)
    row = await session.get(Spending, (account_id, day))
    if not affordable(row.cents if row else 0, channel):
        raise RefusedError("", SPENT)
    if row is None:
        session.add(Spending(account_id=account_id, day=day, cents=COSTS[channel]))
    else:
        row.cents += COSTS[channel]


async def prune(database: Database, now: float) -> None:
    async with database.write() as session:
        await session.execute(delete(Spending).where(Spending.day < int(now // DAY_S) - 1))
