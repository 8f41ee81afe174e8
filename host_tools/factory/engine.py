"""One unit's way through the steps, without I/O: which step is next, again or not, GO or NO-GO.

    run = Run(steps.plan())
    while (attempt := run.next()) is not None:
        run.take(attempt.kept or carry_out(attempt))
    run.verdict                                   # Verdict(GO, ...) or Verdict(NO_GO, ...)

GO takes a PASS of every step of the plan. Every other end is NO-GO, and what is not known to be good is not.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.factory.events import ABORTED, GO, NO_GO, OUTCOMES, PASS, Measurement
from host_tools.factory.steps import Row


class Result(NamedTuple):
    """How an attempt ended. `detail` and `remedy` are parts of one sentence: no capital, no full stop."""

    outcome: str
    detail: str = ""
    remedy: str = ""
    exit_code: int = exit_codes.OK  # 0: the row's
    measurements: tuple[Measurement, ...] = ()
    is_kept: bool = False  # an earlier run's
    undoes: tuple[str, ...] = ()  # later steps that an earlier run did, and that do not hold any more
    is_finished: bool = False  # nothing is left to do: an earlier run has finished this unit


class Attempt(NamedTuple):
    row: Row
    number: int  # from 1
    kept: Result | None = None  # an earlier run's PASS: take it, do nothing


class Verdict(NamedTuple):
    verdict: str
    step: str
    outcome: str
    reason: str
    remedy: str = ""
    exit_code: int = exit_codes.OK
    was_finished: bool = False


class Run:
    def __init__(self, rows: Sequence[Row]):
        if not rows:
            raise ValueError("a plan has one step at least")
        self.verdict: Verdict | None = None
        self._rows = rows
        self._at = 0
        self._number = 1
        self._kept: dict[str, Result] = {}

    def keep(self, results: Mapping[str, Result]) -> None:
        """These steps were passed by an earlier run, and the router shows that they hold."""
        if any(result.outcome != PASS for result in results.values()):
            raise ValueError("only a PASS is kept")
        self._kept.update((name, result._replace(is_kept=True)) for name, result in results.items())

    def next(self) -> Attempt | None:
        """Return what to do now, None when the verdict is there. Asked twice, it answers the same."""
        if self.verdict is not None:
            return None
        row = self._rows[self._at]
        return Attempt(row, self._number, self._kept.get(row.name))

    def take(self, result: Result) -> bool:
        """Take the outcome of the attempt that `next` has named. Return whether that step is tried again."""
        attempt = self.next()
        if attempt is None:
            raise ValueError("the verdict is there: nothing was asked for")
        if result.outcome not in OUTCOMES:
            raise ValueError(f"{result.outcome!r} is no outcome")
        if result.outcome == PASS:
            self._go_on(attempt.row, result)
            return False
        if result.outcome in attempt.row.retried and attempt.number < attempt.row.attempts:
            self._number += 1
            return True
        self.verdict = _no_go(attempt.row, result)
        return False

    def _go_on(self, row: Row, result: Result) -> None:
        for name in result.undoes:
            self._kept.pop(name, None)
        self._at += 1
        self._number = 1
        if result.is_finished:
            self.verdict = Verdict(GO, row.name, PASS, result.detail, was_finished=True)
        elif self._at == len(self._rows):
            self.verdict = Verdict(GO, row.name, PASS, f"all {len(self._rows)} steps passed")


def _no_go(row: Row, result: Result) -> Verdict:
    code = exit_codes.INTERRUPTED if result.outcome == ABORTED else result.exit_code or row.exit_code
    reason = f"{row.name}: {result.detail or result.outcome}"
    return Verdict(NO_GO, row.name, result.outcome, reason, result.remedy, code)


def exit_code_of(verdicts: Sequence[Verdict]) -> int:
    """Of several units: 0 when all are GO, the failures' own status when they have one in common."""
    found = {verdict.exit_code for verdict in verdicts if verdict.verdict == NO_GO}
    if exit_codes.INTERRUPTED in found:
        return exit_codes.INTERRUPTED
    return found.pop() if len(found) == 1 else exit_codes.PROVISIONING if found else exit_codes.OK
