"""What stations enter of their work, and what the ledger knows of a router because of it.

    records.enter_run(Run("FAIL", steps, started_at, serial_number="GL2647000001", reason="..."))
    state = records.last_state("GL2647000001")          # State, or None when nobody has named it
    if state.is_finished: ...

A run is one way of a router through a station: whatever its outcome, it is one entry of the kind "run", made
when it ends. A router that passes also gets an entry "unit" (Records.finish), before its label is printed.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from host_tools.factory.ledger import Entry

PASS, FAIL, ERROR, TIMEOUT, ABORTED = OUTCOMES = ("PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED")


class Measurement(NamedTuple):
    """What a step measured. `limit` says which side: "at most 500", "at least 16384"."""

    name: str
    value: float
    unit: str
    limit: str
    ok: bool


class StepResult(NamedTuple):
    name: str
    outcome: str  # of OUTCOMES
    seconds: float
    attempts: int = 1
    reason: str = ""  # why it did not pass, in a sentence fit for an operator; no secret
    measurements: Sequence[Measurement] = ()


class Run(NamedTuple):
    """`outcome` PASS is GO, every other one NO-GO; `reason` says why."""

    outcome: str  # of OUTCOMES
    steps: Sequence[StepResult]  # as far as it came
    started_at: float  # unix seconds; its end is the entry's own time
    serial_number: str = ""  # empty when it ended before the router had one
    model: str = ""
    port: str = ""
    reason: str = ""

    def fields(self) -> dict[str, Any]:
        """The fields of its entry. Raises ValueError for an outcome that there is not."""
        for outcome in (self.outcome, *(step.outcome for step in self.steps)):
            if outcome not in OUTCOMES:
                raise ValueError(f"{outcome!r} is none of {', '.join(OUTCOMES)}")
        return {**self._asdict(), "steps": [_step_fields(step) for step in self.steps]}


class State(NamedTuple):
    """A router as the ledger leaves it."""

    serial_number: str
    name: str  # of STATES
    entry: Entry  # the one that made it so
    unit: Entry | None  # its newest "unit"
    run: Entry | None  # its newest "run"

    @property
    def is_finished(self) -> bool:
        return self.name == FINISHED


NAMED, NO_GO, FINISHED, RETURNED, REVOKED = STATES = ("named", "no-go", "finished", "returned", "revoked")
# The state after an entry. A run that fails leaves a finished router finished: it has no label yet, say.
AFTER = {"named": NAMED, "unit": FINISHED, "rework": RETURNED, "revoked": REVOKED}


def state_of(entries: Sequence[Entry]) -> State | None:
    """The state after the entries of one router, in their order; None when there are none."""
    state: State | None = None
    for entry in entries:
        state = _next(state, entry)
    return state


def _next(state: State | None, entry: Entry) -> State:
    kind, serial_number = entry.fields["kind"], entry.fields["serial_number"]
    before = state or State(serial_number, NAMED, entry, None, None)
    if kind == "run":
        after = before._replace(run=entry)
        is_worse = entry.fields["outcome"] != PASS and before.name in (NAMED, NO_GO)
        return after._replace(name=NO_GO, entry=entry) if is_worse else after
    if kind not in AFTER:
        return before
    unit = entry if kind == "unit" else before.unit
    return before._replace(name=AFTER[kind], entry=entry, unit=unit)


def _step_fields(step: StepResult) -> dict[str, Any]:
    return {**step._asdict(), "measurements": [measured._asdict() for measured in step.measurements]}
