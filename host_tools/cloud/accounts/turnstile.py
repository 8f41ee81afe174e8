"""The throttle's records, in the database: they outlive a restart and are shared by every process."""

from __future__ import annotations

import ipaddress
import secrets

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.throttle import LIMITS, Limit, given_back, next_attempt
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.clock import Clock
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Throttle
from host_tools.cloud.store.secret_box import SecretBox

WIDTHS = ("account", "address", "all")


class Turnstile:
    """`await turnstile.take("claim", account=..., address=...)` counts one attempt at every width that has
    a row.
    """

    def __init__(self, database: Database, box: SecretBox, clock: Clock):
        self._database = database
        self._box = box
        self._clock = clock

    async def take(self, thing: str, *, account: str, address: str) -> None:
        """Count one attempt. Raises ThrottledError, and then counts at no width."""
        async with self._database.write() as session:
            for limit, key in self._records(thing, account, address):
                await self._take_one(session, limit, key)

    async def give_back(self, thing: str, *, account: str, address: str) -> None:
        """The attempt was honest (the right password): it counts no more."""
        async with self._database.write() as session:
            for limit, key in self._records(thing, account, address):
                due_at = given_back(0.0, limit)
                await session.execute(
                    update(Throttle).where(Throttle.key == key).values(due_at=Throttle.due_at + due_at)
                )

    def mark(self, email: str, visit: Visit) -> str:
        """What a browser keeps, once it has been signed in to this account."""
        return self._box.keyed_hash("known browser", visit.browser_token, email)

    def whom(self, email: str, visit: Visit) -> str:
        """As `account`: a browser that is known to it counts by itself.

        Else a stranger who spends every attempt of an account would keep its owner out.
        """
        mark = self.mark(email, visit)
        return mark if secrets.compare_digest(visit.known_mark or "", mark) else email

    async def prune(self) -> None:
        """Drop the records that no longer hold anybody back."""
        async with self._database.write() as session:
            await session.execute(delete(Throttle).where(Throttle.due_at < self._clock()))

    def _records(self, thing: str, account: str, address: str) -> list[tuple[Limit, str]]:
        about = {"account": account, "address": network(address), "all": ""}
        found = [(LIMITS.get(f"{thing}.{width}"), about[width]) for width in WIDTHS]
        # Keyed hashes: the table tells nobody who tried, or from where.
        return [(limit, self._box.keyed_hash("throttle", limit.name, who)) for limit, who in found if limit]

    async def _take_one(self, session: AsyncSession, limit: Limit, key: str) -> None:
        record = await session.get(Throttle, key)
        verdict = next_attempt(record.due_at if record else 0.0, limit, self._clock())
        if not verdict.allowed:
            raise ThrottledError(verdict.wait_s)
        if record is None:
            session.add(record := Throttle(key=key))
        record.due_at = verdict.due_at


def network(address: str) -> str:
    """Whom an address stands for: itself, or its /64, of which every IPv6 household has at least one."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
