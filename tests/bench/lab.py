"""What the probes share for one run: a directory, an interpreter, and boards that run meanwhile."""

import contextlib
import os
import shutil
import tempfile

import microdot

from host_tools.release.places import ROOT
from tests.bench import boards, processes


class Lab(contextlib.ExitStack):
    """Everything it starts ends with its `with` block, last started first."""

    def __init__(self, micropython, quick=False):
        super().__init__()
        self.micropython = micropython
        self.quick = quick
        self.tell = lambda text: None
        self.directory = tempfile.mkdtemp(prefix="gatelodge-bench-")
        self.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._boards = {}

    @property
    def environment(self):
        """For MicroPython: where microdot and, for the cost of single parts, the firmware are found."""
        site = os.path.dirname(os.path.dirname(microdot.__file__))
        path = os.pathsep.join((str(ROOT / "firmware"), site, ".frozen"))
        return os.environ | {"MICROPYPATH": path}

    def log_file(self, name):
        return self.enter_context(open(os.path.join(self.directory, name + ".log"), "ab"))

    def start(self, argv, **options):
        """A process that lives until the lab closes."""
        return self.enter_context(processes.started(argv, **options))

    def board(self, name):
        """The running board of that name: provisioned and with an owner, started at the first call."""
        if name not in self._boards:
            self.tell(f"starting the {name} board")
            self._boards[name] = self.enter_context(boards.running(self, name))
        return self._boards[name]
