"""Finds a ledger that was put back together with its head: the files beside it tell of units that it lacks.

    refuse_an_older_copy(records)       before a bench works; raises ToolError

`devices.jsonl` has a line for each unit, `reports/` a file. Who removes `ledger.head` says that no copy holds
them: they are entered as lost, in one entry of the kind "lost", and the bench goes on. Where these files
were put back as well, only a head that was kept elsewhere tells (`gatelodge ledger verify --expect`).
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.events import GO
from host_tools.factory.ledger import Ledger
from host_tools.factory.records import Records
from host_tools.factory.report import REPORTS

LOST = "lost"


def refuse_an_older_copy(records: Records) -> None:
    ledger = records.ledger
    records.absorb_older()
    known = _known(ledger)
    lost = sorted({*records.copied_serial_numbers(), *_reported_good(records.directory, known)} - known)
    if not lost:
        return
    if ledger.has_head:
        which = lost[0] if len(lost) == 1 else f"{lost[0]} and {len(lost) - 1} more"
        wrong = f"the ledger {ledger.path} is an older copy: {records.directory} tells of {which}"
        remedy = "put the newest copy in its place; if no copy holds them, remove ledger.head to go on"
        raise ToolError(wrong, remedy, exit_codes.LEDGER)
    ledger.append(LOST, serial_numbers=lost)


def _known(ledger: Ledger) -> set[str]:
    """The routers that the ledger has finished, or knows that it has lost."""
    known = {entry.fields["serial_number"] for entry in ledger.walk(kind="unit")}
    return known.union(*(entry.fields["serial_numbers"] for entry in ledger.walk(kind=LOST)))


def _reported_good(factory: Path, known: set[str]) -> Iterator[str]:
    for path in (factory / REPORTS).glob("*.json"):
        if provisioning.is_serial_number(path.stem) and path.stem not in known:
            with contextlib.suppress(OSError, ValueError, AttributeError):  # damaged: it tells nothing
                if json.loads(path.read_bytes()).get("verdict") == GO:
                    yield path.stem
