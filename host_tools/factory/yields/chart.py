"""The figures as a drawing: three numbers, bars of good and failed over time, bars of failures by step.

Good goes up and failed goes down from one line: which is which does not hang on a colour.
"""

from collections.abc import Iterator

from host_tools.factory.story import printable
from host_tools.factory.yields import words
from host_tools.factory.yields.drawing import (
    BAD,
    END,
    GOOD,
    LINE,
    MIDDLE,
    QUIET,
    SURFACE,
    WORDS,
    Bar,
    Drawing,
    Mark,
    Rule,
    Text,
)
from host_tools.factory.yields.figures import Figures, Period

WIDTH, MARGIN = 960, 40
LEFT, RIGHT = MARGIN + 48, WIDTH - MARGIN  # of the bars: the axis has its numbers beside it
STEP_LEFT = MARGIN + 150
SMALL, BODY, LARGE, TITLE = 14, 16, 20, 28
NUMBERS_Y, PLOT_Y, PLOT_HEIGHT = 132, 232, 220
AXIS_HEIGHT = 72  # of the times under the bars
STEP_HEIGHT, BAR_HEIGHT = 28, 16
WIDEST_BAR = 36
LONGEST_STEP = 20  # characters, that fit beside the bars
TICKS = 8  # at most, of the times
LEVELS = 4  # at most, on either side of the line


def drawing(figures: Figures, zone_s: int = 0) -> Drawing:
    plot_end = PLOT_Y + PLOT_HEIGHT + AXIS_HEIGHT
    height = plot_end + 64 + STEP_HEIGHT * max(1, len(figures.steps)) + MARGIN // 2
    marks = (
        Bar(0, 0, WIDTH, height, SURFACE),
        *_heading(figures, zone_s),
        *_over_time(figures, zone_s),
        *_by_step(figures, plot_end + 40),
    )
    return Drawing(WIDTH, height, "Yield of the factory line", _summary(figures, zone_s), marks)


def _summary(figures: Figures, zone_s: int) -> str:
    good = words.counted(figures.good, "good router", "good routers")
    first = f"{words.first_pass(figures)} passed at the first run" if figures.first_runs else ""
    worst = [f"{_name(one.step)} failed {words.counted(one.runs, 'run', 'runs')}" for one in figures.steps]
    return "; ".join(filter(None, [good, words.failed_runs(figures), first, *worst])) + "."


def _heading(figures: Figures, zone_s: int) -> Iterator[Mark]:
    yield Text(MARGIN, 52, "Yield of the factory line", LARGE, WORDS, is_strong=True)
    if figures.periods:
        yield Text(RIGHT, 52, _span(figures, zone_s), SMALL, QUIET, END)
    numbers = (
        ("Good routers", str(figures.good), words.failed_runs(figures)),
        ("Per hour", words.number(figures.per_hour), words.per_hour(figures, zone_s)),
        ("First-pass rate", words.percent(figures.first_pass_rate), words.first_pass(figures)),
    )
    column = (RIGHT - MARGIN) / len(numbers)
    for place, (name, value, detail) in enumerate(numbers):
        x = MARGIN + place * column
        yield Text(x, NUMBERS_Y - 40, name, SMALL, QUIET)
        yield Text(x, NUMBERS_Y - 4, value, TITLE, WORDS, is_strong=True)
        yield from (
            Text(x, NUMBERS_Y + 20 + 18 * row, line, SMALL, QUIET)
            for row, line in enumerate(detail.split("; "))
        )


def _span(figures: Figures, zone_s: int) -> str:
    ends = [words.period_name(figures.periods[place], figures, zone_s) for place in (0, -1)]
    hours, minutes = divmod(abs(zone_s) // 60, 60)
    zone = f"UTC{'-' if zone_s < 0 else '+'}{hours:02}:{minutes:02}"
    return f"{ends[0]} to {ends[1]}, {zone}" if ends[0] != ends[1] else f"{ends[0]}, {zone}"


# --- over time ---


def _over_time(figures: Figures, zone_s: int) -> Iterator[Mark]:
    yield Text(MARGIN, PLOT_Y - 24, f"Routers per {figures.length}", BODY, WORDS, is_strong=True)
    if not figures.periods:
        yield Rule(MARGIN, PLOT_Y + PLOT_HEIGHT, RIGHT - MARGIN, LINE)
        text = "No router has been finished, and no run has failed."
        yield Text(WIDTH / 2, PLOT_Y + PLOT_HEIGHT / 2, text, BODY, QUIET, MIDDLE)
        return
    up = max(period.good for period in figures.periods)
    down = max(period.failed for period in figures.periods)
    step = level_step(max(up, down))
    ups, downs = -(-up // step), -(-down // step)
    scale = PLOT_HEIGHT / ((ups + downs) * step)
    zero = PLOT_Y + ups * step * scale
    yield from _levels(range(-downs, ups + 1), step, zero, scale)
    if ups:
        yield Text(RIGHT, PLOT_Y - 24, "good, upwards", SMALL, GOOD, END)
    if downs:
        yield Text(RIGHT - (140 if ups else 0), PLOT_Y - 24, "failed, downwards", SMALL, BAD, END)
    yield from _bars(figures.periods, zero, scale)
    yield from _times(figures, zone_s)


def level_step(most: int) -> int:
    """1, 2, 5, 10, 20, …: the smallest that makes no more than LEVELS levels of the most."""
    step = 1
    while most > LEVELS * step:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


def _levels(numbers: range, step: int, zero: float, scale: float) -> Iterator[Mark]:
    for number in numbers:
        y = zero - number * step * scale
        yield Rule(LEFT - 8, y, RIGHT - LEFT + 8, QUIET if number == 0 else LINE)
        yield Text(LEFT - 14, y + 5, str(abs(number * step)), SMALL, QUIET, END)


def _bars(periods: tuple[Period, ...], zero: float, scale: float) -> Iterator[Mark]:
    slot = (RIGHT - LEFT) / len(periods)
    width = min(WIDEST_BAR, slot * 0.7)
    for place, period in enumerate(periods):
        x = LEFT + (place + 0.5) * slot - width / 2
        if period.good:
            yield Bar(x, zero - period.good * scale, width, period.good * scale, GOOD)
        if period.failed:
            yield Bar(x, zero, width, period.failed * scale, BAD)


def _times(figures: Figures, zone_s: int) -> Iterator[Mark]:
    """Under every so many bars; the day or year only where it is another one."""
    periods, y = figures.periods, PLOT_Y + PLOT_HEIGHT + 26
    slot, every, told = (RIGHT - LEFT) / len(periods), -(-len(periods) // TICKS), ""
    for place in range(0, len(periods), every):
        fine, coarse = words.tick(periods[place], figures, zone_s)
        x = LEFT + (place + 0.5) * slot
        yield Text(x, y, fine, SMALL, QUIET, MIDDLE)
        if coarse != told:
            yield Text(x, y + 20, coarse, SMALL, QUIET, MIDDLE)
        told = coarse


# --- by step ---


def _name(step: str) -> str:
    return printable(step)[:LONGEST_STEP]


def _by_step(figures: Figures, top: float) -> Iterator[Mark]:
    yield Text(MARGIN, top, "Failures by step", BODY, WORDS, is_strong=True)
    if not figures.steps:
        yield Text(MARGIN, top + 34, "No step has failed.", BODY, QUIET)
        return
    most = max(max(one.runs, one.attempts) for one in figures.steps)
    scale = (RIGHT - STEP_LEFT - 200) / most
    for row, one in enumerate(figures.steps):
        y = top + 34 + row * STEP_HEIGHT
        yield Text(STEP_LEFT - 14, y, _name(one.step), SMALL, WORDS, END)
        if one.runs:
            yield Bar(STEP_LEFT, y - 13, one.runs * scale, BAR_HEIGHT, BAD)
        runs = words.counted(one.runs, "run", "runs")
        attempts = words.counted(one.attempts, "attempt", "attempts")
        yield Text(STEP_LEFT + one.runs * scale + 10, y, f"{runs}, {attempts}", SMALL, QUIET)
