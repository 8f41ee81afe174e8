"""What host_tools/factory/README.md says of the steps and the self-test is what the tables say."""

import re

from gatelodge.console import self_test as router

from host_tools.factory import events, steps
from host_tools.factory.unit.self_test import CLOCK_RATE
from host_tools.release.places import ROOT

TEXT = (ROOT / "host_tools/factory/README.md").read_text(encoding="utf-8")


def test_every_step_stands_there_with_its_attempts_and_deadline_in_order():
    found = re.findall(r"^\| ([a-z -]+) \| (\d+) \| (\d+) s \|", TEXT, re.MULTILINE)
    assert found == [(row.name, str(row.attempts), f"{row.deadline_s:g}") for row in steps.STEPS]


def test_every_outcome_stands_there():
    section = TEXT.split("### The table")[1].split("### ")[0]
    assert re.findall(r"^\| ([A-Z]+) \| ", section, re.MULTILINE) == list(events.OUTCOMES)


def test_every_figure_of_the_self_test_stands_there():
    section = TEXT.split("### The self-test")[1].split("### ")[0]
    named = {name for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE) for name in row.split(", ")}
    figures = {row[0] for _, rows in router.CHECKS for row in rows} | {CLOCK_RATE}
    assert figures == named - {"figure", "---"}
