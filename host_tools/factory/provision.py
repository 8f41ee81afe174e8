"""Provision one router, for who prints its label himself: `gatelodge run` and tests.

    unit = provision(port, authority, names=board["web"]["names"], cloud=Cloud(...), progress=print)

The steps are those of every bench (steps.py), without a bundle and without a label. When the label is
printed, call `Records(authority).forget(serial number)`. Whatever was interrupted goes on where it was.
"""

from collections.abc import Callable, Sequence

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import steps
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.events import GO, PASS, StepEnded, StepStarted
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.unit import lock_proof
from host_tools.factory.unit.drive import drive
from host_tools.factory.unit.means import Cloud, Means

__all__ = ["Cloud", "provision"]

# progress(step name, detail): an empty detail when the step begins, what it found when it is done.
Progress = Callable[[str, str], None]

WITHOUT = (steps.FLASH, steps.VERIFY, steps.PRINT)


def provision(
    port: str,
    authority: FactoryAuthority,
    *,
    names: Sequence[str],
    cloud: Cloud,
    records: Records | None = None,
    progress: Progress = lambda name, detail: None,
    ways: Sequence[str] = lock_proof.NAMES,
) -> UnitRecord:
    """Take the router at the port from blank to locked and recorded. Raises ToolError."""
    means = Means(authority, records or Records(authority), names, cloud, ways=ways)
    told = _Told(progress)
    verdict = drive(port, port, means, steps.plan(WITHOUT), told.tell)
    if verdict.verdict != GO:
        raise ToolError(verdict.reason, verdict.remedy, verdict.exit_code)
    unit = means.records.pending(told.serial_number)
    if unit is None:
        remedy = "take a blank one, or reset this one to factory state"
        raise ToolError(verdict.reason, remedy, exit_codes.REFUSED_BY_BOARD)
    return unit


class _Told:
    def __init__(self, progress: Progress):
        self.serial_number = ""
        self._progress = progress

    def tell(self, event: object) -> None:
        if isinstance(event, StepStarted):
            self._progress(event.step, "")
        elif isinstance(event, StepEnded) and event.outcome == PASS:
            self._progress(event.step, event.detail)
        self.serial_number = getattr(event, "serial_number", "") or self.serial_number
