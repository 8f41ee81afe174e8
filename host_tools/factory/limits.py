"""Limits of measurements: the router's own, and a station's, which only narrow them. Without I/O.

    judged = judge("flash write speed", 850, "KB/s", Limit(100, None), station.limits)

A NaN is never within a limit, nor is what could not be measured.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from host_tools.factory.events import Measurement


class Limit(NamedTuple):
    """None does not bound that side. Both ends are right."""

    lowest: float | None = None
    highest: float | None = None

    def holds(self, value: float) -> bool:
        return (self.lowest is None or value >= self.lowest) and (
            self.highest is None or value <= self.highest
        )

    def narrowed(self, other: "Limit") -> "Limit":
        lows = [one for one in (self.lowest, other.lowest) if one is not None]
        highs = [one for one in (self.highest, other.highest) if one is not None]
        return Limit(max(lows, default=None), min(highs, default=None))


FREE = Limit()


def judge(
    name: str,
    value: float | None,
    unit: str,
    limit: Limit,
    station: Mapping[str, Limit],
    was_right: bool = True,
) -> Measurement:
    """`was_right`: what the router itself has found, by its own limit."""
    limit = limit.narrowed(station.get(name, FREE))
    bounded = limit != FREE
    ok = was_right and value is not None and value == value and (not bounded or limit.holds(value))
    return Measurement(name, value, unit, limit.lowest, limit.highest, ok)


def of_check(check: Mapping[str, Any], station: Mapping[str, Limit]) -> Measurement:
    """A row of the router's `self_test` (contract/provisioning.py), whose limit is a text."""
    value = check["value"] if check["value"] >= 0 else None
    return judge(check["name"], value, check["unit"], parse(check["limit"]), station, check["ok"])


def parse(text: str) -> Limit:
    """The router's "at least 5" and "at most 5". Another text bounds nothing: then its "ok" counts alone."""
    side, _, number = text.rpartition(" ")
    try:
        value = float(number)
    except ValueError:
        return FREE
    return {"at least": Limit(lowest=value), "at most": Limit(highest=value)}.get(side, FREE)


def missing(
    measured: Iterable[Measurement], required: Iterable[str], station: Mapping[str, Limit]
) -> list[Measurement]:
    """What every router, or this station's, has to measure and this one did not: each has failed."""
    known = {one.name for one in measured}
    wanted = {**dict.fromkeys(required, FREE), **station}
    return [
        Measurement(name, None, "", limit.lowest, limit.highest, False)
        for name, limit in wanted.items()
        if name not in known
    ]


def still_hold(measured: Collection[Measurement], station: Mapping[str, Limit]) -> bool:
    """Whether figures of an earlier run are within the limits of now."""
    if missing(measured, (), station):
        return False
    return all(one.value is not None and station.get(one.name, FREE).holds(one.value) for one in measured)


def sentence(one: Measurement) -> str:
    """Return "flash write is 1500 ms, at most 1000 is right"."""
    value = "not measured" if one.value is None else f"{one.value:g} {one.unit}".rstrip()
    sides = [f"at least {one.lowest:g}"] if one.lowest is not None else []
    sides += [f"at most {one.highest:g}"] if one.highest is not None else []
    return f"{one.name} is {value}" + (f", {' and '.join(sides)} is right" if sides else "")
