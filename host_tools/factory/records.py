"""What a factory keeps of each router: the ledger, the cloud's copy of it, and what is not finished.

    records = Records(authority, Ledger(path, station="bench 1"))
    serial_number = records.name(public_key, now)   # entry "named": the same for the same key
    records.keep_pending(unit)                      # before the lock
    records.finish(unit)                            # entry "unit": the router is good, and on the disk
    records.enter_run(run)                          # entry "run": every run, GO or NO-GO (runs.py)
    records.forget(serial_number)                   # when the label is printed
    records.last_state(serial_number)               # at any time

`ledger.db` is what counts (ledger.py). `devices.jsonl` is its copy for the cloud beside the bench, one line
for each router; whatever it lacks is copied again. Neither holds a secret: the service code is there only as
a hash under `service_code.key`.

`pending/<serial number>.json` exists from before the lock until the label is printed. It holds the
service code (mode 0600), because a locked router never tells it again: with it, a bench that
lost its power in between finishes the router instead of losing it.
"""

import contextlib
import datetime
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gatelodge.contract import provisioning, service_code

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.files import append_durably, locked, make_directory, remove_durably, write_durably
from host_tools.factory.ledger import LEDGER_FILE, Entry, Ledger
from host_tools.factory.report import REPORTS
from host_tools.factory.runs import Run, State, state_of

DEVICES_FILE = "devices.jsonl"
PENDING = "pending"
TAIL = 8192  # bytes: several records of devices.jsonl
DEVICE_FIELDS = ("serial_number", "service_code_hash", "certificate_fingerprint", "model", "made_at")
KEY_ID = "service_code_key_id"  # which key hashed the code; records from before the ledger have none


class UnitRecord(NamedTuple):
    """One router as the bench knows it. `service_code` is secret: for its label only."""

    serial_number: str
    service_code: str  # canonical, 17 characters
    certificate_fingerprint: str  # SHA-256 of the device certificate's DER, in hex
    model: str
    made_at: int  # unix seconds
    mac: str = ""
    certificate_number: str = ""  # the device certificate's own serial number, in hex: for revocation

    @property
    def grouped_code(self) -> str:
        return service_code.format_grouped(self.service_code)

    @property
    def label_text(self) -> str:
        """What the label's QR code holds."""
        return provisioning.label_text(self.serial_number, self.service_code)


class Records:
    def __init__(self, authority: FactoryAuthority, ledger: Ledger | None = None):
        self._authority = authority
        self.directory = authority.directory
        self.path = authority.directory / DEVICES_FILE
        self.ledger = ledger or Ledger(authority.directory / LEDGER_FILE)

    def name(self, public_key: bytes, now: datetime.datetime) -> str:
        """Return the serial number of the router with this key: the one it has been given, or a new one."""
        key = public_key.hex()
        self.absorb_older()
        year, week, _ = now.isocalendar()
        outside = max(self._older_count(), self._reported_count())
        with self.ledger.appending() as transaction:
            given = transaction.entries(kind="named", public_key=key)
            if given:
                return given[-1].fields["serial_number"]
            count = max(transaction.highest_count(), outside) + 1
            serial_number = provisioning.serial_number(year, week, count)
            transaction.append("named", serial_number=serial_number, public_key=key)
        return serial_number

    def finished(self, serial_number: str) -> Entry | None:
        """The router's entry in the ledger, or None when it is not finished."""
        found = self.ledger.entries(kind="unit", serial_number=serial_number)
        return found[-1] if found else None

    # --- runs ---

    def enter_run(self, run: Run) -> Entry:
        """Enter how a run ended. A run that goes on after a power cut may have a unit to copy."""
        entry = self.ledger.append("run", **run.fields())
        self.copy_for_the_cloud()
        return entry

    def last_state(self, serial_number: str) -> State | None:
        """What the ledger knows of a router; None when it was never named here."""
        return state_of(self.ledger.entries(serial_number=serial_number))

    # --- between the lock and the label ---

    def keep_pending(self, unit: UnitRecord) -> None:
        """Remember the unit until `forget`, secret included."""
        make_directory(self.directory / PENDING)
        write_durably(self._pending_path(unit.serial_number), json.dumps(unit._asdict()).encode(), 0o600)

    def pending(self, serial_number: str) -> UnitRecord | None:
        """The unit that was locked and whose label is not printed, or None."""
        try:
            return UnitRecord(**json.loads(self._pending_path(serial_number).read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            path = self._pending_path(serial_number)
            raise ToolError(
                f"{path} is damaged", "reset this router to factory state", exit_codes.PROVISIONING
            ) from error

    def forget(self, serial_number: str) -> None:
        """The label is printed: nothing here knows the service code any more."""
        remove_durably(self._pending_path(serial_number))

    # --- finished ---

    def finish(self, unit: UnitRecord) -> Entry:
        """Enter the unit in the ledger, once, and copy it for the cloud."""
        self.absorb_older()
        fields = unit._asdict()
        fields["service_code_hash"] = self._authority.service_code_hash(fields.pop("service_code"))
        fields[KEY_ID] = self._authority.service_code_key_id
        with self.ledger.appending() as transaction:
            found = transaction.entries(kind="unit", serial_number=unit.serial_number)
            same = [e for e in found if e.fields["certificate_fingerprint"] == unit.certificate_fingerprint]
            entry = same[-1] if same else transaction.append("unit", **fields)
        self.copy_for_the_cloud()
        return entry

    def copy_for_the_cloud(self) -> None:
        """Append to devices.jsonl what it lacks: one line, or those that a power cut has kept from it."""
        with locked(self.directory):
            missing = self._devices_after(self._last_copied())
            if missing:
                lines = [json.dumps(record).encode() + b"\n" for record in missing]
                # After a cut line, the line end first: then only the cut one is lost.
                append_durably(self.path, self._missing_line_end() + b"".join(lines))

    def copied_serial_numbers(self) -> set[str]:
        return {record["serial_number"] for record in self._copied()}

    # --- parts ---

    def _devices_after(self, last: dict[str, Any] | None) -> list[dict[str, Any]]:
        """The units of this factory after the last one that was copied; all where that one is no unit."""
        own, after = self._authority.service_code_key_id, 0
        if last is not None:
            units = self.ledger.entries(kind="unit", serial_number=last["serial_number"])
            after = max([unit.sequence for unit in units if _key(unit.fields) == _key(last)], default=0)
        units_after = self.ledger.walk(kind="unit", after=after)
        return [device_record(unit) for unit in units_after if unit.fields[KEY_ID] == own]

    def _last_copied(self) -> dict[str, Any] | None:
        """The last whole record. It is the last that was copied: records are in the ledger's order."""
        return next(filter(None, map(_parse, reversed(self._tail().split(b"\n")))), None)

    def _tail(self) -> bytes:
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            return file.read()
        return b""

    def _copied(self) -> list[dict[str, Any]]:
        lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
        return [record for record in map(_parse, lines) if record]

    def absorb_older(self) -> None:
        """Enter what was recorded before there was a ledger."""
        if self._has_own(self.ledger.walk(kind="unit")):
            return
        older = self._copied()
        more = {"source": DEVICES_FILE, KEY_ID: self._authority.service_code_key_id}
        with self.ledger.appending() as transaction:
            if not self._has_own(transaction.walk(kind="unit")):
                for record in older:
                    transaction.append("unit", **{**more, **record})

    def _has_own(self, units: Iterable[Entry]) -> bool:
        """Whether one of them is this factory's: another one that shares the ledger has another key."""
        return any(unit.fields[KEY_ID] == self._authority.service_code_key_id for unit in units)

    def _older_count(self) -> int:
        """How far a factory had counted that kept its count in a file."""
        try:
            return int((self.directory / "counter").read_text())
        except (OSError, ValueError):
            return 0

    def _reported_count(self) -> int:
        """How far the reports go: a ledger that lost its end must not give its last numbers again."""
        names = [path.stem for path in (self.directory / REPORTS).glob("*.json")]
        return max((int(name[-6:]) for name in names if provisioning.is_serial_number(name)), default=0)

    def _missing_line_end(self) -> bytes:
        tail = self._tail()
        return b"\n" if tail and not tail.endswith(b"\n") else b""

    def _pending_path(self, serial_number: str) -> Path:
        if not provisioning.is_serial_number(serial_number):
            raise ToolError(f"{serial_number!r} is no serial number", "", exit_codes.PROVISIONING)
        directory = self.directory / PENDING
        make_directory(directory)
        return directory / f"{serial_number}.json"


def device_record(entry: Entry) -> dict[str, Any]:
    """What the cloud imports of a unit's entry."""
    return {name: entry.fields[name] for name in (*DEVICE_FIELDS, KEY_ID)}


def _key(record: dict[str, Any]) -> tuple[str, str]:
    return record["serial_number"], record["certificate_fingerprint"]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
        known = {KEY_ID: record[KEY_ID]} if KEY_ID in record else {}
        return {**{name: record[name] for name in DEVICE_FIELDS}, **known}
    except (ValueError, KeyError, TypeError):
        return None
