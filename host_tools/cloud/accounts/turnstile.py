"""The throttle's records, in the database: they outlive a restart and are shared by every process."""

from __future__ import annotations

import functools
import ipaddress
from itertools import chain
from typing import NotRequired, TypedDict

from sqlalchemy import Select, bindparam, delete, insert, select, update

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.accounts.throttle import LIMITS, Limit, given_back, next_attempt
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.clock import Clock
from host_tools.cloud.store.brief import Transaction
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Throttle
from host_tools.cloud.store.secret_box import SecretBox

WIDTHS = ("account", "address", "block", "all")
HOUSEHOLD_BITS, BLOCK_BITS = 64, 48  # of IPv6 (RFC 6177)


class Who(TypedDict):
    """What `take` counts by."""

    account: str
    address: str
    known: NotRequired[bool]


TABLE = Throttle.metadata.tables[Throttle.__tablename__]
ADD = insert(TABLE).values(key=bindparam("name"), due_at=bindparam("due"))
RENEW = update(TABLE).where(TABLE.c.key == bindparam("name")).values(due_at=bindparam("due"))
GIVE_BACK = RENEW.values(due_at=TABLE.c.due_at - bindparam("due"))


@functools.cache
def _find(count: int) -> Select[str, float]:
    """count: four widths at most, under each key of the ring."""
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

    async def take(self, thing: str, *, account: str, address: str, known: bool = False) -> None:
        """Count one attempt. Raises ThrottledError, and then counts at no width.

        known: by a browser that the account knows; what strangers use up together keeps none of those out.
        """
        records = self._records(thing, account, address, known)
        names = {f"name_{index}": key for index, key in enumerate(chain(*(keys for _, keys in records)))}
        async with self._database.brief() as session:
            due = dict((await session.execute(_find(len(names)), names)).all())
            taken = [{"name": keys[0], "due": self._taken(due, limit, keys)} for limit, keys in records]
            old = [row for row in taken if row["name"] in due]
            for statement, rows in ((RENEW, old), (ADD, [row for row in taken if row not in old])):
                if rows:
                    await session.execute(statement, rows)

    async def give_back(self, thing: str, *, account: str, address: str, known: bool = False) -> None:
        """The attempt was honest (the right password): it counts no more."""
        async with self._database.brief() as session:
            await self.give_back_within(session, thing, account=account, address=address, known=known)

    async def give_back_within(
        self, session: Transaction, thing: str, *, account: str, address: str, known: bool = False
    ) -> None:
        """The same in the caller's transaction."""
        records = self._records(thing, account, address, known)
        rows = [{"name": keys[0], "due": -given_back(0.0, limit)} for limit, keys in records]
        await session.execute(GIVE_BACK, rows)

    def mark(self, email: str, visit: Visit) -> str:
        """What a browser keeps, once it has been signed in to this account."""
        return self._box.keyed_hash("known browser", visit.browser_token, email)

    def about(self, email: str, visit: Visit) -> Who:
        """A browser that is known to the account counts by itself.

        Else strangers who spend every attempt of an account, or of all, would keep its owner out.
        """
        known = self.knows(email, visit)
        return {
            "account": self.mark(email, visit) if known else email,
            "address": visit.address,
            "known": known,
        }

    def knows(self, email: str, visit: Visit) -> bool:
        """Whether this browser has been signed in to the account."""
        return self._box.is_hash(visit.known_mark or "", "known browser", visit.browser_token, email)

    async def prune(self) -> None:
        """Drop the records that no longer hold anybody back."""
        async with self._database.write() as session:
            await session.execute(delete(Throttle).where(Throttle.due_at < self._clock()))

    def _records(self, thing: str, account: str, address: str, known: bool) -> list[tuple[Limit, list[str]]]:
        """The limits of a thing, and the names of their records under each hash key, the newest first."""
        about = {"account": account, "address": network(address), "block": block(address), "all": ""}
        left_out = "all" if known else ""
        widths = [width for width in WIDTHS if width != left_out and (width != "block" or about[width])]
        found = [(LIMITS.get(f"{thing}.{width}"), about[width]) for width in widths]
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
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, HOUSEHOLD_BITS), strict=False))
    return str(parsed or address)


@functools.lru_cache(1024)
def block(address: str) -> str:
    """The /48 of an IPv6 address; "" of another: neighbours in IPv4 have nothing in common."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, BLOCK_BITS), strict=False))
    return ""


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
