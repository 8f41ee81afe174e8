import datetime
import json
import shutil
import threading

import pytest

from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.ledger import Ledger
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.runs import Run

UNIT = UnitRecord("GL2647000001", "0123456789ABCDEF9", "ab" * 32, "Gatelodge Bench", 1795281371)


@pytest.fixture
def records(tmp_path):
    return Records(FactoryAuthority.create(tmp_path / "factory"))


def lines(records):
    return records.path.read_text().splitlines()


def test_a_record_holds_a_hash_and_not_the_service_code(records):
    records.finish(UNIT)
    record = json.loads(lines(records)[0])
    assert set(record) == {
        "serial_number",
        "service_code_hash",
        "certificate_fingerprint",
        "model",
        "made_at",
        "service_code_key_id",
    }
    assert UNIT.service_code not in records.path.read_text()


def test_a_unit_is_recorded_once(records):
    records.finish(UNIT)
    records.finish(UNIT)
    assert len(lines(records)) == 1


def test_a_line_that_a_crash_cut_short_harms_no_other(records):
    records.finish(UNIT)
    with records.path.open("a") as file:
        file.write('{"serial_number": "GL26')
    other = UNIT._replace(serial_number="GL2647000002")
    records.finish(other)
    assert records.finished(UNIT.serial_number) and records.finished(other.serial_number)
    assert json.loads(lines(records)[-1])["serial_number"] == other.serial_number


def test_a_pending_unit_is_found_again_until_it_is_forgotten(records):
    records.keep_pending(UNIT)
    assert records.pending(UNIT.serial_number) == UNIT
    records.forget(UNIT.serial_number)
    assert records.pending(UNIT.serial_number) is None


def test_a_pending_unit_is_readable_by_its_owner_only(records):
    records.keep_pending(UNIT)
    (path,) = (records.path.parent / "pending").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_serial_number_cannot_name_another_file(records):
    with pytest.raises(ToolError):
        records.pending("../../etc/pw")


def test_a_damaged_pending_unit_is_named(records):
    records.keep_pending(UNIT)
    (path,) = (records.path.parent / "pending").iterdir()
    path.write_text("{")
    with pytest.raises(ToolError, match="is damaged"):
        records.pending(UNIT.serial_number)


NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)


def test_serial_numbers_are_given_once_by_many_benches(records):
    keys = [bytes([bench, number]) for bench in range(4) for number in range(5)]
    given = []
    benches = [
        threading.Thread(target=lambda part=part: given.extend(records.name(key, NOW) for key in part))
        for part in (keys[0::4], keys[1::4], keys[2::4], keys[3::4])
    ]
    for bench in benches:
        bench.start()
    for bench in benches:
        bench.join()
    assert sorted(given) == [f"GL2647{count:06}" for count in range(1, 21)]


def test_a_ledger_that_lost_its_end_gives_no_number_again(records):
    records.name(b"one", NOW)
    shutil.copy(records.ledger.path, records.ledger.path.with_name("older"))
    lost = records.name(b"two", NOW)
    reports = records.ledger.path.with_name("reports")
    reports.mkdir()
    (reports / f"{lost}.json").write_text("{}")
    shutil.copy(records.ledger.path.with_name("older"), records.ledger.path)
    records.ledger.path.with_suffix(".head").unlink()  # somebody has decided to go on with the copy
    assert records.name(b"three", NOW) == "GL2647000003"


def test_a_key_keeps_its_serial_number(records):
    first = records.name(b"one", NOW)
    records.name(b"two", NOW)
    assert records.name(b"one", NOW + datetime.timedelta(days=30)) == first


def test_a_factory_from_before_the_ledger_keeps_its_routers_and_its_count(records):
    older = {
        "serial_number": "GL2647000041",
        "service_code_hash": "cd" * 32,
        "certificate_fingerprint": "ab" * 32,
        "model": "Gatelodge Bench",
        "made_at": 1795281371,
    }
    records.path.write_text(json.dumps(older) + "\n")
    assert records.name(b"key", NOW) == "GL2647000042"
    assert records.finished("GL2647000041")
    assert len(lines(records)) == 1


def test_a_power_cut_between_the_ledger_and_the_clouds_copy_is_made_good(records):
    records.finish(UNIT)
    records.path.write_bytes(b"")
    records.finish(UNIT._replace(serial_number="GL2647000002"))
    assert [json.loads(line)["serial_number"] for line in lines(records)] == ["GL2647000001", "GL2647000002"]


def test_the_ledger_holds_no_service_code(records):
    records.finish(UNIT)
    assert UNIT.service_code not in str(records.ledger.entries())
    assert records.finished(UNIT.serial_number).fields["service_code_hash"]


def test_two_factories_at_one_ledger_copy_their_own_units_only(records, tmp_path):
    other = Records(FactoryAuthority.create(tmp_path / "other"), records.ledger)
    records.finish(UNIT)
    other.finish(UNIT._replace(serial_number="GL2647000002"))
    records.copy_for_the_cloud()
    assert [json.loads(line)["serial_number"] for line in lines(records)] == ["GL2647000001"]
    assert [json.loads(line)["serial_number"] for line in lines(other)] == ["GL2647000002"]


# Runs

CLOCK = {"name": "clock", "value": 12.5, "unit": "s", "lowest": None, "highest": 60, "ok": True}
STEPS = (
    {"step": "identify", "attempt": 1, "outcome": "PASS", "seconds": 0.2, "measurements": []},
    {"step": "self-test", "attempt": 2, "outcome": "FAIL", "seconds": 1.5, "measurements": [CLOCK]},
)
NO_GO = Run("NO-GO", "self-test", "FAIL", STEPS, 1795281371.0, UNIT.serial_number, reason="self-test: slow")
GO = NO_GO._replace(verdict="GO", step="print", outcome="PASS", reason="all 2 steps passed")


def test_a_run_is_entered_with_every_step_and_measurement(records):
    entry = records.enter_run(NO_GO)
    (found,) = Ledger(records.ledger.path).entries(kind="run", serial_number=UNIT.serial_number)
    assert found == entry
    assert found.fields["steps"] == list(STEPS)
    assert found.fields["outcome"] == "FAIL"


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "PASS"},
        {"outcome": "GO"},
        {"steps": [{"step": "lock", "outcome": "good"}]},
        {"steps": [{"step": 3, "outcome": "PASS"}]},
    ],
)
def test_a_word_that_there_is_not_is_refused(records, wrong):
    with pytest.raises(ValueError, match="is no"):
        records.enter_run(NO_GO._replace(**wrong))
    assert records.ledger.entries() == []


def test_a_router_that_nobody_named_has_no_state(records):
    records.enter_run(NO_GO._replace(serial_number=""))
    assert records.last_state(UNIT.serial_number) is None


@pytest.mark.parametrize(
    "story, state",
    [
        ("named", "named"),
        ("named NO-GO", "failed"),
        ("named NO-GO NO-GO unit GO", "finished"),
        ("named unit NO-GO", "finished"),  # its label was not printed: it is good all the same
        ("named unit GO rework", "returned"),
        ("named unit GO revoked NO-GO", "revoked"),
    ],
)
def test_the_ledger_knows_the_last_state_of_a_router(records, story, state):
    serial_number = records.name(b"key", NOW)
    for word in story.split()[1:]:
        if word == "unit":
            records.finish(UNIT._replace(serial_number=serial_number))
        elif word.isupper():
            records.enter_run({"GO": GO, "NO-GO": NO_GO}[word]._replace(serial_number=serial_number))
        else:
            records.ledger.append(word, serial_number=serial_number)
    found = records.last_state(serial_number)
    assert found.name == state
    assert found.is_finished == (state == "finished")
    assert (found.unit is not None) == ("unit" in story)


def test_an_older_factory_brings_its_routers_to_a_ledger_that_others_use(records, tmp_path):
    records.finish(UNIT)
    other = Records(FactoryAuthority.create(tmp_path / "other"), records.ledger)
    older = json.loads(lines(records)[0]) | {"serial_number": "GL2640000009"}
    del older["service_code_key_id"]
    other.path.write_text(json.dumps(older) + "\n")
    other.finish(UNIT._replace(serial_number="GL2647000002"))
    units = records.ledger.entries(kind="unit")
    assert [unit.fields["serial_number"] for unit in units] == [
        "GL2647000001",
        "GL2640000009",
        "GL2647000002",
    ]
    assert len(lines(other)) == 2


def test_the_run_that_goes_on_after_a_power_cut_copies_the_unit(records):
    records.finish(UNIT)
    records.path.write_bytes(b"")
    records.enter_run(GO)
    assert [json.loads(line)["serial_number"] for line in lines(records)] == [UNIT.serial_number]


def test_a_list_for_the_cloud_that_somebody_began_anew_is_filled_again(records):
    for number in (1, 2, 3):
        records.finish(UNIT._replace(serial_number=f"GL264700000{number}"))
    whole = records.path.read_text()
    records.path.write_text(json.dumps(json.loads(lines(records)[0]) | {"serial_number": "GL2640000001"}))
    records.copy_for_the_cloud()
    assert records.path.read_text().endswith("\n" + whole)
    records.copy_for_the_cloud()
    assert len(lines(records)) == 4
