"""The ledger under what happens to files: other stations, kill -9, cut power, and people who edit."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import ledger_file
from host_tools.factory.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
import sys
from pathlib import Path
from host_tools.factory import ledger_file
from host_tools.factory.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), station=sys.argv[2])
for number in range(int(sys.argv[3])):
    entry = ledger.append("unit", serial_number=f"{sys.argv[2]}-{number}")
    print(entry.fields["serial_number"], flush=True)
"""


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger.db", station="bench 1", clock=lambda: 1795281371.25)


def writer(path, station, count, first=""):
    """Start a station that says each entry into a file, when the ledger has acknowledged it."""
    said = path.with_name(station)
    command = [sys.executable, "-c", first + WRITER, str(path), station, str(count)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/firmware"}
    with said.open("wb") as out, said.with_suffix(".err").open("wb") as errors:
        return subprocess.Popen(command, stdout=out, stderr=errors, env=environment), said


def wait_for_an_entry(process, said):
    deadline = time.monotonic() + 120
    while b"\n" not in said.read_bytes():
        assert process.poll() is None, "the station has ended"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def whole_lines(said):
    return said.read_text().split("\n")[:-1]


def serial_numbers(ledger):
    return [entry.fields["serial_number"] for entry in ledger.entries(kind="unit")]


def edit(ledger, statement, *guards):
    """As somebody with SQLite and bad intentions."""
    with sqlite3.connect(ledger.path) as database:
        for guard in guards:
            database.execute(f"DROP TRIGGER {guard}")
        database.execute(statement)
    database.close()


def test_an_entry_holds_its_kind_its_time_and_its_station(ledger):
    entry = ledger.append("unit", serial_number="GL2647000001")
    assert entry.fields == {
        "kind": "unit",
        "at": 1795281371.25,
        "station": "bench 1",
        "serial_number": "GL2647000001",
    }
    assert ledger.entries() == [entry]


def test_the_chain_is_the_one_of_the_documentation(ledger):
    """Made by hand: domain, 32 zeros, canonical bytes."""
    entry = ledger.append("note", text="\u00e4")
    body = b'{"at":1795281371.25,"kind":"note","station":"bench 1","text":"\\u00e4"}'
    command = ["sha256sum"]
    done = subprocess.run(command, input=b"gatelodge ledger 1\n" + bytes(32) + body, capture_output=True)
    assert entry.hash == done.stdout.split()[0].decode()
    assert ledger.verify() == (1, entry.hash)


VALUES = "INTO entry (sequence, previous, hash, body) VALUES (%d, zeroblob(32), x'00', '{}')"


@pytest.mark.parametrize(
    "statement, reason",
    [
        ("UPDATE entry SET body = '{}'", "never changes"),
        ("DELETE FROM entry", "never goes"),
        ("INSERT OR REPLACE " + VALUES % 1, "follows"),
        ("INSERT " + VALUES % 3, "follows"),
        ("INSERT " + VALUES % 9, "follows"),
    ],
)  # fmt: skip
def test_sqlite_itself_refuses_changes_removals_and_forks(ledger, statement, reason):
    ledger.append("unit", serial_number="one")
    ledger.append("unit", serial_number="two")
    with pytest.raises(sqlite3.IntegrityError, match=reason):
        edit(ledger, statement)
    assert ledger.verify().count == 2


@pytest.mark.parametrize(
    "statement, guard, reason",
    [
        ("UPDATE entry SET body = replace(body, 'two', 'owt')", "entry_never_changes", "its entry_never_ch"),
        ("DELETE FROM entry WHERE sequence = 2", "entry_never_goes", "its entry_never_goes"),
    ],
)
def test_a_removed_guard_is_noticed(ledger, statement, guard, reason):
    ledger.append("unit", serial_number="one")
    ledger.append("unit", serial_number="two")
    edit(ledger, statement, guard)
    with pytest.raises(ToolError, match=reason) as raised:
        ledger.verify()
    assert raised.value.exit_code == exit_codes.LEDGER


@pytest.mark.parametrize(
    "statement, guard, reason",
    [
        ("UPDATE entry SET body = replace(body, 'two', 'owt')", "entry_never_changes", "2 is not the one"),
        ("UPDATE entry SET hash = zeroblob(32) WHERE sequence = 1", "entry_never_changes", "1 is not"),
        ("DELETE FROM entry WHERE sequence = 2", "entry_never_goes", "entry 2 is not there"),
        ("DELETE FROM entry WHERE sequence = 1", "entry_never_goes", "entry 1 is not there"),
    ],
)  # fmt: skip
def test_the_chain_finds_what_was_changed_behind_its_guards(ledger, statement, guard, reason):
    for name in ("one", "two", "three"):
        ledger.append("unit", serial_number=name)
    with sqlite3.connect(ledger.path) as database:
        (source,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (guard,)).fetchone()
        database.execute(f"DROP TRIGGER {guard}")
        database.execute(statement)
        database.execute(source)
    database.close()
    with pytest.raises(ToolError, match=reason):
        ledger.verify()


def test_a_guard_that_guards_nothing_any_more_is_noticed(ledger):
    ledger.append("unit", serial_number="one")
    empty = "CREATE TRIGGER entry_never_goes BEFORE DELETE ON entry BEGIN SELECT 1; END"
    edit(ledger, empty, "entry_never_goes")
    with pytest.raises(ToolError, match="its entry_never_goes was changed"):
        ledger.verify()


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "version 0"),
        (b"not a database, but long enough to be read as one" * 100, "cannot be used"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_in_one_sentence(ledger, content, reason):
    ledger.path.write_bytes(content)
    with pytest.raises(ToolError, match=reason) as raised:
        ledger.append("unit")
    assert raised.value.exit_code == exit_codes.LEDGER
    assert ledger.path.read_bytes() == content


def test_a_place_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ToolError, match="cannot be used"):
        Ledger(tmp_path / "nowhere" / "ledger.db").append("unit")


def test_a_place_with_an_odd_name_is_only_a_place(tmp_path):
    path = tmp_path / "a?mode=ro#b %41" / "ledger.db"
    path.parent.mkdir()
    Ledger(path).append("unit")
    assert {entry.name for entry in path.parent.iterdir()} == {"ledger.db", "ledger.head"}


def test_an_older_copy_that_is_put_back_is_refused_until_somebody_decides(ledger, tmp_path):
    ledger.append("named", serial_number="GL2647000001")
    shutil.copy(ledger.path, tmp_path / "older")
    ledger.append("named", serial_number="GL2647000002")
    shutil.copy(tmp_path / "older", ledger.path)
    for refused in (ledger.verify, lambda: ledger.append("named", serial_number="GL2647000002")):
        with pytest.raises(ToolError, match="its end was cut off: 2 entries were there, 1 are") as raised:
            refused()
        assert raised.value.exit_code == exit_codes.LEDGER
    ledger.path.with_suffix(".head").unlink()
    assert ledger.append("named", serial_number="GL2647000003").sequence == 2


def test_another_ledger_in_its_place_is_refused(ledger, tmp_path):
    ledger.append("named", serial_number="GL2647000001")
    other = Ledger(tmp_path / "other.db")
    for number in range(3):
        other.append("named", serial_number=str(number))
    shutil.copy(other.path, ledger.path)
    with pytest.raises(ToolError, match="entry 1 is another one than was there"):
        ledger.append("named", serial_number="GL2647000002")


def test_a_head_that_is_none_is_named(ledger):
    ledger.append("named", serial_number="GL2647000001")
    ledger.path.with_suffix(".head").write_text("7:torn")
    with pytest.raises(ToolError, match="ledger.head holds no head of a ledger: check the ledger"):
        ledger.append("named", serial_number="GL2647000002")


def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    """A limit on the size of files stands for the disk: the log does not fit any more."""
    path = tmp_path / "ledger.db"
    holder = Ledger(path)
    holder.append("unit", serial_number="before")
    with sqlite3.connect(path) as keeps_the_log:
        keeps_the_log.execute("SELECT count(*) FROM entry").fetchone()
        limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        process, said = writer(path, "bench", 10_000, limit)
        assert process.wait(timeout=120) == 1
        assert "check that the disk has space" in said.with_suffix(".err").read_text()
    keeps_the_log.close()
    holder.verify()
    assert whole_lines(said)
    assert serial_numbers(holder) == ["before", *whole_lines(said)]
    holder.append("unit", serial_number="after")


def test_a_ledger_that_another_program_holds_is_said(ledger, monkeypatch):
    ledger.append("unit")
    monkeypatch.setattr(ledger_file, "BUSY_TIMEOUT_S", 0.05)
    holder = sqlite3.connect(ledger.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(ToolError, match="end the program that holds it"):
            ledger.append("unit")
    finally:
        holder.close()


@pytest.mark.parametrize("value", [float("nan"), b"bytes", "x" * 300_000], ids=["nan", "bytes", "long"])
def test_what_no_entry_can_hold_is_refused(ledger, value):
    with pytest.raises(ToolError, match="an entry"):
        ledger.append("run", steps=[{"value": value}])
    assert ledger.entries() == []


def test_a_secret_is_refused_wherever_it_is(ledger):
    with pytest.raises(ToolError, match="secret service_code") as raised:
        ledger.append("run", steps=[{"reply": {"service_code": "0123456789ABCDEF9"}}])
    assert "0123456789ABCDEF9" not in str(raised.value)


def test_a_failed_transaction_leaves_nothing(ledger):
    with pytest.raises(ZeroDivisionError), ledger.appending() as transaction:
        transaction.append("unit", serial_number="one")
        raise ZeroDivisionError
    assert ledger.entries() == []


def test_stations_share_one_file_that_none_of_them_has_made(tmp_path):
    path, count = tmp_path / "ledger.db", 25
    writers = [writer(path, f"bench{number}", count) for number in range(4)]
    assert [process.wait(timeout=240) for process, _ in writers] == [0] * 4
    ledger = Ledger(path)
    assert ledger.verify().count == 4 * count
    assert sorted(serial_numbers(ledger)) == sorted(name for _, said in writers for name in whole_lines(said))


def test_many_threads_make_one_ledger(tmp_path):
    path, count = tmp_path / "ledger.db", 8
    start = threading.Barrier(count, timeout=60)

    def append(number):
        start.wait()
        Ledger(path).append("unit", serial_number=str(number))

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(append, range(count)))
    assert Ledger(path).verify().count == count
    assert {entry.name for entry in tmp_path.iterdir()} == {"ledger.db", "ledger.head"}


@pytest.mark.parametrize("seed", range(6))
def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path, seed):
    dice, path = random.Random(seed), tmp_path / "ledger.db"
    stations = []
    for turn in range(3):
        writers = [writer(path, f"bench{turn}{number}", 10_000) for number in range(2)]
        for process, said in writers:
            wait_for_an_entry(process, said)  # both are in the middle
        time.sleep(dice.uniform(0, 0.15))
        for process, _ in writers:
            process.kill()
            assert process.wait(timeout=60) == -signal.SIGKILL  # and not of an error before
        stations += [said for _, said in writers]
    ledger = Ledger(path)
    ledger.verify()
    assert {name for said in stations for name in whole_lines(said)} <= set(serial_numbers(ledger))


@pytest.mark.parametrize("torn", [False, True], ids=["cut", "torn"])
def test_power_cut_at_any_byte_of_the_log_keeps_what_was_acknowledged(ledger, tmp_path, torn):
    """The log is what a commit waits for: whatever came after its end is lost, or noise."""
    log, dice = Path(str(ledger.path) + "-wal"), random.Random(1)
    ledger.append("unit", serial_number="before")
    holder = sqlite3.connect(ledger.path)  # without it the last one to close empties the log
    holder.execute("SELECT count(*) FROM entry").fetchone()
    start = ledger.path.read_bytes()
    acknowledged = []
    for number in range(4):
        ledger.append("unit", serial_number=str(number))
        acknowledged.append((log.stat().st_size, str(number)))
    whole = log.read_bytes()
    holder.close()
    for cut in sorted({*dice.sample(range(len(whole)), 150), *(size for size, _ in acknowledged)}):
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        (copy / "ledger.db").write_bytes(start)
        noise = dice.randbytes(len(whole) - cut) if torn else b""
        (copy / "ledger.db-wal").write_bytes(whole[:cut] + noise)
        found = Ledger(copy / "ledger.db")
        found.verify()
        assert {"before", *(name for size, name in acknowledged if size <= cut)} <= set(serial_numbers(found))


def test_an_auditor_needs_the_readme_alone(ledger):
    readme = (ROOT / "host_tools/factory/README.md").read_text("utf-8")
    program = readme.split("```python\n")[1].split("```")[0]
    for name in ("one", "tw\u00f6", "three"):
        ledger.append("unit", serial_number=name)

    def audit():
        command = [sys.executable, "-c", program]
        return subprocess.run(command, cwd=ledger.path.parent, capture_output=True, text=True, timeout=60)

    assert audit().stdout.strip() == ledger.verify().hash
    edit(ledger, "UPDATE entry SET body = replace(body, 'three', 'eerht')", "entry_never_changes")
    assert "entry 3 is not the one that was written" in audit().stderr


def test_a_copy_that_was_taken_while_a_bench_works_verifies(ledger, tmp_path):
    ledger.append("unit", serial_number="one")
    with sqlite3.connect(ledger.path) as bench:
        bench.execute("SELECT count(*) FROM entry").fetchone()
        ledger.append("unit", serial_number="two")
        bench.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    bench.close()
    copy = Ledger(tmp_path / "copy.db")
    assert copy.verify() == ledger.verify()
    copy.append("unit", serial_number="three")
    assert copy.verify().count == 3
