"""A factory for tests: keys, ledger, means, and what its listener heard."""

import contextlib
import json
from pathlib import Path

from host_tools.factory import events, steps
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.records import Records
from host_tools.factory.unit.drive import drive
from host_tools.factory.unit.means import Cloud, Means
from tests.host_tools.bench_rig import ROOT, BenchRig

BOARD = ROOT / "boards/host/board.json"
ROWS = steps.plan([steps.FLASH, steps.VERIFY])  # for a router without slots


class Factory:
    def __init__(self, directory):
        self.authority = FactoryAuthority.create(directory / "factory")
        self.directory = self.authority.directory
        self.records = Records(self.authority)
        self.cloud = Cloud(self.authority.ca_der, "10.0.2.2", 8445, "cloud.example", [])
        self.printed = []
        self.told = []

    def means(self, **options):
        options = {"print_label": self.print_label, **options}
        return Means(self.authority, self.records, ["localhost"], self.cloud, "bench 1", **options)

    def print_label(self, unit):
        self.printed.append(unit)
        return "paper"

    def run(self, rig, rows=ROWS, abort=None, tell=lambda event: None, **options):
        """Take the rig's router through the rows; `tell` hears, too."""
        self.told = []

        def hear(event):
            self.told.append(event)
            tell(event)

        return drive("left", rig.port, self.means(**options), rows, hear, abort)

    def arguments(self, *ports):
        """Of `gatelodge provision`."""
        options = {
            "factory-dir": self.directory,
            "board": BOARD,
            "cloud-ca": self.directory / "factory-ca.pem",
            "cloud": "cloud.example:8445",
            "label-dir": self.directory / "labels",
        }
        named = [f"--{name}={value}" for name, value in options.items()]
        return ["provision", *named, *(f"--port={port}" for port in ports)]

    def units(self):
        return [entry.fields for entry in self.records.ledger.entries(kind="unit")]

    def runs(self):
        return [entry.fields for entry in self.records.ledger.entries(kind="run")]

    def report(self):
        """Of the unit that has just ended."""
        return json.loads(Path(self.ended.report).read_text(encoding="utf-8"))

    # --- what was told ---

    def of(self, kind, port=None):
        return [one for one in self.told if isinstance(one, kind) and (port is None or one.port == port)]

    def outcomes(self, port=None):
        return [(one.step, one.outcome) for one in self.of(events.StepEnded, port)]

    @property
    def ended(self):
        return self.of(events.UnitEnded)[-1]


@contextlib.contextmanager
def rigs(directory, faults):
    """A router for each of the faults, "" for a good one."""
    with contextlib.ExitStack() as stack:
        found = []
        for number, fault in enumerate(faults):
            place = directory / f"board-{number:02}"
            place.mkdir()
            found.append(stack.enter_context(BenchRig(place, fault)))
        yield found
