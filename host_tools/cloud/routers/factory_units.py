"""A factory's units, as they come to the cloud: its ledger, an export of it, or its devices.jsonl.

    source = read(Path("units.jsonl"), service_code_key)        # Source(units, ended); raises ToolError

A unit must say which key hashed its service code: with another key no owner could ever register it. A router
that was revoked, or went back to the bench, is no unit: `ended` has its serial number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.cloud.routers.registry import FactoryRecord, record_of
from host_tools.errors import ToolError
from host_tools.factory.authority import key_id
from host_tools.factory.ledger import Ledger

SQLITE = b"SQLite format 3\0"
ENDS = ("revoked", "rework")
LONGEST_LINE = 1024 * 1024  # bytes; an entry of the ledger has 256 KB at most


class Source(NamedTuple):
    units: tuple[FactoryRecord, ...]
    ended: frozenset[str]


def read(path: Path, service_code_key: bytes) -> Source:
    """All of it, or a ToolError that names the first line or entry that is wrong."""
    try:
        with path.open("rb") as file:
            is_ledger = file.read(len(SQLITE)) == SQLITE
        rows = _ledger_rows(path) if is_ledger else _file_rows(path)
        return _source(path, rows, key_id(service_code_key))
    except OSError as error:
        wrong = f"{path} cannot be read ({error.strerror})"
        raise ToolError(wrong, "name the factory's ledger or an export of it", exit_codes.USAGE) from error


def _ledger_rows(path: Path) -> Iterator[tuple[str, Any]]:
    ledger = Ledger.existing(path)
    ledger.verify()
    return ((f"entry {entry.sequence}", entry.fields) for entry in ledger.walk())


def _file_rows(path: Path) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if line.strip():
                yield f"line {number}", _parsed(path, number, line)


def _parsed(path: Path, number: int, line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, f"line {number}", "is no JSON object, or was cut off") from error


def _source(path: Path, rows: Iterable[tuple[str, Any]], wanted_key: str) -> Source:
    units: dict[str, FactoryRecord] = {}
    ended: set[str] = set()
    for where, row in rows:
        if not isinstance(row, dict):
            raise _wrong(path, where, "is no JSON object")
        kind, serial_number = row.get("kind", "unit"), row.get("serial_number")
        if kind in ENDS and isinstance(serial_number, str):
            ended.add(serial_number)
            units.pop(serial_number, None)
        elif kind == "unit":
            unit = _unit(path, where, row, wanted_key)
            before = units.setdefault(unit.serial_number, unit)
            if not is_same(before, unit):
                raise _wrong(path, where, f"contradicts an earlier one of {unit.serial_number}")
            ended.discard(unit.serial_number)
    return Source(tuple(units.values()), frozenset(ended))


def is_same(one: FactoryRecord, other: FactoryRecord) -> bool:
    """Whether they are the same router with the same code: what the cloud goes by."""
    identity = (one.serial_number, one.service_code_hash, one.certificate_fingerprint)
    return identity == (other.serial_number, other.service_code_hash, other.certificate_fingerprint)


def _unit(path: Path, where: str, row: dict[str, Any], wanted_key: str) -> FactoryRecord:
    try:
        unit = record_of(row)
    except ValueError as error:
        raise _wrong(path, where, f"is no unit: {error}") from error
    if not provisioning.is_serial_number(unit.serial_number):
        raise _wrong(path, where, f"is no unit: {unit.serial_number!r} is no serial number")
    found = row.get("service_code_key_id")
    if found is None:
        wrong = f"does not say which key hashed the service code of {unit.serial_number}"
        raise _wrong(path, where, wrong, "import the factory's ledger.db instead")
    if found != wanted_key:
        wrong = f"has a service code of {unit.serial_number} that was hashed with another key"
        raise _wrong(path, where, wrong, "name the service_code.key of the factory that made it")
    return unit


def _wrong(path: Path, where: str, what: str, remedy: str = "export it again") -> ToolError:
    return ToolError(f"{path}: {where} {what}; nothing was imported", remedy, exit_codes.CONFLICT)
