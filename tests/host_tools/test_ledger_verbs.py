"""What `gatelodge ledger` says of a ledger that is whole, damaged, cut off, empty or not there."""

import csv
import io
import json
import sqlite3
import subprocess
import sys

import pytest

from host_tools import cli, exit_codes
from host_tools.factory import export
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.ledger import Ledger
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.revocation import rework
from host_tools.factory.runs import Run
from host_tools.release.places import ROOT

SERIAL = "GL2647000001"
CODE = "0123456789ABCDEF9"
NOON = 1795262400.0  # 2026-11-21T12:00:00Z
CLOCK = {"name": "clock", "value": 75, "unit": "s", "lowest": None, "highest": 60, "ok": False}
STEPS = [
    {"step": "identify", "attempt": 1, "outcome": "PASS", "seconds": 0.2, "detail": "Bench, firmware 1.4"},
    {"step": "self-test", "attempt": 2, "outcome": "FAIL", "seconds": 1.5, "measurements": [CLOCK]},
]
NO_GO = Run("NO-GO", "self-test", "FAIL", STEPS, NOON - 60, SERIAL, "Bench", "1.4", "1-1.4", "clock is wrong")


class Clock:
    now = NOON

    def __call__(self):
        self.now += 60
        return self.now


@pytest.fixture
def factory(tmp_path):
    """A factory with one router that failed, was good, and came back."""
    authority = FactoryAuthority.create(tmp_path / "factory")
    records = Records(authority, Ledger(authority.directory / "ledger.db", "bench 1", Clock()))
    records.ledger.append("named", serial_number=SERIAL, public_key="04ab" * 16)
    records.enter_run(NO_GO)
    records.finish(UnitRecord(SERIAL, CODE, "ab" * 32, "Bench", 1795262500, "02:00:00:00:00:01", "1f"))
    records.enter_run(NO_GO._replace(verdict="GO", outcome="PASS", step="print", reason="all steps passed"))
    rework(authority, records, SERIAL, "=flash chip replaced\x1b[2J")
    return authority.directory


@pytest.fixture
def ledger(factory, capsys):
    """A callable that runs a verb of the ledger and returns (exit status, output, errors)."""

    def run(*words):
        status = cli.main(["ledger", *words, "--factory-dir", str(factory)])
        return (status, *capsys.readouterr())

    return run


def edit(factory, *statements):
    with sqlite3.connect(factory / "ledger.db") as database:
        (guard,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'entry_never_changes'"
        ).fetchone()
        (other,) = database.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'entry_never_goes'"
        ).fetchone()
        for statement in ("DROP TRIGGER entry_never_changes", "DROP TRIGGER entry_never_goes", *statements):
            database.execute(statement)
        database.execute(guard)
        database.execute(other)
    database.close()


# verify


def test_a_whole_ledger_is_verified_and_its_head_printed(ledger, factory):
    status, out, _ = ledger("verify")
    assert status == exit_codes.OK
    assert out.splitlines()[0] == f"{factory}/ledger.db is whole: 5 entries"
    assert out.splitlines()[1] == f"head {Ledger(factory / 'ledger.db').verify()}"


def test_the_first_broken_link_is_named_with_what_to_do(ledger, factory):
    edit(factory, "UPDATE entry SET body = replace(body, 'FAIL', 'PASS') WHERE sequence IN (2, 4)")
    status, out, errors = ledger("verify")
    assert status == exit_codes.LEDGER
    assert "entry 2 is not the one that was written: stop the benches, keep this file" in errors
    assert out == ""


def test_an_end_that_was_cut_off_is_found_by_an_earlier_head(ledger, factory, tmp_path):
    head = tmp_path / "head.txt"
    assert ledger("verify", "--write-head", str(head))[0] == exit_codes.OK
    assert ledger("verify", "--expect", str(head))[0] == exit_codes.OK
    edit(factory, "DELETE FROM entry WHERE sequence > 3")
    assert "5 entries were there, 3 are" in ledger("verify")[2]
    (factory / "ledger.head").unlink()
    assert ledger("verify")[0] == exit_codes.OK  # who can change both leaves a ledger
    status, _, errors = ledger("verify", "--expect", str(head))
    assert status == exit_codes.LEDGER
    assert "its end was cut off: 5 entries were there, 3 are" in errors


def test_a_ledger_that_was_made_anew_is_found_by_an_earlier_head(ledger, factory):
    head = str(Ledger(factory / "ledger.db").verify())
    (factory / "ledger.db").unlink()
    (factory / "ledger.head").unlink()
    forged = Ledger(factory / "ledger.db")
    for number in range(7):
        forged.append("unit", serial_number=str(number))
    status, _, errors = ledger("verify", "--expect", head)
    assert status == exit_codes.LEDGER
    assert "entry 5 is another one than was there" in errors


def test_a_ledger_that_has_grown_still_holds_an_earlier_head(ledger, factory):
    head = Ledger(factory / "ledger.db").verify()
    Ledger(factory / "ledger.db").append("rework", serial_number=SERIAL)
    status, out, _ = ledger("verify", "--expect", str(head), "--json")
    assert status == exit_codes.OK
    assert json.loads(out)["count"] == head.count + 1


@pytest.mark.parametrize(
    "text", ["5:abcd", "x:" + "00" * 32, "nowhere.txt", "-1:" + "00" * 32, "٥:" + "00" * 32]
)
def test_what_is_no_head_is_refused(ledger, text):
    status, _, errors = ledger("verify", f"--expect={text}")
    assert status == exit_codes.USAGE
    assert "is no head of a ledger" in errors


def test_an_empty_ledger_is_whole(ledger, factory):
    (factory / "ledger.db").unlink()
    (factory / "ledger.head").unlink()
    Ledger(factory / "ledger.db").entries()
    assert ledger("verify")[1].splitlines()[1] == "head 0:" + "00" * 32


@pytest.mark.parametrize("words", [["verify"], ["show", SERIAL], ["export"]])
def test_a_ledger_that_is_not_there_is_said_and_not_made(ledger, factory, words):
    (factory / "ledger.db").unlink()
    status, _, errors = ledger(*words)
    assert status == exit_codes.LEDGER
    assert "there is no ledger" in errors
    assert not (factory / "ledger.db").exists()


def test_a_ledger_must_be_named(capsys):
    assert cli.main(["ledger", "verify"]) == exit_codes.USAGE
    assert "--ledger or --factory-dir" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["verify", "--write-head"], ["export", "--out"], ["stats", "--chart"]],
    ids=lambda words: words[0],
)
def test_a_file_that_cannot_be_written_is_said(ledger, tmp_path, words):
    path = tmp_path / "nowhere" / "file.svg"
    status, _, errors = ledger(*words, str(path))
    assert status == exit_codes.USAGE
    assert f"{path} cannot be written (No such file or directory): name another file" in errors


def test_an_export_that_ends_before_its_end_leaves_no_file(ledger, factory, tmp_path, monkeypatch):
    monkeypatch.setitem(export.FORMATS, "jsonl", cut_off)
    with pytest.raises(ZeroDivisionError):
        ledger("export", "--out", str(tmp_path / "out.jsonl"))
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


def cut_off(entries):
    yield "{}\n"
    raise ZeroDivisionError


def test_a_page_that_was_overwritten_is_damage(ledger, factory):
    content = bytearray((factory / "ledger.db").read_bytes())
    content[4096:8192] = bytes(4096)
    (factory / "ledger.db").write_bytes(content)
    status, _, errors = ledger("verify")
    assert status == exit_codes.LEDGER
    assert "stop the benches" in errors


# show


def test_a_routers_whole_story_is_shown(ledger):
    status, out, _ = ledger("show", SERIAL.lower())
    assert status == exit_codes.OK
    assert out.splitlines()[0] == f"{SERIAL}  Bench  returned"
    told = [
        "named  entry 1, bench 1",
        "NO-GO  clock is wrong",
        "port 1-1.4, firmware 1.4",
        "PASS        0.2 s  identify          Bench, firmware 1.4",
        "FAIL        1.5 s  self-test         attempt 2",
        "clock 75 s, at most 60: wrong",
        "unit  entry 3",
        "certificate " + "ab" * 32,
        "MAC address 02:00:00:00:00:01",
        "GO  all steps passed",
        "because     =flash chip replaced",
    ]
    places = [out.find(text) for text in told]
    assert -1 not in places
    assert places == sorted(places)


def test_a_story_does_not_speak_to_the_terminal(ledger):
    out = ledger("show", SERIAL)[1]
    assert "\x1b" not in out
    assert "\\x1b[2J" in out


def test_a_router_that_nobody_made_is_said(ledger):
    status, _, errors = ledger("show", "GL2647999999")
    assert status == exit_codes.LEDGER
    assert "no router 'GL2647999999'" in errors


def test_a_story_is_there_for_machines(ledger):
    entries = [json.loads(line) for line in ledger("show", SERIAL, "--json")[1].splitlines()]
    assert [entry["kind"] for entry in entries] == ["named", "run", "unit", "run", "rework"]


# export


def test_every_entry_is_exported_whole(ledger, factory):
    lines = [json.loads(line) for line in ledger("export")[1].splitlines()]
    entries = Ledger(factory / "ledger.db").entries()
    assert [(line.pop("sequence"), line.pop("hash")) for line in lines] == [entry[:2] for entry in entries]
    assert lines == [entry.fields for entry in entries]


@pytest.mark.parametrize(
    "since, sequences",
    [
        ("#3", [4, 5]),
        ("#9", []),
        ("2026-11-21T12:04:00+00:00", [4, 5]),
        ("2026-11-20", [1, 2, 3, 4, 5]),
        ("999999d", [1, 2, 3, 4, 5]),
    ],
)
def test_an_export_begins_where_it_is_told(ledger, since, sequences):
    lines = ledger("export", "--since", since)[1].splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == sequences


@pytest.mark.parametrize("since", ["yesterday", "24", "-1h", "#", "2026-13-01", "0001-01-01", "٢d"])
def test_what_is_no_time_is_refused(ledger, since):
    status, out, errors = ledger("export", f"--since={since}")
    assert (status, out) == (exit_codes.USAGE, "")
    assert "is no time and no entry" in errors


def test_a_table_has_a_row_for_each_entry_and_no_formula(ledger, tmp_path):
    assert ledger("export", "--format", "csv", "--out", str(tmp_path / "out.csv"))[0] == exit_codes.OK
    content = (tmp_path / "out.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["kind"] for row in rows] == ["named", "run", "unit", "run", "rework"]
    assert rows[1]["seconds"] == "180.0"
    assert rows[1]["time"] == "2026-11-21T12:02:00.000+00:00"
    assert rows[4]["reason"].startswith("'=flash")
    assert CODE not in content
    assert "\x1b" not in content


def test_a_reader_that_has_seen_enough_ends_an_export_in_silence(factory):
    ledger = Ledger(factory / "ledger.db")
    with ledger.appending() as transaction:
        for _ in range(2000):  # more than a pipe holds
            transaction.append("note", text="x" * 100)
    command = [sys.executable, "-m", "host_tools.cli", "ledger", "export", "--ledger", ledger.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert json.loads(process.stdout.readline())["sequence"] == 1
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == exit_codes.OK


def test_one_kind_is_exported_alone(ledger):
    (line,) = ledger("export", "--kind", "unit")[1].splitlines()
    assert json.loads(line)["service_code_hash"]
    assert CODE not in line
