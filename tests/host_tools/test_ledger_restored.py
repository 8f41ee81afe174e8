"""A computer that was set back in time, and a ledger that was put back with its head: refused, or noticed."""

import shutil

import pytest

from host_tools import cli, exit_codes
from host_tools.errors import ToolError
from host_tools.factory.ledger import Ledger
from host_tools.factory.ledger_clock import SLACK_S
from host_tools.factory.lost import LOST, refuse_an_older_copy
from host_tools.factory.records import UnitRecord
from tests.host_tools.factory_rig import Factory

NOON = 1795262400.0  # 2026-11-21T12:00:00Z
FILES = ("ledger.db", "ledger.head")


@pytest.fixture
def factory(tmp_path):
    return Factory(tmp_path)


def finish(factory, number):
    serial_number = f"GL264700000{number}"
    unit = UnitRecord(serial_number, "0123456789ABCDEF9", f"{number:064x}", "Bench", 1795262500)
    factory.records.finish(unit)
    return serial_number


def put_back_an_older_copy(factory, kept):
    """With its head: the unit after `kept` has gone."""
    for name in FILES:
        shutil.copy(factory.directory / name, kept / name)
    lost = finish(factory, 2)
    for name in FILES:
        (factory.directory / name).unlink()
        shutil.copy(kept / name, factory.directory / name)
    return lost


@pytest.fixture
def restored(factory, tmp_path):
    """(a factory whose ledger was put back, the serial number that it lost)."""
    kept = tmp_path / "kept"
    kept.mkdir()
    finish(factory, 1)
    return factory, put_back_an_older_copy(factory, kept)


def test_a_ledger_put_back_with_its_head_is_refused_before_a_port_is_touched(restored, capsys):
    factory, lost = restored
    factory.records.ledger.verify()  # it is a whole ledger
    assert cli.main(factory.arguments("/dev/no-such-port")) == exit_codes.LEDGER
    told = capsys.readouterr().err
    assert lost in told and "is an older copy" in told and "ledger.head" in told


def test_a_report_tells_where_devices_jsonl_was_put_back_too(restored):
    factory, lost = restored
    (factory.directory / "devices.jsonl").unlink()
    reports = factory.directory / "reports"
    reports.mkdir()
    (reports / f"{lost}.json").write_text('{"verdict": "GO"}')
    (reports / "GL2647000003.json").write_text('{"verdict": "NO-GO"}')
    (reports / "GL2647000004.json").write_text("[damaged")
    with pytest.raises(ToolError, match=f"tells of {lost}"):
        refuse_an_older_copy(factory.records)


def test_who_has_no_newer_copy_removes_the_head_and_what_was_lost_is_entered_once(restored):
    factory, lost = restored
    (factory.directory / "ledger.head").unlink()
    for _ in range(2):
        refuse_an_older_copy(factory.records)
    (entry,) = factory.records.ledger.entries(kind=LOST)
    assert entry.fields["serial_numbers"] == [lost]
    assert factory.records.ledger.has_head


def test_a_whole_factory_is_not_refused(factory):
    finish(factory, 1)
    refuse_an_older_copy(factory.records)
    assert factory.records.ledger.entries(kind=LOST) == []


@pytest.fixture
def ledger(tmp_path):
    """One whose newest entry is of noon; `set_clock(ledger, t)` is another look at the same file."""
    ledger = Ledger(tmp_path / "ledger.db", "bench 1", lambda: NOON)
    ledger.append("note")
    return ledger


def set_clock(ledger, unix_s):
    return Ledger(ledger.path, "bench 1", lambda: unix_s)


def test_nothing_is_entered_that_is_dated_before_the_newest_entry(ledger):
    late = set_clock(ledger, NOON - SLACK_S - 1)
    sentence = (
        "clock says 2026-11-21 11:58:59 UTC, and the ledger's newest entry is of 2026-11-21 12:00:00 UTC"
    )
    for refused in (late.check_clock, lambda: late.append("note")):
        with pytest.raises(ToolError, match=sentence) as raised:
            refused()
        assert raised.value.exit_code == exit_codes.LEDGER
    assert ledger.verify().count == 1


def test_what_a_time_server_corrects_is_no_harm(ledger):
    late = set_clock(ledger, NOON - SLACK_S)
    late.check_clock()
    assert late.append("note").sequence == 2


def test_who_says_that_the_clock_is_right_goes_on_and_verify_tells(tmp_path, capsys):
    path = tmp_path / "ledger.db"
    Ledger(path, clock=lambda: 1e11).append("note")  # a computer that was ahead by a thousand years
    with pytest.raises(ToolError, match="set the clock"):
        Ledger(path).append("note")
    said = ["ledger", "clock", "--ledger", str(path), "--reason", "the battery was changed"]
    assert cli.main(said) == exit_codes.OK
    assert Ledger(path).append("note").sequence == 3
    assert cli.main(["ledger", "verify", "--ledger", str(path)]) == exit_codes.OK
    assert "entry 2 is dated before the one that it follows" in capsys.readouterr().out


def test_a_clock_of_no_calendar_is_told_in_seconds(tmp_path):
    path = tmp_path / "ledger.db"
    Ledger(path, clock=lambda: 1e30).append("note")
    with pytest.raises(ToolError, match="newest entry is of 10+"):
        Ledger(path).check_clock()
