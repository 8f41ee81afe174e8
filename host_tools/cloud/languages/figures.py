"""Dates, times, durations and amounts as the reader writes them, in the reader's time zone."""

from __future__ import annotations

import datetime
import zoneinfo
from functools import lru_cache

from babel import Locale, dates
from babel.numbers import format_decimal

from host_tools.cloud.languages.text import NAMES, _, ngettext, reader

LOCALES = {tag: Locale.parse("en_GB" if tag == "en" else tag) for tag in NAMES}
NOW_S = 5  # so near, everything is now

UNITS_S = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def locale() -> Locale:
    return LOCALES[reader().tag]


# --- how long, how long ago -----------------------------------------------------------------------


def duration(seconds: float) -> str:
    """The largest whole unit, as a person says it: 45 seconds, 3 minutes, 5 hours, 2 days."""
    unit, count = _largest(seconds)
    if unit == "day":
        return ngettext("%(num)s day", "%(num)s days", count)
    if unit == "hour":
        return ngettext("%(num)s hour", "%(num)s hours", count)
    if unit == "minute":
        return ngettext("%(num)s minute", "%(num)s minutes", count)
    return ngettext("%(num)s second", "%(num)s seconds", count)


def within(seconds: float) -> str:
    """From when on: in 45 seconds. Ready to end a sentence."""
    unit, count = _largest(seconds)
    if unit == "day":
        return ngettext("in %(num)s day", "in %(num)s days", count)
    if unit == "hour":
        return ngettext("in %(num)s hour", "in %(num)s hours", count)
    if unit == "minute":
        return ngettext("in %(num)s minute", "in %(num)s minutes", count)
    return ngettext("in %(num)s second", "in %(num)s seconds", count)


def ago(moment: float | None, now: float) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return _("never")
    seconds = max(0, now - moment)
    if seconds < NOW_S:
        return _("just now")
    unit, count = _largest(seconds)
    if unit == "day":
        return ngettext("%(num)s day ago", "%(num)s days ago", count)
    if unit == "hour":
        return ngettext("%(num)s hour ago", "%(num)s hours ago", count)
    if unit == "minute":
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", count)
    return ngettext("%(num)s second ago", "%(num)s seconds ago", count)


def _largest(seconds: float) -> tuple[str, int]:
    unit = next((name for name, unit_s in UNITS_S.items() if seconds >= unit_s), "second")
    return unit, int(seconds // UNITS_S[unit])


# --- when -----------------------------------------------------------------------------------------


def local(moment: float) -> str:
    """The day and the time, with the name of the zone: 14 Nov 2026, 23:13:20 CET."""
    return _local(int(moment), *reader())


@lru_cache(maxsize=4096)  # a page of sessions asks for the same moments again at every load
def _local(moment: int, tag: str, zone: str) -> str:
    there = datetime.datetime.fromtimestamp(moment, _zone(zone))
    return f"{dates.format_datetime(there, 'medium', locale=LOCALES[tag])} {there:%Z}"


def _zone(name: str) -> datetime.tzinfo:
    """A zone that this computer's table has no more is UTC."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return datetime.UTC


def day(date: datetime.date) -> str:
    """14 November 2026"""
    return dates.format_date(date, "long", locale=locale())


def exact(moment: float) -> str:
    """For programs (HTML's datetime), in UTC."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- how much -------------------------------------------------------------------------------------


def number(value: float, places: int = 0) -> str:
    """With so many decimal places."""
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(value, pattern, locale=locale())


def kilobytes(size: int) -> str:
    """Of so many bytes, rounded up."""
    return _("%(count)s KB", count=number(-(-size // 1024)))


def megabytes(kilobytes: float) -> str:
    return _("%(count)s MB", count=number(kilobytes // 1024))
