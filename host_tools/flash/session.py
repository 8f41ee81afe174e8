"""Carries a transfer over a line: starts the stub, drives it, starts it again when it was lost.

    board = meet(line)                                   # what kind of MicroPython this is
    send_file(line, board, "/flash/file", content, told=print_progress)

Raises ToolError; the exit status says which part failed (exit_codes.py).
"""

import os
import time
from collections.abc import Callable
from typing import NamedTuple

from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.flash import frames, transfer
from host_tools.flash.program import program
from host_tools.flash.transfer import Transfer
from host_tools.serial_port import BAUD, KNOCK_TIMEOUT_S, BenchLine

RUNS_WITHOUT_PROGRESS = 5  # of the stub; a line that loses more needs a new cable
KNOCK_S = 5.0  # before a board is thought to wait for the rest of a frame
PROBE_S = 5.0  # a slow emulator answers in one
BOOT_S = KNOCK_TIMEOUT_S  # for a board that was just reset
SPEED_PAUSE_S = 0.2  # the board's answer leaves at the old speed, then it changes
LOOK_S = 0.5  # between looks at the clock while nothing comes
LAST_WORDS_S = 1.0  # for the rest of a traceback
LAST_WORDS_KEPT = 4096  # bytes of it
NONCE_BYTES = 16

# Blocks under way. A kernel keeps 64 KB for a program that is busy. A bare board keeps a few hundred bytes,
# and loses the rest while it writes its flash.
WINDOW_OF_A_KERNEL, WINDOW_OF_A_BOARD = 4, 1

# Prints the sealed facts in the order of Board's fields.
PROBE = """import sys,binascii
g=globals()
t="%s,%d,%d,"%(sys.platform,hasattr(sys.stdin,"buffer"),getattr(sys.implementation,"_mpy",0)&255)
t+="%d,%d"%("bench"in g,"line_speed"in g)
print("%08x %s"%(binascii.crc32(t),t))"""


class Board(NamedTuple):
    """What the probe has found."""

    platform: str  # sys.platform
    is_binary: bool  # its stdin has a buffer, which changes no byte
    mpy_version: int
    is_gatelodge: bool
    can_change_speed: bool

    @property
    def window(self) -> int:
        return WINDOW_OF_A_KERNEL if self.platform == "linux" else WINDOW_OF_A_BOARD

    @property
    def block(self) -> int:
        return frames.LARGE_BLOCK if self.platform == "linux" else frames.SMALL_BLOCK

    @property
    def interruption(self) -> bytes:
        """What ends a stub that waits for a header; one without a kernel takes Ctrl-C for a byte of it."""
        return b"\x03" * (1 if self.platform == "linux" else frames.HEADER_SIZE)


class Progress(NamedTuple):
    """How far a transfer is. Bytes of the content; `wire` counts both directions since the first stub."""

    done: int
    total: int
    resumed_at: int
    wire: int
    runs: int


Told = Callable[[Progress], None]


def meet(line: BenchLine) -> Board:
    """Enter the raw REPL and ask what is there."""
    _enter(line)
    return _probe(line)


def _enter(line: BenchLine) -> None:
    """Enter the raw REPL; a stub that an earlier run has left is ended."""
    try:
        is_locked = line.is_locked(KNOCK_S)
    except ToolError as error:
        if error.exit_code != exit_codes.HANDSHAKE:
            raise
        # A board that is not interrupted by Ctrl-C waits for a whole frame, and ends at the next one.
        line.send(b"\x03" * 2 * frames.LARGE_BLOCK)
        is_locked = line.is_locked(BOOT_S)
    if is_locked:
        raise ToolError(
            f"the router at {line.port} is locked",
            "update it over the air, or reset it to factory state to flash it",
            exit_codes.REFUSED_BY_BOARD,
        )


def _probe(line: BenchLine) -> Board:
    for _ in range(RUNS_WITHOUT_PROGRESS):
        try:
            facts = provisioning.unseal(line.execute(PROBE, PROBE_S).strip()).split(",")
        except provisioning.DamagedError:
            continue
        except ToolError as error:
            if error.exit_code != exit_codes.HANDSHAKE:
                raise
            _enter(line)
            continue
        if len(facts) == len(Board._fields):
            return Board(facts[0], facts[1] == "1", int(facts[2]), facts[3] == "1", facts[4] == "1")
    raise _bad_line(line, "its answers arrive damaged")


class _Sending:
    """One file on its way, over as many runs of the stub as it takes."""

    def __init__(
        self, line: BenchLine, board: Board, path: str, content: bytes, speed: int | None, told: Told
    ):
        self.line = line
        self.board = board
        self.path = path
        self.content = content
        self.speed = speed
        self.told = told
        self.best = 0  # blocks
        self.resumed_at: int | None = None
        self.wire = 0
        self.runs = 0
        self.last_words = b""

    def run(self) -> Progress:
        failures = 0
        while True:
            before = self.best
            outcome = self._run_once()
            if outcome != transfer.LOST:
                break
            failures = 0 if self.best > before else failures + 1
            if failures >= RUNS_WITHOUT_PROGRESS:
                raise _bad_line(self.line, self._reason())
        if outcome != transfer.DONE:
            raise _not_verified(outcome)
        return self.progress

    @property
    def progress(self) -> Progress:
        done = min(self.best * self.board.block, len(self.content))
        return Progress(done, len(self.content), self.resumed_at or 0, self.wire, self.runs)

    def _run_once(self) -> str:
        self.runs += 1
        source = program(self.path, self.board.block, with_speed=self.speed is not None)
        if not self.line.is_in_raw_repl:
            _enter(self.line)  # a board that shows no face for so long is not there
        try:
            self.line.start_program(source)
        except ToolError as error:
            # What a damaged line makes of the stub is one more failed run.
            if error.exit_code != exit_codes.HANDSHAKE:
                raise
            return transfer.LOST
        self.wire += len(source)
        try:
            outcome = self._drive()
            if outcome != transfer.LOST:
                self.line.send(self.board.interruption)
        finally:
            if self.speed is not None:
                self.line.set_speed(BAUD)
                self.speed = None  # a run that was lost may have been lost to the speed
        if outcome != transfer.LOST:
            self.line.await_prompt()
        return outcome

    def _drive(self) -> str:
        run = Transfer(
            self.content,
            block=self.board.block,
            window=self.board.window,
            forbidden=frames.BINARY if self.board.is_binary else frames.TEXT_ONLY,
            baud=BAUD,
            nonce=os.urandom(NONCE_BYTES),
            now=time.monotonic(),
            speed=self.speed,
        )
        is_at_speed = False
        while run.outcome is None:
            output = run.next_output(time.monotonic())
            if output:
                self.line.send(output)
                self.wire += len(output)
            wait_s = 0.0 if output else min(LOOK_S, max(0.0, run.deadline - time.monotonic()))
            received = self.line.receive(wait_s)
            self.wire += len(received)
            run.receive(received, time.monotonic())
            if run.is_at_speed and not is_at_speed:
                is_at_speed = True
                time.sleep(SPEED_PAUSE_S)
                self.line.set_speed(self.speed or BAUD)
            self._note(run)
        if run.last_words:  # what the board has to say of it
            self.last_words = self._hear_out(run.last_words)
        return run.outcome

    def _hear_out(self, said: bytes) -> bytes:
        """Return what a stub that ended by itself has said, up to the prompt behind it."""
        deadline = time.monotonic() + LAST_WORDS_S
        while b"\x04>" not in said and len(said) < LAST_WORDS_KEPT and time.monotonic() < deadline:
            said += self.line.receive(LAST_WORDS_S / 10)
        return said

    def _reason(self) -> str:
        lines = self.last_words.decode(errors="replace").strip("\x04>\r\n ").splitlines()
        said = f", and the board said {lines[-1]!r}" if lines else ""
        return f"block {self.best} did not arrive{said}"

    def _note(self, run: Transfer) -> None:
        if run.has_met and self.resumed_at is None:
            self.resumed_at = run.base * run.block
        self.best = max(self.best, run.base)
        self.told(self.progress)


def send_file(
    line: BenchLine,
    board: Board,
    path: str,
    content: bytes,
    *,
    speed: int | None = None,
    told: Told = lambda progress: None,
) -> Progress:
    """Put the content at this path of the board's file system, whole or not at all."""
    return _Sending(line, board, path, content, speed, told).run()


def _bad_line(line: BenchLine, reason: str) -> ToolError:
    return ToolError(
        f"the transfer over {line.port} failed ({reason})",
        "check the cable and the ground, then run this again: it goes on where it was",
        exit_codes.TRANSFER,
    )


def _not_verified(outcome: str) -> ToolError:
    wrong = {
        transfer.WRONG_HASH: "the board has read back something else than it was sent, and thrown it away",
        transfer.LIED: "the board says that the file is right and cannot prove it",
    }
    remedy = "set this board aside, its flash cannot be trusted"
    return ToolError(wrong[outcome], remedy, exit_codes.VERIFICATION)
