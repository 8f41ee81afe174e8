"""Drives one unit through its steps: the engine decides, the steps act, report and listener hear of it."""

import threading
import time
from collections.abc import Callable, Sequence

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import steps
from host_tools.factory.engine import Attempt, Result, Run, Verdict
from host_tools.factory.events import (
    ABORTED,
    ERROR,
    FAIL,
    NO_GO,
    PASS,
    TIMEOUT,
    StepEnded,
    StepStarted,
    UnitEnded,
    UnitStarted,
)
from host_tools.factory.report import Report
from host_tools.factory.runs import Run as RunEntry
from host_tools.factory.steps import Row
from host_tools.factory.unit import finish, firmware, identity, self_test
from host_tools.factory.unit.leash import AbortedError, DeadlineError, Leash
from host_tools.factory.unit.means import Means
from host_tools.factory.unit.unit import Tell, Unit

ACTIONS: dict[str, Callable[[Unit], Result]] = {
    steps.IDENTIFY: identity.identify,
    steps.FLASH: firmware.flash,
    steps.VERIFY: firmware.verify,
    steps.MAKE_KEY: identity.make_key,
    steps.SIGN: identity.sign,
    steps.WRITE_IDENTITY: identity.write_identity,
    steps.SELF_TEST: self_test.self_test,
    steps.LOCK: finish.lock,
    steps.PROVE_LOCK: finish.prove_lock,
    steps.RECORD: finish.record,
    steps.PRINT: finish.print_label,
}

# The router is not right. Every other exit status is the bench's, the line's or the ledger's.
ROUTERS_FAULT = frozenset(
    (
        exit_codes.REFUSED_BY_BOARD,
        exit_codes.VERIFICATION,
        exit_codes.SELF_TEST,
        exit_codes.LOCK_NOT_PROVEN,
    )
)
GOES_ON = "start this bench again: it goes on where it was"


def drive(
    port: str,
    device: str,
    means: Means,
    rows: Sequence[Row],
    tell: Tell = lambda event: None,
    abort: threading.Event | None = None,
) -> Verdict:
    """Take the router at the port as far as it goes. Whatever happens is in the verdict."""
    leash = Leash(abort or threading.Event())
    report = Report(means.authority.directory, port, means.station)
    unit = Unit(port, device, means, report, tell, leash.check)
    tell(UnitStarted(port, tuple(row.name for row in rows)))
    started = time.monotonic()
    run = Run(rows)
    try:
        while (attempt := run.next()) is not None:
            _one_attempt(unit, run, attempt, leash)
        assert run.verdict is not None  # the loop's end
        verdict = _kept(unit, run.verdict)
    finally:
        unit.let_go()
    tell(_ended(unit, verdict, time.monotonic() - started))
    return verdict


def _one_attempt(unit: Unit, run: Run, attempt: Attempt, leash: Leash) -> None:
    row = attempt.row
    unit.tell(StepStarted(unit.port, row.name, attempt.number, row.attempts, row.deadline_s))
    started = time.monotonic()
    result = attempt.kept or _carry_out(unit, row, leash)
    if result.outcome != PASS:
        unit.hang_up()  # whatever the line is in the middle of
    seconds = time.monotonic() - started
    result = _reported(unit, attempt, result, seconds)
    if result.outcome == PASS and row.name == steps.IDENTIFY:
        run.keep(unit.kept)
    will_retry = run.take(result)
    unit.tell(
        StepEnded(
            unit.port,
            row.name,
            attempt.number,
            result.outcome,
            result.detail,
            result.remedy,
            round(seconds, 3),
            result.measurements,
            result.is_kept,
            will_retry,
        )
    )


def _carry_out(unit: Unit, row: Row, leash: Leash) -> Result:
    leash.start(row.deadline_s)
    try:
        leash.check()
        result = ACTIONS[row.name](unit)
        if row.name == steps.IDENTIFY:
            unit.kept = unit.held()
        return result
    except AbortedError:
        return Result(ABORTED, "the operator stopped it", GOES_ON)
    except DeadlineError:
        return Result(TIMEOUT, f"it took longer than {row.deadline_s:g} s", GOES_ON)
    except ToolError as error:
        outcome = FAIL if error.exit_code in ROUTERS_FAULT else ERROR
        return Result(outcome, error.message, error.remedy, error.exit_code)
    except Exception as error:  # a fault of ours at one port must not stop the others
        said = f"these tools are at fault ({type(error).__name__}: {error})"
        return Result(ERROR, said, "keep this report for their makers", exit_codes.FAILED)


def _reported(unit: Unit, attempt: Attempt, result: Result, seconds: float) -> Result:
    """A step counts when the disk has it: an interrupted run is resumed by the report."""
    if result.is_finished:
        return result  # its report is complete
    try:
        unit.report.add(attempt.row.name, attempt.number, result, seconds)
        unit.report.save()
    except ToolError as error:
        return Result(ERROR, error.message, error.remedy, error.exit_code)
    return result


def _kept(unit: Unit, verdict: Verdict) -> Verdict:
    """Keep the verdict in report and ledger, or make it NO-GO. A unit that was finished gets neither."""
    if verdict.was_finished:
        return verdict
    report = unit.report
    try:
        report.end(verdict)
        unit.means.records.enter_run(
            RunEntry(
                verdict.verdict,
                verdict.step,
                verdict.outcome,
                report.of_this_run(),
                report.fields["started_at"],
                unit.serial_number,
                unit.facts.get("model", ""),
                unit.facts.get("firmware", ""),
                unit.port,
                verdict.reason,
            )
        )
    except ToolError as error:
        if verdict.verdict == NO_GO:
            return verdict
        return Verdict(NO_GO, verdict.step, ERROR, error.message, error.remedy, error.exit_code)
    return verdict


def _ended(unit: Unit, verdict: Verdict, seconds: float) -> UnitEnded:
    return UnitEnded(
        unit.port,
        unit.serial_number,
        unit.facts.get("model", ""),
        verdict.verdict,
        verdict.step,
        verdict.outcome,
        verdict.reason,
        verdict.remedy,
        verdict.exit_code,
        round(seconds, 3),
        verdict.was_finished,
        str(unit.report.path or ""),
    )
