"""The yield of a line: the figures, their table, and the charts down to the dots."""

import io
import json
import random
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageFont

from host_tools import cli, exit_codes
from host_tools.factory.chain import Entry
from host_tools.factory.ledger import Ledger
from host_tools.factory.runs import Run
from host_tools.factory.since import Since
from host_tools.factory.yields import chart, png, svg
from host_tools.factory.yields.drawing import Bar, Rule, Text, light_tones
from host_tools.factory.yields.figures import count
from host_tools.factory.yields.table import table

HOUR = 3600
MORNING = 1795248000.0  # 2026-11-21T08:00:00Z, a Saturday
SVG = "{http://www.w3.org/2000/svg}"


class Line:
    """A line's entries, as a test tells them."""

    def __init__(self):
        self.entries = []

    def enter(self, at, kind, **fields):
        sequence = len(self.entries) + 1
        self.entries.append(Entry(sequence, "00" * 32, {"kind": kind, "at": MORNING + at, **fields}))
        return self

    def good(self, at, serial_number="", **fields):
        return self.enter(at, "unit", serial_number=serial_number, made_at=MORNING + at - 5, **fields)

    def run(self, at, serial_number, outcome="PASS", step="print", failed=(), **more):
        steps = [{"step": name, "outcome": outcome} for name in failed]
        verdict = "GO" if outcome == "PASS" else "NO-GO"
        run = Run(verdict, step, outcome, steps, MORNING + at - 60, serial_number, **more)
        return self.enter(at, "run", **run.fields())


@pytest.fixture
def line():
    return Line()


def busy_line(units, seconds, seed=1):
    dice, line = random.Random(seed), Line()
    for number in range(units):
        at = seconds * number / max(1, units - 1)
        name = f"GL2647{number:06}"
        while dice.random() < 0.2:
            step = dice.choice(["self-test", "lock", "flash", "a <step> & its\n name"])
            line.run(at, name, dice.choice(["FAIL", "TIMEOUT", "ABORTED"]), step, [step])
        line.good(at, name).run(at, name)
    return line


LINES = {
    "empty": Line(),
    "one unit": busy_line(1, 0),
    "one failure": Line().run(5, "a", "FAIL", "lock", ["lock"]),
    "a shift": busy_line(60, 8 * HOUR),
    "a month": busy_line(80, 29 * 24 * HOUR),
    "six years": busy_line(80, 6 * 365 * 24 * HOUR),
}
every_line = pytest.mark.parametrize("entries", [one.entries for one in LINES.values()], ids=list(LINES))


# figures


def test_good_routers_are_counted_by_the_hour(line):
    for at in (0, 10, HOUR - 1, HOUR, 3 * HOUR):
        line.good(at)
    figures = count(line.entries)
    assert [(period.start - MORNING, period.good) for period in figures.periods] == [
        (0, 3),
        (HOUR, 1),
        (2 * HOUR, 0),
        (3 * HOUR, 1),
    ]
    assert (figures.good, figures.hours) == (5, 3)
    assert figures.per_hour == 5 / 3  # of the hours with work
    assert figures.best_hour.good == 3


def test_the_first_pass_rate_is_of_first_runs(line):
    line.run(0, "a")  # passed at the first run
    line.run(1, "b", "FAIL", "self-test").run(2, "b")  # at the second
    line.run(3, "c", "TIMEOUT", "flash")  # not yet
    line.run(4, "", "ERROR", "identify")  # nobody's
    line.run(5, "d", "ABORTED", "flash").run(6, "d")  # a person ended the first one
    line.run(7, "a", was_finished=True)  # was there again
    figures = count(line.entries)
    assert (figures.first_passed, figures.first_runs) == (2, 4)
    assert (figures.failed, figures.aborted) == (3, 1)


def test_a_second_run_is_no_first_one_because_the_first_was_long_ago(line):
    line.run(0, "a", "FAIL", "self-test").run(HOUR, "a").run(HOUR, "b")
    figures = count(line.entries, Since(at=MORNING + HOUR))
    assert (figures.first_passed, figures.first_runs) == (1, 1)


def test_failures_are_counted_by_the_step_that_ended_the_run_and_by_attempt(line):
    line.run(0, "a", "FAIL", "self-test", ["self-test", "self-test"])
    line.run(1, "b", "TIMEOUT", "self-test", ["flash", "self-test"])
    line.run(2, "c", "FAIL", "lock", [])
    figures = count(line.entries)
    assert figures.steps == (("self-test", 2, 3), ("lock", 1, 0), ("flash", 0, 1))


def test_what_was_made_before_there_was_a_ledger_is_in_its_own_hour(line):
    line.enter(9 * HOUR, "unit", made_at=MORNING + HOUR, source="devices.jsonl")
    assert [period.start for period in count(line.entries).periods] == [MORNING + HOUR]


def test_hours_and_days_are_those_of_the_wall(line):
    line.good(0).good(50 * HOUR)
    days = count(line.entries, zone_s=19800).periods  # India: five and a half hours ahead
    assert {(day.start + 19800) % 86400 for day in days} == {0.0}
    assert sum(day.good for day in days) == 2


def test_weeks_begin_on_a_monday(line):
    line.good(0).good(200 * 24 * HOUR)
    figures = count(line.entries)
    assert figures.length == "week"
    assert (MORNING - figures.periods[0].start) // 86400 == 5  # Saturday


@every_line
def test_nothing_is_lost_in_periods_and_they_are_few(entries):
    figures = count(entries)
    assert sum(period.good for period in figures.periods) == figures.good
    assert sum(period.failed for period in figures.periods) == figures.failed
    assert len(figures.periods) <= 49
    starts = [period.start for period in figures.periods]
    assert all(
        later - earlier == figures.length_s for earlier, later in zip(starts, starts[1:], strict=False)
    )


# the table


@every_line
def test_the_table_says_every_figure(entries):
    figures = count(entries)
    text = "\n".join(table(figures, 0))
    assert f"good routers     {figures.good:>7}" in text
    assert len(text.splitlines()) == len(list(table(figures, 0)))
    assert sum(" runs " in line for line in text.splitlines()) == bool(figures.steps)


# the charts


@every_line
def test_a_chart_keeps_within_its_frame(entries):
    drawing = chart.drawing(count(entries))
    for mark in drawing.marks:
        assert 0 <= mark.x <= drawing.width and 0 <= mark.y <= drawing.height
        if not isinstance(mark, Text):
            assert mark.width > 0 and mark.x + mark.width <= drawing.width
        if isinstance(mark, Bar):
            assert mark.height > 0 and mark.y + mark.height <= drawing.height


@every_line
def test_a_picture_has_every_bar_in_its_colour(entries):
    drawing, tones = chart.drawing(count(entries)), light_tones()
    image = Image.open(io.BytesIO(png.render(drawing)))
    assert image.size == (2 * drawing.width, 2 * drawing.height)
    bars = [mark for mark in drawing.marks if isinstance(mark, Bar)][1:]  # the first one is the ground
    for bar in bars:
        middle = (int(2 * (bar.x + bar.width / 2)), int(2 * (bar.y + bar.height / 2)))
        assert "#{:02x}{:02x}{:02x}".format(*image.getpixel(middle)) == tones[bar.tone]
    assert bool(bars) == bool(entries)


@every_line
def test_a_picture_knows_every_character(entries):
    font = ImageFont.load_default(28)
    unknown = bytes(font.getmask("\uffff"))
    figures = count([entry for entry in entries if "<step>" not in str(entry.fields)])
    texts = [mark.text for mark in chart.drawing(figures).marks if isinstance(mark, Text)]
    assert [c for text in texts for c in text if bytes(font.getmask(c)) == unknown] == []


@every_line
def test_a_vector_picture_is_xml_with_the_same_marks_and_a_summary(entries):
    drawing = chart.drawing(count(entries))
    root = ElementTree.fromstring(svg.render(drawing))
    texts = [mark.text for mark in drawing.marks if isinstance(mark, Text)]
    assert [element.text for element in root.iter(SVG + "text")] == texts
    shapes = [mark for mark in drawing.marks if isinstance(mark, Bar | Rule)]
    assert len(list(root.iter(SVG + "rect"))) == len(shapes)
    assert "good router" in root.find(SVG + "desc").text
    assert root.get("role") == "img"


@pytest.mark.parametrize("most, step", [(1, 1), (4, 1), (5, 2), (9, 5), (20, 5), (21, 10), (900, 500)])
def test_the_levels_are_few_and_round(most, step):
    assert chart.level_step(most) == step


# the verb


def test_the_verb_prints_a_table_and_draws_both_kinds(tmp_path, capsys):
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: MORNING)
    ledger.append("unit", serial_number="GL2647000001", made_at=MORNING)
    for name, begins in (("yield.svg", b"<svg"), ("yield.png", b"\x89PNG")):
        arguments = ["ledger", "stats", "--ledger", str(ledger.path), "--chart", str(tmp_path / name)]
        assert cli.main(arguments) == exit_codes.OK
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert "good routers           1" in capsys.readouterr().out


def test_the_verb_tells_machines(tmp_path, capsys):
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: MORNING)
    ledger.append("unit", serial_number="GL2647000001", made_at=MORNING)
    assert cli.main(["ledger", "stats", "--ledger", str(ledger.path), "--json"]) == exit_codes.OK
    figures = json.loads(capsys.readouterr().out)
    assert figures["good"] == figures["per_hour"] == 1
    assert figures["first_pass_rate"] is None


def test_another_kind_of_picture_is_refused_before_the_ledger_is_read(tmp_path, capsys):
    arguments = ["ledger", "stats", "--ledger", str(tmp_path / "none.db"), "--chart", "yield.gif"]
    assert cli.main(arguments) == exit_codes.USAGE
    assert ".svg or .png" in capsys.readouterr().err
