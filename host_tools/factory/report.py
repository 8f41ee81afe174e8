"""What became of a unit, as JSON: `reports/<serial number>.json` in the factory's directory.

    {"kind": "gatelodge unit report", "version": 1, "serial_number": ..., "model": ..., "mac": ...,
     "firmware": ..., "bundle": ..., "identity": ..., "station": ..., "port": ..., "started_at": ...,
     "ended_at": ..., "verdict": "GO", "NO-GO" or null, "step": ..., "outcome": ..., "reason": ...,
     "remedy": ..., "exit_code": ..., "was_finished": false,
     "steps": [{"run": 1, "step": "identify", "attempt": 1, "outcome": "PASS", "detail": ..., "remedy": ...,
                "started_at": ..., "seconds": ..., "is_kept": false,
                "measurements": [{"name", "value", "unit", "lowest", "highest", "ok"}]}]}

Every attempt of every run is in `steps`, the newest RUNS_KEPT runs of them. The file is on the disk after
each step, with "verdict" null: it is what an interrupted bench is resumed by. A unit that ended before it
had a name gets a file named by its port and time. There is no secret in it.
"""

import contextlib
import dataclasses
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.engine import Result, Verdict
from host_tools.factory.events import PASS, Measurement
from host_tools.factory.files import make_directory, write_durably

KIND, VERSION = "gatelodge unit report", 1
REPORTS = "reports"
RUNS_KEPT = 20
MODE = 0o644


class Report:
    """One unit's, while it is at a port. Raises ToolError (exit status LEDGER) when it cannot be kept."""

    def __init__(self, factory: Path, port: str, station: str, clock: Callable[[], float] = time.time):
        self._directory = factory / REPORTS
        self._clock = clock
        self._run = 1
        self._steps: list[dict[str, Any]] = []
        self.path: Path | None = None
        self.fields: dict[str, Any] = {
            "kind": KIND,
            "version": VERSION,
            "serial_number": "",
            "station": station,
            "port": port,
            "started_at": round(clock(), 3),
            "ended_at": None,
            "verdict": None,
        }

    @property
    def is_begun_before(self) -> bool:
        return self._run > 1

    def describe(self, **facts: Any) -> None:
        """Facts of the unit: model, mac, firmware, bundle."""
        self.fields.update(facts)

    def name(self, serial_number: str) -> None:
        """From now on it is this unit's, with what earlier runs have done."""
        if self.fields["serial_number"] == serial_number:
            return
        self.fields["serial_number"] = serial_number
        self.path = self._directory / f"{serial_number}.json"
        found = _read(self.path)
        earlier = found.get("steps", [])
        if "identity" in found:
            self.fields["identity"] = found["identity"]
        self._run = 1 + max([step["run"] for step in earlier], default=0)
        first_kept = self._run - RUNS_KEPT
        kept = [step for step in earlier if step["run"] > first_kept]
        self._steps = kept + [{**step, "run": self._run} for step in self._steps]

    def passed(self) -> dict[str, Result]:
        """The steps whose newest attempt was a PASS."""
        newest = {step["step"]: step for step in self._steps}
        return {name: _result(step) for name, step in newest.items() if step["outcome"] == PASS}

    def add(self, step: str, attempt: int, result: Result, seconds: float) -> None:
        self._steps.append(
            {
                "run": self._run,
                "step": step,
                "attempt": attempt,
                "outcome": result.outcome,
                "detail": result.detail,
                "remedy": result.remedy,
                "started_at": round(self._clock() - seconds, 3),
                "seconds": round(seconds, 3),
                "is_kept": result.is_kept,
                "measurements": [dataclasses.asdict(one) for one in result.measurements],
            }
        )

    def of_this_run(self) -> list[dict[str, Any]]:
        return [step for step in self._steps if step["run"] == self._run]

    def save(self) -> None:
        """Put it on the disk, once the unit has a name."""
        if self.path is None:
            return
        content = json.dumps({**self.fields, "steps": self._steps}, indent=1) + "\n"
        try:
            make_directory(self._directory)
            write_durably(self.path, content.encode(), MODE)
        except OSError as error:
            raise ToolError(
                f"the report {self.path} cannot be written ({error.strerror})",
                "check that the disk has space and that you may write there",
                exit_codes.LEDGER,
            ) from error

    def end(self, verdict: Verdict) -> None:
        if self.path is None:
            slug = re.sub(r"[^A-Za-z0-9.-]+", "-", self.fields["port"]).strip("-") or "port"
            self.path = self._directory / f"{slug}-{int(self._clock() * 1000)}.json"
        self.fields.update(verdict._asdict(), ended_at=round(self._clock(), 3))
        self.save()


def _read(path: Path) -> dict[str, Any]:
    """Of another version, or damaged: nothing, and every step is done again."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        fields = json.loads(path.read_bytes())
        if fields["version"] == VERSION:
            for step in fields["steps"]:
                _result(step), step["run"] + 0, step["step"] + ""
            return fields
    return {}


def _result(step: dict[str, Any]) -> Result:
    measured = tuple(Measurement(**one) for one in step["measurements"])
    return Result(step["outcome"], step["detail"], step["remedy"], measurements=measured)
