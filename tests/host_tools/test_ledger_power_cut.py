"""The power is cut at every call that a station makes for its ledger: what it had acknowledged is there."""

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from host_tools.factory.ledger import Ledger
from tests.host_tools.bench_rig import ROOT
from tests.host_tools.power_cut import Disk, record

VARIANTS = 40 if os.environ.get("FULL") else 2  # of what is left of each cut
STATION = """
import sqlite3, sys
from pathlib import Path
from host_tools.factory.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
if BESIDE:  # while another connection is open, the log is not moved into the file
    ledger.entries()
    other = sqlite3.connect(ledger.path)
    other.execute("SELECT count(*) FROM entry").fetchone()
for number in range(3):
    with ledger.appending() as transaction:
        transaction.append("named", serial_number=str(number), public_key="04" * 65)
        transaction.append("unit", serial_number=str(number), text="x" * 5000 * number)
    print(number, flush=True)
"""
CARELESS = """
from host_tools.factory import ledger_file
connect = ledger_file.connect
def careless(path):
    database = connect(path)
    database.execute("PRAGMA synchronous = NORMAL")
    return database
ledger_file.connect = careless
"""


def calls_of(program, directory):
    """(the ledger's directory, every call of a station that made it and acknowledged three routers)"""
    place = directory / "recorded"
    place.mkdir()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/firmware"}
    return place, record(
        [sys.executable, "-c", program, place / "ledger.db"], directory / "calls", env=environment
    )


@pytest.fixture(scope="module", params=["alone", "beside another"])
def calls(tmp_path_factory, request):
    return calls_of(STATION.replace("BESIDE", str(request.param != "alone")), tmp_path_factory.mktemp("cut"))


@pytest.fixture
def left(tmp_path):
    """Where what is left goes: into memory, for nobody cuts the power of the test."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as directory:
        yield Path(directory) / "left"


def routers(ledger):
    return [entry.fields["serial_number"] for entry in ledger.entries(kind="unit")]


def cuts(calls, directory, seed, variants=VARIANTS, every=1):
    """(what was acknowledged, what is left) at each call that changed something, each in so many ways."""
    place, taken = calls
    disk, dice = Disk(place), random.Random(seed)
    changes = filter(disk.take, taken)
    for number, _ in enumerate(changes):
        for _ in range(variants if number % every == 0 else 0):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            disk.leave(directory, dice)
            yield disk.said.decode().split(), directory / "ledger.db"
    assert disk.said.decode().split() == ["0", "1", "2"]


def test_a_power_cut_at_any_call_loses_no_acknowledged_router(calls, left):
    found = set()
    for acknowledged, path in cuts(calls, left, seed=1):
        if acknowledged or path.exists():
            ledger = Ledger(path)
            count = ledger.verify().count
            assert count == 2 * len(routers(ledger))  # each transaction is whole, or not there
            assert routers(ledger)[: len(acknowledged)] == acknowledged
            found.add((len(acknowledged), count))
    assert {(0, 0), (1, 2), (2, 4), (3, 6)} <= found


def test_a_ledger_goes_on_after_a_cut(calls, left):
    for _, path in cuts(calls, left, seed=2, variants=1, every=5):
        ledger = Ledger(path)
        ledger.append("unit", serial_number="after")
        ledger.verify()
        assert routers(ledger)[-1] == "after"


def test_a_ledger_that_syncs_less_loses_routers(tmp_path, left):
    """Or the tests above could not fail."""
    calls = calls_of(CARELESS + STATION.replace("BESIDE", "True"), tmp_path)
    lost = [
        acknowledged
        for acknowledged, path in cuts(calls, left, seed=3)
        if acknowledged and routers(Ledger(path))[: len(acknowledged)] != acknowledged
    ]
    assert lost
