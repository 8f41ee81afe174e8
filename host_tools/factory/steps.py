"""The steps of a bench, one row each, in their order: how often, how long, and what a failure is called.

A station may change `attempts` and `deadline_s` of a row ([steps."self-test"] in its TOML), and leaves out
the rows that it has no means for: `flash` and `verify` without a bundle, `print` without a label.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.factory.events import ERROR, TIMEOUT

# A router that is not right stays so, however often it is asked. What may be the line's fault is tried again.
LINE = frozenset({ERROR, TIMEOUT})
NEVER: frozenset[str] = frozenset()


class Row(NamedTuple):
    name: str
    attempts: int
    deadline_s: float  # of one attempt
    retried: frozenset[str]  # the outcomes after which another attempt may help
    exit_code: int  # of a failure that brings none of its own: a deadline that passed
    summary: str


IDENTIFY, FLASH, VERIFY, MAKE_KEY, SIGN = "identify", "flash", "verify", "make key", "sign certificate"
WRITE_IDENTITY, SELF_TEST, LOCK = "write identity", "self-test", "lock"
PROVE_LOCK, RECORD, PRINT = "prove the lock", "record", "print"

# Deadlines leave a good router on a busy emulator a factor of four. 700 KB take 60 s at 115200 baud.
STEPS = (
    Row(IDENTIFY, 3, 60, LINE, exit_codes.HANDSHAKE, "what is at the port, and how far an earlier run came"),
    Row(FLASH, 3, 900, LINE, exit_codes.TRANSFER, "the station's bundle, unless it runs already"),
    Row(VERIFY, 2, 120, LINE, exit_codes.VERIFICATION, "every file of it, read back from the flash"),
    Row(MAKE_KEY, 3, 60, LINE, exit_codes.HANDSHAKE, "P-256, made on the router; it stays there"),
    Row(SIGN, 3, 60, LINE, exit_codes.HANDSHAKE, "device and admin certificate for that key"),
    Row(WRITE_IDENTITY, 3, 60, LINE, exit_codes.HANDSHAKE, "certificates, cloud, time; makes the code"),
    Row(SELF_TEST, 2, 120, LINE, exit_codes.SELF_TEST, "flash, memory, clock, network link, entropy"),
    Row(LOCK, 3, 120, LINE, exit_codes.LOCK_NOT_PROVEN, "the console, for good; the router restarts"),
    Row(PROVE_LOCK, 2, 240, LINE, exit_codes.LOCK_NOT_PROVEN, "every way in is tried, over a restart too"),
    Row(RECORD, 3, 120, LINE, exit_codes.LEDGER, "the unit in the ledger and in the cloud's list"),
    Row(PRINT, 2, 120, LINE, exit_codes.PRINTER, "the label; then nobody here knows the service code"),
)  # fmt: skip
NAMES = tuple(row.name for row in STEPS)


class Change(NamedTuple):
    """A station's own numbers for a row; None leaves the row's."""

    attempts: int | None = None
    deadline_s: float | None = None


def plan(without: Collection[str] = (), changes: Mapping[str, Change] | None = None) -> tuple[Row, ...]:
    """Return the rows that a station does. KeyError on a step that there is not."""
    changes = changes or {}
    for name in [*without, *changes]:
        if name not in NAMES:
            raise KeyError(name)
    return tuple(_changed(row, changes.get(row.name, Change())) for row in STEPS if row.name not in without)


def _changed(row: Row, change: Change) -> Row:
    given = {name: value for name, value in change._asdict().items() if value is not None}
    return row._replace(**given)
