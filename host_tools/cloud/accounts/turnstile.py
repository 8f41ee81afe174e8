"""The throttle's records, in the database: they outlive a restart and are shared by every process."""

from __future__ import annotations

import functools
import ipaddress
from itertools import chain

from sqlalchemy import Select, bindparam, delete, insert, select, update

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.throttle import LIMITS, Limit, given_back, next_attempt
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.clock import Clock
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Throttle
from host_tools.cloud.store.secret_box import SecretBox

WIDTHS = ("account", "address", "all")
TABLE = Throttle.metadata.tables[Throttle.__tablename__]
ADD = insert(TABLE).values(key=bindparam("name"), due_at=bindparam("due"))
RENEW = update(TABLE).where(TABLE.c.key == bindparam("name")).values(due_at=bindparam("due"))
GIVE_BACK = RENEW.values(due_at=TABLE.c.due_at - bindparam("due"))


@functools.cache
def _find(count: int) -> Select[str, float]:
    """count: three widths at most, under each key of the ring."""
    return select(TABLE.c.key, TABLE.c.due_at).where(
        TABLE.c.key.in_([bindparam(f"name_{index}") for index in range(count)])
    )


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
        records = self._records(thing, account, address)
        names = {f"name_{index}": key for index, key in enumerate(chain(*(keys for _, keys in records)))}
        async with self._database.brief() as session:
            due = dict((await session.execute(_find(len(names)), names)).all())
            taken = [{"name": keys[0], "due": self._taken(due, limit, keys)} for limit, keys in records]
            known = [row for row in taken if row["name"] in due]
            for statement, rows in ((RENEW, known), (ADD, [row for row in taken if row not in known])):
                if rows:
                    await session.execute(statement, rows)

    async def give_back(self, thing: str, *, account: str, address: str) -> None:
        """The attempt was honest (the right password): it counts no more."""
        async with self._database.brief() as session:
            await self.give_back_within(session, thing, account=account, address=address)

    async def give_back_within(self, session: Transaction, thing: str, *, account: str, address: str) -> None:
        """The same in the caller's transaction."""
        records = self._records(thing, account, address)
        rows = [{"name": keys[0], "due": -given_back(0.0, limit)} for limit, keys in records]
        await session.execute(GIVE_BACK, rows)

    def mark(self, email: str, visit: Visit) -> str:
        """What a browser keeps, once it has been signed in to this account."""
        return self._box.keyed_hash("known browser", visit.browser_token, email)

    def whom(self, email: str, visit: Visit) -> str:
        """As `account`: a browser that is known to it counts by itself.

        Else a stranger who spends every attempt of an account would keep its owner out.
        """
        return self.mark(email, visit) if self.knows(email, visit) else email

    def knows(self, email: str, visit: Visit) -> bool:
        """Whether this browser has been signed in to the account."""
        return self._box.is_hash(visit.known_mark or "", "known browser", visit.browser_token, email)

    async def prune(self) -> None:
        """Drop the records that no longer hold anybody back."""
        async with self._database.write() as session:
            await session.execute(delete(Throttle).where(Throttle.due_at < self._clock()))

    def _records(self, thing: str, account: str, address: str) -> list[tuple[Limit, list[str]]]:
        """The limits of a thing, and the names of their records under each hash key, the newest first."""
        about = {"account": account, "address": network(address), "all": ""}
        found = [(LIMITS.get(f"{thing}.{width}"), about[width]) for width in WIDTHS]
        # Keyed hashes: the table tells nobody who tried, or from where.
        return [(limit, self._box.keyed_hashes("throttle", limit.name, who)) for limit, who in found if limit]

    def _taken(self, due: dict[str, float], limit: Limit, keys: list[str]) -> float:
        """What was counted before a rotation counts on, until it is over: the latest of the records holds."""
        verdict = next_attempt(
            max((due[key] for key in keys if key in due), default=None), limit, self._clock()
        )
        if not verdict.allowed:
            raise ThrottledError(verdict.wait_s)
        return verdict.due_at


@functools.lru_cache(1024)
def network(address: str) -> str:
    """Whom an address stands for: itself, or its /64, of which every IPv6 household has at least one."""
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
