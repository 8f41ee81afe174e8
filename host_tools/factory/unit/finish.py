"""The steps that end a unit: lock, prove the lock, record, print."""

from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.factory.engine import Result
from host_tools.factory.events import FAIL, PASS, Measurement
from host_tools.factory.unit import lock_proof
from host_tools.factory.unit.self_test import self_test
from host_tools.factory.unit.unit import Unit

LOCK_S = 100.0  # for the restart after the lock: a second on real boards, ten on a busy emulator


def lock(unit: Unit) -> Result:
    """The service code is kept already: from here on the router does not tell it again."""
    unit.means.records.keep_pending(unit.the_record)
    if unit.line.is_locked():
        return Result(PASS, "it was locked already")
    measured: tuple[Measurement, ...] = ()
    if unit.check_same() != provisioning.TESTED:
        # It has restarted since: its own test is about the router as it is now.
        tested = self_test(unit)
        measured = tested.measurements
        if tested.outcome != PASS:
            return tested._replace(exit_code=exit_codes.SELF_TEST)
    unit.line.call("lock", {})
    unit.hang_up()
    return Result(PASS, "the router restarts", measurements=measured)


def prove_lock(unit: Unit) -> Result:
    if not unit.line.is_locked(LOCK_S):
        wrong = "the router still gives a raw REPL after the lock"
        return _not_locked(wrong, (lock_proof.measured(lock_proof.WAYS[0].name, False),))
    measured = lock_proof.prove(unit.line, unit.means.ways)
    ways = lock_proof.open_ways(measured)
    if ways:
        return _not_locked(f"the router lets in: {', '.join(ways)}", measured)
    said = lock_proof.status(unit.line)["serial_number"]
    if said != unit.the_record.serial_number:
        return _not_locked(f"the router says it is {said}, not {unit.the_record.serial_number}", measured)
    return Result(PASS, f"{len(measured)} ways in are refused", measurements=measured)


def record(unit: Unit) -> Result:
    entry = unit.means.records.finish(unit.the_record)
    return Result(PASS, f"entry {entry.sequence} of the ledger")


def print_label(unit: Unit) -> Result:
    """When it is on paper, nobody here knows the service code any more."""
    if unit.means.print_label is None:
        raise RuntimeError("a plan without a label has no such step")
    went_to = unit.means.print_label(unit.the_record)
    unit.means.records.forget(unit.serial_number)
    return Result(PASS, went_to)


def _not_locked(wrong: str, measured: tuple[Measurement, ...]) -> Result:
    return Result(FAIL, wrong, "do not ship it, set it aside", exit_codes.LOCK_NOT_PROVEN, measured)
