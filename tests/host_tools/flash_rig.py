"""Boards to flash, behind a line that counts and spoils bytes.

    with FlashRig(directory) as rig:        # the bench's console: takes files
    with RouterRig(directory) as rig:       # loader, slots and the whole daemon: takes bundles
    with FlashRigs(directory) as rigs:      # some boards, side by side: rigs.each(check, cases)

`rig.line` is a tests.fakes.faulty_line.FaultyLine: `rig.line.plan(...)` is what the next bytes will meet.
"""

import contextlib
import json
import os
import queue
from concurrent.futures import ThreadPoolExecutor

import pytest

from host_tools import serial_port
from host_tools.emulator.host_board import derived_board, install
from host_tools.flash import session, transfer
from host_tools.release import board_image
from host_tools.serial_port import BenchLine
from tests.fakes.faulty_line import FaultyLine
from tests.host_tools.bench_rig import ROOT, BenchRig

RIGS = 20  # a faulty transfer mostly waits
# A pty answers at once; these are for a busy computer, and a fault that silences a board costs one of them.
SHORT = ((transfer, "ANSWER_S", 1.0), (transfer, "GREETING_S", 1.5), (session, "KNOCK_S", 1.2),
         (session, "BOOT_S", 3.0), (session, "PROBE_S", 1.5),
         (serial_port, "BYTE_TIMEOUT_S", 1.5))  # fmt: skip


@contextlib.contextmanager
def short_deadlines():
    with pytest.MonkeyPatch.context() as patch:
        for module, name, seconds in SHORT:
            patch.setattr(module, name, seconds)
        yield patch


class FlashRig(BenchRig):
    def __init__(self, directory):
        super().__init__(directory)
        self.line = FaultyLine(on_reset=self.kill)
        self.damage = self.line.carry

    def send(self, name, content, **options):
        """Send a file as `gatelodge flash --to` does, in a connection of its own."""
        with BenchLine(self.port) as line:
            board = session.meet(line)
            return session.send_file(line, board, str(self._directory / name), content, **options)

    def put(self, name, content):
        (self._directory / name).write_bytes(content)

    def read(self, name):
        return (self._directory / name).read_bytes()

    def holds(self, name):
        return (self._directory / name).exists()


class FlashRigs:
    """Boards side by side, each with a line of its own. make(directory): one of them."""

    def __init__(self, directory, make=FlashRig, count=RIGS):
        self._directory = directory
        self._make = make
        self._count = count

    def __enter__(self):
        self._free = queue.SimpleQueue()
        folders = [self._directory / str(number) for number in range(self._count)]
        with contextlib.ExitStack() as stack, ThreadPoolExecutor(self._count) as pool:

            def switch_on(folder):
                folder.mkdir()
                self._free.put(stack.enter_context(self._make(folder)))

            list(pool.map(switch_on, folders))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def each(self, check, cases):
        """check(rig, case) for each of them. AssertionError names the cases that failed, and why."""
        with ThreadPoolExecutor(self._count) as pool:
            complaints = [text for text in pool.map(lambda case: self._complaint(check, case), cases) if text]
        assert not complaints, "\n".join(complaints)

    def _complaint(self, check, case):
        rig = self._free.get()
        try:
            check(rig, case)
        except Exception as error:  # whatever it was, it belongs to its case
            return f"{case}: {type(error).__name__}: {error}"
        finally:
            rig.line.plan()
            self._free.put(rig)
        return None


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
