"""A report of a router as it arrives, part by part, and as the file that it becomes."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from gatelodge.contract import diagnostics
from gatelodge.contract.errors import MessageError

SIZE_MAX = 64 * 1024  # bytes of what has arrived of one report; an honest one has under 24 KB

log = logging.getLogger("cloud.help")


class Arriving:
    """The parts of one report. What a newer router sends beside them is counted and left out."""

    def __init__(self, serial_number: str, account_id: str):
        self.serial_number = serial_number
        self.account_id = account_id
        self._parts: dict[int, dict[str, Any]] = {}
        self._size = 0

    def add(self, message: dict[str, Any]) -> None:
        """message: contract.messages "report", checked."""
        section = message["section"]
        try:
            value = diagnostics.check(section, message["value"])
        except MessageError as error:
            log.warning("a part of a report of %s is left out: %s", self.serial_number, error)
            value = {}
        self._size += len(json.dumps(value))
        if self._size <= SIZE_MAX:
            self._parts[message["number"]] = {section: value} if value else {}

    def is_whole(self, result: dict[str, Any]) -> bool:
        """Whether all that the router says it sent has come."""
        count = (result["value"] or {}).get("messages")
        return (
            bool(result["ok"])
            and list(range(len(self._parts))) == sorted(self._parts)
            and (count == len(self._parts) > 0)
        )

    def document(self, now: float) -> bytes:
        """The file, for people to read: JSON in UTF-8, sections in their order, the log last."""
        written: dict[str, Any] = {"serial_number": self.serial_number, "received_at": _moment(now)}
        for _number, part in sorted(self._parts.items()):
            for section, value in part.items():
                if section == diagnostics.LOG:
                    written.setdefault(section, []).extend(value["lines"])
                else:
                    written[section] = value
        return json.dumps(written, indent=2, ensure_ascii=False).encode()


def _moment(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
