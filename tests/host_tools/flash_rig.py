"""Boards to flash, behind a line that counts and spoils bytes.

    with FlashRig(directory) as rig:        # the bench's console: takes files
    with RouterRig(directory) as rig:       # loader, slots and the whole daemon: takes bundles

`rig.line` is a tests.fakes.faulty_line.FaultyLine: `rig.line.plan(...)` is what the next bytes will meet.
"""

import json
import os

from host_tools.emulator.host_board import derived_board, install
from host_tools.flash import session
from host_tools.release import board_image
from host_tools.serial_port import BenchLine
from tests.fakes.faulty_line import FaultyLine
from tests.host_tools.bench_rig import ROOT, BenchRig


class FlashRig(BenchRig):
    def __init__(self, directory):
        super().__init__(directory)
        self.line = FaultyLine()
        self.damage = self.line.carry

    def send(self, name, content, **options):
        """Send a file as `gatelodge flash --to` does, in a connection of its own."""
        with BenchLine(self.port) as line:
            board = session.meet(line)
            return session.send_file(line, board, str(self._directory / name), content, **options)

    def read(self, name):
        return (self._directory / name).read_bytes()

    def holds(self, name):
        return (self._directory / name).exists()


class RouterRig(FlashRig):
    """The board `host` in factory state: firmware of `bundle` in slot A, and nothing else."""

    def __init__(self, directory, bundle, release_key):
        super().__init__(directory)
        self.flash = self._directory / "flash"
        install(bundle, self.flash)
        (self.flash / "state").mkdir()
        board = board_image.trusting(board_image.load_board("host"), release_key)
        board = derived_board(board, self.flash, {"admin": 8443, "http": 8080})
        self.board_file = self._directory / "board.json"
        self.board_file.write_text(json.dumps(board))

    def program(self):
        return [os.fspath(ROOT / "firmware/main.py"), self.flash, self.board_file]

    def record(self):
        return json.loads((self.flash / "boot.json").read_text())

    def version(self, slot):
        manifest = self.flash / "slots" / slot / "manifest.json"
        return json.loads(manifest.read_text())["version"] if manifest.exists() else None
