"""Files over a real console on a pty, with the injector in the middle: a fault at the k-th byte, for many k.

The boards are MicroPython with the factory console. FULL=1 (`make test-long`) takes a dense set of k.
"""

import os
import random

import pytest

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.flash import session
from host_tools.flash.program import program
from host_tools.serial_port import BenchLine
from tests.fakes.faulty_line import CUT, DELAY, DOUBLE, DROP, FLIP, RESET, TO_BOARD, TO_HOST, Fault
from tests.host_tools.flash_rig import FlashRigs, short_deadlines
from tests.host_tools.test_console_mpremote import mpremote, succeed

FULL = bool(os.environ.get("FULL"))
SIZE = 20_000
OLD = b"the old file"
GIVEN_UP = (exit_codes.HANDSHAKE, exit_codes.TRANSFER)
PATIENCE_S = 60
# A file of this size, with its handshake and stub, takes so many bytes to the board and from it.
TO_BOARD_BYTES, TO_HOST_BYTES = 21_900, 700
# A fault at every so many of them: (to the board, from it); None: not there. One that silences a board costs
# seconds of waiting, the others next to nothing.
EVERY = {
    FLIP: (350, 20),
    DROP: (900, 30),
    DOUBLE: (500, 25),
    DELAY: (1000, None),
    CUT: (1850, 100),
    RESET: (2700, None),
}
EVERY_FULL = {kind: (150, None if kind in (DELAY, RESET) else 12) for kind in EVERY}


@pytest.fixture(scope="module")
def rigs(tmp_path_factory):
    with short_deadlines(), FlashRigs(tmp_path_factory.mktemp("rigs")) as rigs:
        yield rigs


def content_of(seed):
    return random.Random(seed).randbytes(SIZE)


@pytest.mark.parametrize("kind", EVERY)
def test_a_fault_on_the_line_never_leaves_a_wrong_file(rigs, kind):
    rigs.each(carry_one_file, faults(kind))


def faults(kind):
    """Those on both ways, side by side."""
    to_board, to_host = (EVERY_FULL if FULL else EVERY)[kind]
    there = [Fault(TO_BOARD, at, kind, at % 8) for at in range(0, TO_BOARD_BYTES, to_board)]
    back = [Fault(TO_HOST, at, kind, at % 8) for at in range(0, TO_HOST_BYTES, to_host)] if to_host else []
    return there + back


def carry_one_file(rig, fault):
    """Once; a second time where the first run has given up and said so: the old one until then."""
    name, content = f"file-{fault.at}-{fault.kind}-{fault.to_board}", content_of(fault.at)
    rig.put(name, OLD)
    rig.line.plan(fault)
    try:
        rig.send(name, content)
    except ToolError as error:
        assert error.exit_code in GIVEN_UP, error
        assert rig.read(name) in (OLD, content)  # renamed, and the word of it was lost
        rig.line.plan()
        run_again(rig, name, content)
    assert rig.read(name) == content


def run_again(rig, name, content):
    """As an operator would, once the board has shown its face: one that an interrupt has stopped restarts."""
    with BenchLine(rig.port) as line:
        assert not line.is_locked(PATIENCE_S)
    rig.send(name, content)


def test_a_line_that_damages_everything_is_given_up_with_its_own_status(rigs):
    def damage_frames(to_board, data):
        return bytes([data[0] ^ 1]) + data[1:] if len(data) > 99 else data

    def check(rig, case):
        rig.put("never", OLD)
        rig.damage = damage_frames
        try:
            with pytest.raises(ToolError) as raised:
                rig.send("never", content_of(2))
        finally:
            rig.damage = rig.line.carry
        assert raised.value.exit_code in (exit_codes.TRANSFER, exit_codes.HANDSHAKE)
        assert rig.read("never") == OLD

    rigs.each(check, ["every long piece"])


# What the board does to itself: run in its raw REPL, where the stub finds the names changed.
LIES = """class Lying:
 def __init__(self, data=b""):
  self.h = honest(data)
  self.n = 0
 def update(self, data):
  self.n += len(data)
  self.h.update(data)
 def digest(self):
  return globals().get("p", b"")[:32] if self.n else self.h.digest()
import sys, hashlib
honest = hashlib.sha256
class M: sha256 = Lying
sys.modules["hashlib"] = M
"""
FORGETS = """class Forgetful:
 def __init__(self, *a):
  self.f = honest_open(*a)
 def write(self, data):
  return self.f.write(bytes(len(data)))
 def __getattr__(self, name):
  return getattr(self.f, name)
honest_open = open
def open(*a):
 return Forgetful(*a)
"""


@pytest.mark.parametrize(
    "sabotage, said, is_kept",
    [(FORGETS, "read back something else", True), (FORGETS + LIES, "cannot prove it", False)],
    ids=["forgets", "forgets and lies"],
)
def test_a_board_that_keeps_something_else_never_passes(rigs, sabotage, said, is_kept):
    def check(rig, case):
        rig.put("file", OLD)
        with BenchLine(rig.port) as line:
            line.execute(sabotage)
        with pytest.raises(ToolError, match=said) as raised:
            rig.send("file", content_of(4))
        assert raised.value.exit_code == exit_codes.VERIFICATION
        assert (rig.read("file") == OLD) is is_kept  # a liar renames what it likes; it is found out
        succeed(rig, "resume", "soft-reset")

    rigs.each(check, [said])


def test_mpremote_gets_in_while_a_stub_waits(rigs):
    """The cable was pulled, and somebody comes with another tool: its first Ctrl-C may only end the stub.

    mpremote asks for the raw REPL in the same breath, and what a stub is reading goes to the stub.
    """

    def check(rig, case):
        with BenchLine(rig.port) as line:
            board = session.meet(line)
            line.start_program(program(str(rig.state.parent / "never"), board.block))
        mpremote(rig, "eval", "1")
        assert succeed(rig, "eval", "1 + 1") == b"2\n"

    rigs.each(check, ["a stub"])


def test_a_finished_transfer_leaves_the_board_at_its_prompt(rigs):
    def check(rig, case):
        rig.send("finished", content_of(5))
        assert succeed(rig, "resume", "eval", "1 + 1") == b"2\n"

    rigs.each(check, ["clean"])
