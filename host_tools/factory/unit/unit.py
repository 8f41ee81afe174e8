"""What a bench knows of the router at a port, and its line to it."""

from collections.abc import Callable
from typing import Any

from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import limits, resume
from host_tools.factory.engine import Result
from host_tools.factory.events import PASS, StepProgress, UnitIdentified
from host_tools.factory.records import UnitRecord
from host_tools.factory.report import Report
from host_tools.factory.steps import SELF_TEST
from host_tools.factory.unit.claim import Claim
from host_tools.factory.unit.means import Means
from host_tools.serial_port import BenchLine

Tell = Callable[[Any], None]


class Unit:
    """`device` is what is opened, `port` what it is called. `check`: unit/leash.py's."""

    def __init__(
        self, port: str, device: str, means: Means, report: Report, tell: Tell, check: Callable[[], None]
    ):
        self.port = port
        self.means = means
        self.report = report
        self.tell = tell
        self.facts: dict[str, Any] = {}  # what `identify` said, or a locked console's status
        self.state = ""
        self.serial_number = ""
        self.public_key = b""
        self.certificates: dict[str, bytes] = {}
        self.record: UnitRecord | None = None  # from `write identity` on, or an earlier run's
        self.kept: dict[str, Result] = {}  # what `held` has found when the router was identified
        self._device = device
        self._check = check
        self._line: BenchLine | None = None
        self._claim: Claim | None = None

    # --- the line ---

    @property
    def line(self) -> BenchLine:
        """Opened when it is first asked for, and again after `hang_up`."""
        if self._line is None:
            line = BenchLine(self._device, check=self._check)
            line.__enter__()
            self._line = line
        return self._line

    def hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.__exit__()

    def let_go(self) -> None:
        """Nothing more is done here."""
        self.hang_up()
        if self._claim is not None:
            self._claim.release()

    # --- what is known ---

    @property
    def the_record(self) -> UnitRecord:
        if self.record is None:
            raise ToolError(
                f"the service code of {self.serial_number or 'this router'} is not here",
                "start this bench again",
                exit_codes.PROVISIONING,
            )
        return self.record

    def learn(self, facts: dict[str, Any]) -> None:
        """Take what the router has said of itself."""
        self.facts = facts
        self.state = facts["state"]
        if facts["serial_number"]:
            self.name(facts["serial_number"])
        self.report.describe(model=facts["model"], firmware=facts["firmware"], mac=facts.get("mac", ""))
        self._tell_identity()

    def name(self, serial_number: str) -> None:
        """From now on everything is this unit's. Raises ToolError when somebody else is at work with it."""
        if self.serial_number not in ("", serial_number):
            wrong = f"the router at this port is {serial_number[:20]} now, not {self.serial_number}"
            raise ToolError(
                wrong, "leave routers where they are, then start again", exit_codes.REFUSED_BY_BOARD
            )
        if not provisioning.is_serial_number(serial_number):
            wrong = f"the router says that its serial number is {serial_number[:20]!r}"
            raise ToolError(wrong, "set it aside", exit_codes.REFUSED_BY_BOARD)
        is_new = serial_number != self.serial_number
        if is_new:
            self._claim = Claim(self.means.authority.directory, serial_number)
        self.serial_number = serial_number
        self.report.name(serial_number)
        self.record = self.record or self.means.records.pending(serial_number)
        if is_new and self.facts and not self.facts["serial_number"]:
            self._tell_identity()

    def check_same(self) -> str:
        """Return the router's state. Raises ToolError when another one was put to this port in the middle."""
        facts = self.line.call("identify", {})
        found = facts["serial_number"]
        if found != self.serial_number:
            wrong = f"the router at this port is {found or 'blank'} now, not {self.serial_number}"
            raise ToolError(
                wrong, "leave routers where they are, then start again", exit_codes.REFUSED_BY_BOARD
            )
        return facts["state"]

    def held(self) -> dict[str, Result]:
        """The steps that an earlier run has done, and that hold."""
        passed = self.report.passed()
        is_recorded = self.record is not None and self._is_recorded(self.record)
        is_same = self.report.fields.get("identity") == self.means.identity_hash
        tested = passed.get(SELF_TEST)
        if tested is not None and not limits.still_hold(tested.measurements, self.means.limits):
            del passed[SELF_TEST]
        names = resume.held_steps(self.state, passed, self.record is not None, is_same, is_recorded)
        done = Result(PASS, "done before")
        return {name: passed.get(name, done) for name in names}

    def progress(self, step: str, done: float, total: float, unit: str, detail: str) -> None:
        self.tell(StepProgress(self.port, step, done, total, unit, detail))

    def _is_recorded(self, record: UnitRecord) -> bool:
        entry = self.means.records.finished(record.serial_number)
        return entry is not None and (
            entry.fields["certificate_fingerprint"] == record.certificate_fingerprint
        )

    def _tell_identity(self) -> None:
        facts = self.facts
        self.tell(
            UnitIdentified(
                self.port,
                self.serial_number,
                facts["model"],
                facts["firmware"],
                facts.get("mac", ""),
                facts["state"],
                self.report.is_begun_before,
            )
        )
