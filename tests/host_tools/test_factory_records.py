import json

import pytest

from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.records import Records, UnitRecord

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
    assert records.serial_numbers() == {UNIT.serial_number, other.serial_number}
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
