"""A week of use, simulated in minutes: the daemon as it is installed, on MicroPython, its memory watched.

FULL=1 lives through each hour of it; else the days are short, and everything else is the same.
"""

import json
import os
import subprocess
import tarfile

import pytest
from gatelodge.core import heap
from gatelodge.store import COMPACT_FROM_BYTES

from host_tools.release import bundle
from tests.host_tools.admin_page_rig import free_port, write_certificate
from tests.micropython.run import ROOT, environment, interpreter

DAYS = 7
# Visits a day, seconds between them, events of the live page of each: two every four seconds.
VISITS, PAUSE_S, EVENTS = (6, 13_000, 240) if os.environ.get("FULL") else (2, 900, 10)
HEAP = "2560k"  # the smallest heap of a board, and what the test's own side of it takes
FLAT_BYTES = 32 * 1024  # what a day's end may differ from another's: tables grow, texts are held or not
DEADLINE_S = 3600 if os.environ.get("FULL") else 600


@pytest.fixture(scope="module")
def days(tmp_path_factory):
    """What is held at the end of each day, as week.py tells it, and the size of each file then."""
    directory = tmp_path_factory.mktemp("week")
    write_certificate(directory)
    with tarfile.open(bundle.build()) as archive:
        archive.extractall(directory / "slot", filter="data")
    ours, theirs = os.openpty()
    numbers = (free_port(), free_port(), DAYS, VISITS, PAUSE_S, EVENTS)
    try:
        return lived(directory, [str(directory), os.ttyname(theirs), *map(str, numbers)])
    finally:
        os.close(ours)
        os.close(theirs)


def lived(directory, arguments):
    paths = f"{directory / 'slot'}:{ROOT}:.frozen"
    with (directory / "errors").open("w+") as errors:
        process = subprocess.Popen(
            ["timeout", str(DEADLINE_S), interpreter(), "-X", f"heapsize={HEAP}", "tests/micropython/week.py"]
            + arguments,
            cwd=ROOT,
            env={**environment(), "MICROPYPATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with process.stdout:
            told = [json.loads(line) | on_the_flash(directory) for line in process.stdout]
        assert process.wait() == 0, (directory / "errors").read_text()
    return told


def on_the_flash(directory):
    """The size of each file, and which one the journal is."""
    files = [*(directory / "state").iterdir(), *directory.glob("log*")]
    journal = (directory / "state" / "journal").stat().st_ino
    return {"files": {file.name: file.stat().st_size for file in files}, "journal": journal}


def test_the_heap_holds_at_the_end_of_each_day_what_it_held_at_the_first(days):
    held = [day["alloc"] for day in days[1:]]
    assert len(held) == DAYS - 1
    assert max(held) - min(held) <= FLAT_BYTES, held


def test_that_is_no_more_than_the_heap_is_planned_for(days):
    assert max(day["alloc"] for day in days) <= heap.LIVE, "measure anew what core/heap.py counts on"


def test_what_is_seldom_needed_is_in_the_heap_no_longer_than_that(days):
    assert [day["seldom"] for day in days] == [[]] * DAYS


def test_no_descriptor_is_left_open(days):
    assert len({day["descriptors"] for day in days}) == 1, days


def test_the_store_and_the_log_stay_within_their_bounds(days):
    for day in days:
        # journal.new: the daemon goes on while this looks, and may be writing it anew.
        assert set(day["files"]) <= {"journal", "journal.new", "log", "log.1"}
        assert day["files"]["journal"] <= 2 * COMPACT_FROM_BYTES
        assert day["files"]["log"] <= 256 * 1024


def test_the_journal_was_compacted_meanwhile(days):
    assert len({day["journal"] for day in days}) > 1  # each time it is another file
