"""What a transfer costs: bytes on the wire with everything included, and how long the line stands idle."""

import random

import pytest

from host_tools.flash import frames, transfer
from host_tools.flash.transfer import Transfer
from host_tools.release.places import FIRMWARE
from host_tools.serial_port import BAUD
from tests.fakes.memory_board import MemoryBoard
from tests.host_tools.flash_rig import FlashRig

BUNDLE = 256 * 1024
NOISE = random.Random(1).randbytes(BUNDLE)
TEXT = b"".join(path.read_bytes() for path in sorted(FIRMWARE.rglob("*.py")))[:BUNDLE]


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with FlashRig(tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.mark.parametrize("content, most", [(NOISE, 1.02), (TEXT, 0.45)], ids=["incompressible", "python"])
def test_a_bundle_costs_no_more_wire_bytes_than_promised(rig, content, most):
    """Both directions, from the first knock to the last prompt."""
    before = rig.line.bytes
    rig.send("bundle", content)
    assert rig.read("bundle") == content
    assert len(content) == BUNDLE
    assert rig.line.bytes - before <= most * BUNDLE


class SimulatedLine:
    """A UART at 115200 baud, and a board that works behind it; time passes only here.

    As a kernel has it: a write returns once all but the last `buffer` bytes have left. `latency_s`: of the
    adapter, before an answer is given to the host. `work_s`: of the board, for each frame.
    """

    BYTE_S = transfer.BITS_PER_BYTE / BAUD

    def __init__(self, board, latency_s, work_s, buffer=4096):
        self.board = board
        self.now = 0.0
        self.idle_s = 0.0  # between the first block and the end of the last one
        self.sent_until = None
        self._latency_s = latency_s
        self._work_s = work_s
        self._buffer_s = buffer * self.BYTE_S
        self._board_free_at = 0.0
        self._answers = [(0.0, board.start())]

    def send(self, data):
        if self.sent_until is not None:
            self.idle_s += max(0.0, self.now - self.sent_until)
        self.sent_until = max(self.now, self.sent_until or 0.0) + len(data) * self.BYTE_S
        self.now = max(self.now, self.sent_until - self._buffer_s)
        self._board_free_at = max(self._board_free_at, self.sent_until) + self._work_s
        answer = self.board.receive(data)
        arrives = self._board_free_at + len(answer) * self.BYTE_S + self._latency_s
        self._answers.append((arrives, answer))

    def receive(self, until):
        """What has arrived; waits for the next answer, not beyond `until`."""
        if self._answers and self._answers[0][0] <= until:
            arrives, answer = self._answers.pop(0)
            self.now = max(self.now, arrives)
            return answer
        self.now = until
        return b""


def stream(line, run):
    """Drive the transfer as the session does; return the share of its time in which the line carried."""
    began = None
    while run.outcome is None and run.base < run.total:
        output = run.next_output(line.now)
        if output:
            if run.has_met and began is None:
                began, line.sent_until = line.now, None
            line.send(output)
        run.receive(line.receive(line.now if output else run.deadline), line.now)
    assert run.outcome is None
    return 1 - line.idle_s / (line.sent_until - began)


# A USB adapter hands on what came every 16 ms unless told otherwise; a router writes a block in some ms.
@pytest.mark.parametrize("latency_s", [0.001, 0.016])
@pytest.mark.parametrize("work_s", [0.002, 0.1, 0.5])
def test_a_router_keeps_the_line_busy(latency_s, work_s):
    board = MemoryBoard(block=frames.LARGE_BLOCK)
    line = SimulatedLine(board, latency_s, work_s)
    assert stream(line, a_transfer(frames.LARGE_BLOCK, window=4)) >= 0.98
    assert board.part == NOISE


def test_a_board_without_a_kernel_waits_for_each_block_and_keeps_the_line_busy_all_the_same():
    """It has no buffer for a second block: the line rests for its answer, and for its flash."""
    line = SimulatedLine(MemoryBoard(block=frames.SMALL_BLOCK), latency_s=0.001, work_s=0.004)
    assert stream(line, a_transfer(frames.SMALL_BLOCK, window=1)) >= 0.98


def a_transfer(block, window):
    options = {"block": block, "window": window, "forbidden": frames.BINARY}
    return Transfer(NOISE, **options, baud=BAUD, nonce=bytes(16), now=0.0)
