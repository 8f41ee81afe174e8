"""What the ledger says of a line's yield: pure, one pass over the entries.

    figures = count(ledger.walk(), Since.parse("24h", now), zone_s=3600)

- A router is good when it has an entry "unit".
- A failed run is one that ended NO-GO. One that a person ended (ABORTED) is counted apart and fails nothing;
  one at a router that was finished before is not counted.
- First-pass rate: of the routers with a counted run, those whose first one was GO. A run that ended before
  its router had a serial number is nobody's first.
- A failed attempt did not pass, whether or not another one did.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from host_tools.factory.chain import Entry
from host_tools.factory.events import ABORTED, GO, PASS
from host_tools.factory.since import Since

HOUR_S, DAY_S = 3600, 86400
MOST_PERIODS = 48  # that a table and a chart can show
WEEK_BEGINS_S = 4 * DAY_S  # on a Monday: 1970-01-05
# length, name: the shortest one that is long enough is taken.
LENGTHS = (
    (HOUR_S, "hour"),
    (DAY_S, "day"),
    (7 * DAY_S, "week"),
    (28 * DAY_S, "four weeks"),
    (364 * DAY_S, "52 weeks"),
)


class Period(NamedTuple):
    start: float  # unix seconds
    good: int
    failed: int

    @property
    def rate(self) -> float | None:
        """Of its ends, those that were good."""
        ends = self.good + self.failed
        return self.good / ends if ends else None


class StepFailures(NamedTuple):
    step: str
    runs: int  # that it ended
    attempts: int  # of it that failed


class Figures(NamedTuple):
    length_s: int
    length: str  # its name
    periods: tuple[Period, ...]  # without a gap, from the first end to the last
    good: int
    failed: int
    aborted: int
    hours: int  # with an end in them
    best_hour: Period | None
    first_passed: int
    first_runs: int
    steps: tuple[StepFailures, ...]  # the worst first

    @property
    def per_hour(self) -> float | None:
        return self.good / self.hours if self.hours else None

    @property
    def first_pass_rate(self) -> float | None:
        return self.first_passed / self.first_runs if self.first_runs else None


def count(entries: Iterable[Entry], since: Since = Since(), zone_s: int = 0) -> Figures:  # noqa: B008
    """Take all entries, for a router may have had its first run before `since`.

    `zone_s`: how far the clocks on the wall are ahead of UTC; hours and days are theirs.
    """
    tally = _Tally()
    for entry in entries:
        if since.covers(entry):
            tally.take(entry.fields)
        elif entry.fields["kind"] == "run":
            tally.had_its_first.add(entry.fields["serial_number"])
    return tally.figures(zone_s)


class _Tally:
    def __init__(self) -> None:
        self.good_at: list[float] = []
        self.failed_at: list[float] = []
        self.aborted = 0
        self.had_its_first: set[str] = set()
        self.first: dict[str, bool] = {}  # serial number: whether its first run was GO
        self.ended_by: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()

    def take(self, fields: dict[str, Any]) -> None:
        if fields["kind"] == "unit":
            # What was recorded before there was a ledger was made before it was entered.
            self.good_at.append(fields["made_at"] if "source" in fields else fields["at"])
        elif fields["kind"] == "run" and not fields["was_finished"]:
            self._take_run(fields)

    def _take_run(self, fields: dict[str, Any]) -> None:
        failed = [row["step"] for row in fields["steps"] if row["outcome"] not in (PASS, ABORTED)]
        self.attempts.update(failed)
        if fields["outcome"] == ABORTED:
            self.aborted += 1
            return
        is_good = fields["verdict"] == GO
        if fields["serial_number"] and fields["serial_number"] not in self.had_its_first:
            self.first.setdefault(fields["serial_number"], is_good)
        if not is_good:
            self.failed_at.append(fields["at"])
            self.ended_by[fields["step"]] += 1

    def figures(self, zone_s: int) -> Figures:
        hours = _periods(self.good_at, self.failed_at, HOUR_S, zone_s)
        length_s, length = _length([*self.good_at, *self.failed_at])
        names = self.attempts | self.ended_by
        steps = [StepFailures(name, self.ended_by[name], self.attempts[name]) for name in names]
        return Figures(
            length_s=length_s,
            length=length,
            periods=_without_gaps(_periods(self.good_at, self.failed_at, length_s, zone_s), length_s),
            good=len(self.good_at),
            failed=len(self.failed_at),
            aborted=self.aborted,
            hours=len(hours),
            best_hour=max(hours.values(), key=lambda hour: hour.good, default=None),
            first_passed=sum(self.first.values()),
            first_runs=len(self.first),
            steps=tuple(sorted(steps, key=lambda one: (-one.runs, -one.attempts, one.step))),
        )


def _length(moments: list[float]) -> tuple[int, str]:
    span_s = max(moments) - min(moments) if moments else 0
    return next((row for row in LENGTHS if span_s < (MOST_PERIODS - 1) * row[0]), LENGTHS[-1])


def _periods(good: list[float], failed: list[float], length_s: int, zone_s: int) -> dict[float, Period]:
    """{start: period} of those in which something ended, in their order."""
    begins_s = WEEK_BEGINS_S if length_s % (7 * DAY_S) == 0 else 0
    shift_s = zone_s - begins_s

    def starts(moments: list[float]) -> Counter[float]:
        return Counter((moment + shift_s) // length_s * length_s - shift_s for moment in moments)

    goods, fails = starts(good), starts(failed)
    return {start: Period(start, goods[start], fails[start]) for start in sorted(goods | fails)}


def _without_gaps(periods: dict[float, Period], length_s: int) -> tuple[Period, ...]:
    if not periods:
        return ()
    first, last = min(periods), max(periods)
    starts = [first + number * length_s for number in range(round((last - first) / length_s) + 1)]
    return tuple(periods.get(start, Period(start, 0, 0)) for start in starts)
