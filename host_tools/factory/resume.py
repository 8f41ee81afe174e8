"""What an interrupted bench has left, without I/O: which steps hold, and are not done again.

Three witnesses: the router's own state, the unit's report, and `pending/`, which has its service code. A step
is kept when the router shows that it holds and the report has it passed; everything else is done again, and
every step may be.
"""

from collections.abc import Collection

from gatelodge.contract.provisioning import BLANK, IDENTIFIED, KEYED, LOCKED, TESTED

from host_tools.factory.steps import LOCK, MAKE_KEY, RECORD, SELF_TEST, SIGN, WRITE_IDENTITY

_IDENTITY = (MAKE_KEY, SIGN, WRITE_IDENTITY)

# The router's state -> the steps that it proves. What identify, flash and verify find is looked at each time.
HELD = {
    BLANK: (),
    KEYED: (),  # which key it is, and so which unit, only `make key` tells
    IDENTIFIED: _IDENTITY,
    TESTED: (*_IDENTITY, SELF_TEST),
    LOCKED: (*_IDENTITY, SELF_TEST, LOCK),
}


def held_steps(state: str, passed: Collection[str], has_pending: bool, is_recorded: bool) -> tuple[str, ...]:
    """Return the steps to keep.

    passed: those with a PASS in the unit's report. has_pending: the bench has the unit's service code.
    is_recorded: the unit, with this certificate, is in the ledger.
    """
    if not has_pending:
        return ()  # the code that the router has made is told again by `write identity` only
    held = HELD[state] if state == LOCKED else tuple(name for name in HELD[state] if name in passed)
    return (*held, RECORD) if is_recorded and state == LOCKED else held
