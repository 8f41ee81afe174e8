"""What stations enter of their work, and what the ledger knows of a router because of it.

    records.enter_run(Run("NO-GO", "self-test", "FAIL", report.of_this_run(), started_at, "GL2647000001"))
    state = records.last_state("GL2647000001")          # State, or None when nobody has named it
    if state.is_finished: ...

A run is one way of a router through a station: however it ends, it is one entry of the kind "run", made when
it ends. A router that is good also gets an entry "unit" (Records.finish), before its label is printed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from host_tools.factory.chain import Entry
from host_tools.factory.events import NO_GO, OUTCOMES, VERDICTS


class Run(NamedTuple):
    """`steps` has a row for each attempt, as a unit's report has them (report.py).

    "step" and "outcome" must be there; "attempt", "seconds", "detail", "is_kept", "measurements" are shown.
    """

    verdict: str  # of events.VERDICTS
    step: str  # that decided: the failed one, or the last
    outcome: str  # of that step, of events.OUTCOMES
    steps: Sequence[Mapping[str, Any]]
    started_at: float  # unix seconds; its end is the entry's own time
    serial_number: str = ""  # empty when it ended before the router had one
    model: str = ""
    firmware: str = ""
    port: str = ""
    reason: str = ""
    was_finished: bool = False  # an earlier run had finished it: this one changed nothing

    def fields(self) -> dict[str, Any]:
        """The fields of its entry. Raises ValueError for a word that there is not."""
        _check("verdict", [self.verdict], VERDICTS)
        _check("outcome", [self.outcome, *(row["outcome"] for row in self.steps)], OUTCOMES)
        _check("step", [row["step"] for row in self.steps if not isinstance(row["step"], str)], ())
        return {**self._asdict(), "steps": [dict(row) for row in self.steps]}


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


NAMED, FAILED, FINISHED, RETURNED, REVOKED = STATES = ("named", "failed", "finished", "returned", "revoked")
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
        is_worse = entry.fields["verdict"] == NO_GO and before.name in (NAMED, FAILED)
        return after._replace(name=FAILED, entry=entry) if is_worse else after
    if kind not in AFTER:
        return before
    unit = entry if kind == "unit" else before.unit
    return before._replace(name=AFTER[kind], entry=entry, unit=unit)


def _check(name: str, found: Sequence[Any], known: Sequence[str]) -> None:
    for one in found:
        if one not in known:
            raise ValueError(f"{one!r} is no {name} of a run")
