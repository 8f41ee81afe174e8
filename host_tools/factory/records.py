"""What a factory keeps of each router.

`devices.jsonl` is for the cloud, one object per line, and holds no secret: the service code is there
only as a hash under `service_code.key`.

    {"serial_number", "service_code_hash", "certificate_fingerprint", "model", "made_at" (unix seconds)}

`pending/<serial number>.json` exists from before the lock until the label is printed. It holds the
service code (mode 0600), because a locked router never tells it again: with it, a bench that
lost its power in between finishes the router instead of losing it.
"""

import json
from pathlib import Path
from typing import NamedTuple

from gatelodge.contract import provisioning, service_code

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.files import append_durably, make_directory, remove_durably, write_durably

DEVICES_FILE = "devices.jsonl"
PENDING = "pending"


class UnitRecord(NamedTuple):
    """One router as the bench knows it. `service_code` is secret: for its label only."""

    serial_number: str
    service_code: str  # canonical, 17 characters
    certificate_fingerprint: str  # SHA-256 of the device certificate's DER, in hex
    model: str
    made_at: int  # unix seconds

    @property
    def grouped_code(self) -> str:
        return service_code.format_grouped(self.service_code)

    @property
    def label_text(self) -> str:
        """What the label's QR code holds."""
        return provisioning.label_text(self.serial_number, self.service_code)


class Records:
    def __init__(self, authority: FactoryAuthority):
        self._authority = authority
        self._directory = authority.directory
        self.path = authority.directory / DEVICES_FILE

    def serial_numbers(self) -> set[str]:
        """The routers that are finished. A line that a crash cut short is not one."""
        if not self.path.exists():
            return set()
        return {
            record["serial_number"] for record in map(_parse, self.path.read_bytes().split(b"\n")) if record
        }

    def keep_pending(self, unit: UnitRecord) -> None:
        """Remember the unit until `forget`, secret included."""
        make_directory(self._directory / PENDING)
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

    def finish(self, unit: UnitRecord) -> None:
        """Append the record for the cloud, once."""
        if unit.serial_number not in self.serial_numbers():
            # After a cut line, the line end first: then only the cut one is lost.
            append_durably(
                self.path, self._missing_line_end() + json.dumps(self._record(unit)).encode() + b"\n"
            )

    def forget(self, serial_number: str) -> None:
        """The label is printed: nothing here knows the service code any more."""
        remove_durably(self._pending_path(serial_number))

    def _record(self, unit: UnitRecord) -> dict[str, object]:
        return {
            "serial_number": unit.serial_number,
            "service_code_hash": self._authority.service_code_hash(unit.service_code),
            "certificate_fingerprint": unit.certificate_fingerprint,
            "model": unit.model,
            "made_at": unit.made_at,
        }

    def _missing_line_end(self) -> bytes:
        content = self.path.read_bytes() if self.path.exists() else b""
        return b"\n" if content and not content.endswith(b"\n") else b""

    def _pending_path(self, serial_number: str) -> Path:
        if not provisioning.is_serial_number(serial_number):
            raise ToolError(f"{serial_number!r} is no serial number", "", exit_codes.PROVISIONING)
        directory = self._directory / PENDING
        make_directory(directory)
        return directory / f"{serial_number}.json"


def _parse(line: bytes) -> dict[str, str] | None:
    try:
        record = json.loads(line)
        return record if record["serial_number"] else None
    except (ValueError, KeyError, TypeError):
        return None
