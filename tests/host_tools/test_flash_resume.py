"""A cable is pulled at byte k, and `gatelodge flash` is run again: what the line then carries is counted.

FULL=1 (`make test-long`) pulls at a dense set of k.
"""

import os
import random

import pytest

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.flash import frames
from tests.fakes.faulty_line import CUT, TO_BOARD, Fault
from tests.host_tools.flash_rig import FlashRigs, short_deadlines

FULL = bool(os.environ.get("FULL"))
BLOCKS = 10
BLOCK = frames.LARGE_BLOCK
SIZE = BLOCKS * BLOCK - 100
OLD = b"the old file"
START = 2500  # bytes of a handshake and a stub, at most; knocks are as many as it takes
FRAME = BLOCK * 101 // 100  # with its header and what is escaped
AT = range(100, 84_000, 700 if FULL else 7000)


@pytest.fixture(scope="module")
def rigs(tmp_path_factory):
    with short_deadlines(), FlashRigs(tmp_path_factory.mktemp("rigs")) as rigs:
        yield rigs


def test_a_pulled_cable_leaves_the_old_file_and_the_next_run_goes_on(rigs):
    rigs.each(pull_and_run_again, [Fault(TO_BOARD, at, CUT) for at in AT])


def pull_and_run_again(rig, fault):
    name, content = f"pulled-{fault.at}", random.Random(fault.at).randbytes(SIZE)
    rig.put(name, OLD)
    rig.line.plan(fault)
    with pytest.raises(ToolError) as raised:
        rig.send(name, content)
    assert raised.value.exit_code in (exit_codes.HANDSHAKE, exit_codes.TRANSFER)
    assert rig.read(name) == OLD
    rig.line.plan()
    before = rig.line.carried[TO_BOARD]
    sent = rig.send(name, content)
    again = rig.line.carried[TO_BOARD] - before
    assert rig.read(name) == content
    # Every block that came whole before the cut is kept; the last one is always sent, to end with.
    whole = max(0, (fault.at - START) // FRAME)
    assert sent.resumed_at >= whole * BLOCK
    missing = BLOCKS - sent.resumed_at // BLOCK
    assert again <= START + missing * FRAME


def test_a_board_whose_power_is_cut_goes_on_in_the_same_run(rigs):
    def check(rig, fault):
        content, starts = random.Random(3).randbytes(SIZE), rig.starts
        rig.line.plan(fault)
        sent = rig.send("reset", content)
        assert rig.starts > starts  # a frame's rest, typed at the new prompt, may restart it once more
        assert sent.runs > 1
        assert rig.read("reset") == content

    rigs.each(check, [Fault(TO_BOARD, 60_000, "reset")])
