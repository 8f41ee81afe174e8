"""The figures for a terminal."""

from collections.abc import Iterator

from host_tools.factory.story import printable
from host_tools.factory.yields import words
from host_tools.factory.yields.figures import Figures

BAR = 30  # characters


def table(figures: Figures, zone_s: int) -> Iterator[str]:
    """Lines, without their ends."""
    if figures.periods:
        yield from _periods(figures, zone_s)
        yield ""
    rate = words.percent(figures.first_pass_rate)
    yield f"  {'good routers':<16} {figures.good:>7}    {words.failed_runs(figures)}"
    yield f"  {'per hour':<16} {words.number(figures.per_hour):>7}    {words.per_hour(figures, zone_s)}"
    yield f"  {'first-pass rate':<16} {rate:>7}    {words.first_pass(figures)}"
    if figures.steps:
        yield ""
        yield from _steps(figures)


def _periods(figures: Figures, zone_s: int) -> Iterator[str]:
    """Those in which something ended: a night has no row."""
    most = max(period.good + period.failed for period in figures.periods)
    yield f"  {figures.length:<16} {'good':>7} {'failed':>7} {'yield':>8}"
    for period in figures.periods:
        if period.rate is not None:
            name = words.period_name(period, figures, zone_s)
            bar = _bar(period.good, most) + "░" * round(period.failed * BAR / most)
            yield f"  {name:<16} {period.good:>7} {period.failed:>7} {words.percent(period.rate):>8}  {bar}"


def _steps(figures: Figures) -> Iterator[str]:
    most = max(max(one.runs, 1) for one in figures.steps)
    yield f"  {'failures by step':<16} {'runs':>7} {'attempts':>8}"
    for one in figures.steps:
        bar = _bar(one.runs, most)
        yield printable(f"  {one.step:<16} {one.runs:>7} {one.attempts:>8} {'':>7}  {bar}".rstrip())


def _bar(value: int, most: int) -> str:
    return "█" * round(value * BAR / most)
