"""The time zone of a new account: its person reads their own time from the first page on."""

from __future__ import annotations

from functools import cache

from babel.core import get_global

from host_tools.cloud.accounts.profile import time_zones


def zone_of(told: str, country: str) -> str:
    """The zone that the browser told, else the only one of the country; "" (UTC) where neither says it."""
    return told if told in time_zones() else _only_zones().get(country, "")


@cache
def _only_zones() -> dict[str, str]:
    """{country: its zone}, of the countries that have one (CLDR)."""
    found: dict[str, list[str]] = {}
    for zone, country in get_global("zone_territories").items():
        found.setdefault(country, []).append(zone)
    only = {country: zones[0] for country, zones in found.items() if len(zones) == 1}
    return {country: zone for country, zone in only.items() if zone in time_zones()}
