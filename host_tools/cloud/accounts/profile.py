"""A person's own details: name, country, language, time zone (K5)."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import NamedTuple

from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account

UTC = "UTC"


@cache
def time_zones() -> tuple[str, ...]:
    """IANA's names of places, without its aliases and technical zones."""
    places = (name for name in zoneinfo.available_timezones() if "/" in name)
    return (UTC, *sorted(name for name in places if not name.startswith(("Etc/", "SystemV/", "US/"))))


class Details(NamedTuple):
    first_name: str
    last_name: str
    country: str
    language: str
    time_zone: str


class Profile:
    def __init__(self, database: Database):
        self._database = database

    async def change(self, details: Details, visit: Visit) -> None:
        await self._set(details._asdict(), visit)

    async def speak(self, language: str, visit: Visit) -> None:
        await self._set({"language": language}, visit)

    async def _set(self, values: dict[str, str], visit: Visit) -> None:
        async with self._database.write() as session:
            row = await session.get_one(Account, visit.signed_in.id)
            changed = {name: value for name, value in values.items() if getattr(row, name) != value}
            for name, value in changed.items():
                setattr(row, name, value)
            if changed:
                note(session, row.id, "profile_changed", visit)
