"""What an interrupted bench has left, without I/O: which steps hold, and are not done again.

The router's own state is the first witness of each step; the second is what the bench has kept. `pending/`
has the unit's service code from the moment on at which the router confirmed its identity, and not while a new
one is on its way. The unit's report tells what was measured. What lacks a witness is done again, and every
step may be.
"""

from collections.abc import Collection

from gatelodge.contract.provisioning import BLANK, IDENTIFIED, KEYED, LOCKED, TESTED

from host_tools.factory.steps import LOCK, MAKE_KEY, RECORD, SELF_TEST, SIGN, WRITE_IDENTITY

_IDENTITY = (MAKE_KEY, SIGN, WRITE_IDENTITY)

# The router's state -> the steps that it proves. What identify, flash and verify find is looked at each time.
HELD: dict[str, tuple[str, ...]] = {
    BLANK: (),
    KEYED: (),  # which key it is, and so which unit, only `make key` tells
    IDENTIFIED: _IDENTITY,
    TESTED: (*_IDENTITY, SELF_TEST),
    LOCKED: (*_IDENTITY, SELF_TEST, LOCK),  # a router that was not tested does not lock
}


def held_steps(
    state: str, passed: Collection[str], has_pending: bool, is_same_identity: bool, is_recorded: bool
) -> tuple[str, ...]:
    """Return the steps to keep.

    passed: those with a PASS in the unit's report. has_pending: the bench has the unit's service code.
    is_same_identity: the station would write the same one again. is_recorded: the unit, with this
    certificate, is in the ledger.
    """
    if not has_pending:
        return ()  # the code that the router has made is told again by `write identity` only
    if state == LOCKED:
        return (*HELD[LOCKED], RECORD) if is_recorded else HELD[LOCKED]
    if not is_same_identity:
        return ()
    return tuple(name for name in HELD[state] if name in _IDENTITY or name in passed)
