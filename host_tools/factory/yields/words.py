"""Numbers and times of the figures as people read them; "none" is a dash."""

import datetime

from host_tools.factory.yields.figures import DAY_S, Figures, Period

NONE = "-"
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def percent(rate: float | None) -> str:
    """Of 1999 in 2000 it does not say 100 %."""
    if rate is None:
        return NONE
    return "100 %" if rate == 1 else f"{min(99.9, 100 * rate):.1f} %"


def number(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"


def counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def wall(unix_s: float, zone_s: int) -> datetime.datetime:
    zone = datetime.timezone(datetime.timedelta(seconds=zone_s))
    return datetime.datetime.fromtimestamp(unix_s, zone)


def period_name(period: Period, figures: Figures, zone_s: int) -> str:
    """When it begins: "2026-11-21 09:00", "2026-11-21"."""
    text = wall(period.start, zone_s).strftime("%Y-%m-%d %H:%M")
    return text.split()[0] if figures.length_s >= DAY_S else text


def tick(period: Period, figures: Figures, zone_s: int) -> tuple[str, str]:
    """(hour or day, day or year) for an axis."""
    at = wall(period.start, zone_s)
    day = f"{at.day} {MONTHS[at.month - 1]}"
    return (day, str(at.year)) if figures.length_s >= DAY_S else (at.strftime("%H:%M"), day)


def first_pass(figures: Figures) -> str:
    if not figures.first_runs:
        return "no run has been entered"
    of = counted(figures.first_runs, "router", "routers")
    return f"{figures.first_passed} of {of}"


def per_hour(figures: Figures, zone_s: int) -> str:
    best = figures.best_hour
    if best is None or not best.good:
        return "no router has been finished"
    hours = counted(figures.hours, "hour", "hours")
    return f"in {hours} with work; {best.good} at best, {wall(best.start, zone_s):%Y-%m-%d %H:%M}"


def failed_runs(figures: Figures) -> str:
    aborted = f", {figures.aborted} aborted" if figures.aborted else ""
    return f"{counted(figures.failed, 'failed run', 'failed runs')}{aborted}"
