"""The transfer core in memory: ten thousand lines that flip, drop, double and break, from a seed each.

A failure names its seed.
"""

import hashlib
import random
import zlib

import pytest

from host_tools.flash import frames, transfer
from host_tools.flash.transfer import Transfer
from tests.fakes.faulty_line import CUT, DELAY, DROP, KINDS, RESET, TO_BOARD, TO_HOST, Fault, FaultyLine
from tests.fakes.memory_board import ForgetfulBoard, LyingBoard, MemoryBoard

RUNS = 10_000
BLOCK = 256
OLD = b"the old slot"
STEPS = 20_000  # of one run; a hang takes more


class Wire:
    """A host and a board in memory, a line with faults between them, and a clock that only waiting moves."""

    def __init__(self, board, content, **options):
        self.board = board
        self.content = content
        self.now = 0.0
        self.line = FaultyLine(on_reset=self.reset, sleep=lambda seconds: None)
        self.window = options.pop("window", 4)
        self.forbidden = options.pop("forbidden", frames.BINARY)
        self.cut = options.pop("cut", lambda data: [data])
        self.runs = []

    def reset(self):
        self.board.is_running = False

    def run(self):
        """Start the stub once; return the outcome."""
        greeting = self.line.carry(TO_HOST, self.board.start())
        run = Transfer(
            self.content,
            block=BLOCK,
            window=self.window,
            forbidden=self.forbidden,
            baud=115200,
            nonce=bytes(16),
            now=self.now,
        )
        self.runs.append(run)
        run.receive(greeting, self.now)
        for _ in range(STEPS):
            if run.outcome:
                return run.outcome
            output = run.next_output(self.now)
            if output:
                self.exchange(run, output)
            else:
                self.now = max(self.now, run.deadline)
                run.receive(b"", self.now)
        raise AssertionError("this transfer hangs")

    def exchange(self, run, output):
        for piece in self.cut(self.line.carry(TO_BOARD, output)):
            answer = self.board.receive(piece) if self.board.is_running else b""
            for part in self.cut(self.line.carry(TO_HOST, answer)):
                run.receive(part, self.now)

    def run_until_done(self, most=40):
        for _ in range(most):
            outcome = self.run()
            if outcome != transfer.LOST:
                return outcome
            self.line.is_cut = False
        raise AssertionError("this transfer makes no progress")


def content_of(choose):
    size = choose.choice((0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 9 * BLOCK + 7, choose.randrange(20 * BLOCK)))
    return choose.randbytes(size) if choose.random() < 0.7 else b"some text " * (size // 10)


def cuts(choose):
    def cut(data):
        places = sorted(choose.randrange(len(data) + 1) for _ in range(choose.randrange(4)))
        return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]

    return cut


def faults_of(choose, size):
    kinds = [kind for kind in KINDS if kind != DELAY]
    for _ in range(choose.choice((0, 1, 1, 2, 5))):
        yield Fault(choose.random() < 0.8, choose.randrange(size), choose.choice(kinds), choose.randrange(8))


@pytest.mark.parametrize("part", range(10))
def test_whatever_a_line_does_a_finished_transfer_is_right(part):
    for seed in range(part, RUNS, 10):
        choose = random.Random(seed)
        content = content_of(choose)
        forbidden = choose.choice((frames.BINARY, frames.TEXT_ONLY))
        options = {"window": choose.choice((1, 2, 4)), "forbidden": forbidden, "cut": cuts(choose)}
        wire = Wire(MemoryBoard(OLD, BLOCK), content, **options)
        wire.line.plan(*faults_of(choose, len(content) * 2 + 200))
        assert wire.run_until_done() == transfer.DONE, seed
        assert wire.board.file == content, seed
        assert wire.board.part is None, seed


def test_a_clean_line_carries_each_block_once():
    wire = Wire(MemoryBoard(OLD, BLOCK), random.Random(1).randbytes(40 * BLOCK))
    assert wire.run() == transfer.DONE
    assert wire.line.carried[TO_BOARD] < 41 * (BLOCK + 32)


@pytest.mark.parametrize("at", range(0, 3000, 37))
def test_a_cable_that_is_pulled_leaves_the_old_file_and_is_gone_on_with(at):
    content = random.Random(at).randbytes(10 * BLOCK)
    wire = Wire(MemoryBoard(OLD, BLOCK), content)
    wire.line.plan(Fault(TO_BOARD, at, CUT))
    outcome = wire.run()
    assert wire.board.file == (content if outcome == transfer.DONE else OLD)
    had = wire.runs[0].base
    wire.line.plan()
    sent_before = wire.line.carried[TO_BOARD]
    assert outcome == transfer.DONE or wire.run_until_done() == transfer.DONE
    assert wire.board.file == content
    again = wire.line.carried[TO_BOARD] - sent_before
    assert again <= max(1, 10 - had) * (BLOCK + 40) + 200  # the last block is always sent again


def test_a_flipped_bit_costs_a_window_and_no_new_start():
    wire = Wire(MemoryBoard(OLD, BLOCK), random.Random(3).randbytes(20 * BLOCK))
    wire.line.plan(Fault(TO_BOARD, 5 * BLOCK, "flip", 0))
    assert wire.run() == transfer.DONE
    assert wire.board.starts == 1


def test_a_lost_answer_is_asked_for_again():
    wire = Wire(MemoryBoard(OLD, BLOCK), bytes(10) * BLOCK, window=1)
    wire.line.plan(Fault(TO_HOST, 70, DROP))
    assert wire.run() == transfer.DONE


def test_what_is_left_of_another_file_is_not_gone_on_with():
    wire = Wire(MemoryBoard(OLD, BLOCK), random.Random(4).randbytes(9 * BLOCK))
    wire.board.part = random.Random(5).randbytes(7 * BLOCK)
    assert wire.run() == transfer.DONE
    assert wire.board.file == wire.content


def test_what_a_power_cut_has_torn_is_sent_again_and_what_is_right_is_not():
    content = random.Random(6).randbytes(30 * BLOCK)
    wire = Wire(MemoryBoard(OLD, BLOCK), content)
    wire.board.part = content[: 19 * BLOCK] + bytes(BLOCK)
    assert wire.run() == transfer.DONE
    assert wire.board.file == content
    assert wire.line.carried[TO_BOARD] < 16 * (BLOCK + 40)


def test_a_board_that_lies_about_its_hash_is_found_out():
    wire = Wire(LyingBoard(OLD, BLOCK), random.Random(7).randbytes(9 * BLOCK))
    assert wire.run_until_done() == transfer.LIED
    assert wire.board.file == OLD


def test_a_flash_that_forgets_is_found_out_and_the_old_file_stays():
    wire = Wire(ForgetfulBoard(OLD, BLOCK), random.Random(8).randbytes(9 * BLOCK))
    assert wire.run() == transfer.WRONG_HASH
    assert wire.board.file == OLD


def test_a_silent_board_is_given_up():
    wire = Wire(MemoryBoard(OLD, BLOCK), b"x")
    wire.line.is_cut = True
    assert wire.run() == transfer.LOST
    assert wire.now == transfer.GREETING_S


def test_a_babbling_board_is_given_up():
    class Babbling(MemoryBoard):
        def start(self):
            return super().start() and b""

        def receive(self, data):
            return b""

    wire = Wire(Babbling(OLD, BLOCK), b"x")
    run = Transfer(
        b"x", block=BLOCK, window=1, forbidden=frames.BINARY, baud=115200, nonce=bytes(16), now=0.0
    )
    choose = random.Random(9)
    for tick in range(1000):
        run.receive(choose.randbytes(100).replace(b"\x04", b""), tick / 10)
        if run.outcome:
            break
    assert run.outcome == transfer.LOST
    assert wire.run() == transfer.LOST


def test_no_frame_has_a_byte_that_a_console_would_take_for_its_own():
    choose = random.Random(10)
    for forbidden in (frames.BINARY, frames.TEXT_ONLY):
        for size in (0, 1, 300, 5000):
            payload = choose.randbytes(size)
            data = frames.frame(frames.STORED, 7, 300, payload, forbidden)
            assert not forbidden & set(data)
            header, rest = data[: frames.HEADER_SIZE], data[frames.HEADER_SIZE :]
            assert frames.read_frame(header, rest) == frames.Frame(frames.STORED, 7, 300, payload)


def test_every_byte_value_survives_the_escape():
    for size in (1, 256, 512):
        payload = bytes(range(256))[:size] * (1 + size // 256)
        assert frames.unescape(frames.escape(payload, frames.TEXT_ONLY)) == payload


def test_a_block_that_does_not_shrink_is_sent_as_it_is():
    noise, text = random.Random(11).randbytes(4096), b"print(1)\n" * 400
    assert transfer.deflated(noise) == (noise, frames.STORED)
    packed, command = transfer.deflated(text)
    assert command == frames.DEFLATED and zlib.decompress(packed, -15) == text


def test_a_damaged_answer_is_no_answer():
    line = frames.answer(frames.DONE, 3, 7, hashlib.sha256(b"x").digest())
    assert frames.parse_answer(line) == (frames.DONE, 3, 7, hashlib.sha256(b"x").digest())
    for at in range(len(line) - 1):
        assert frames.parse_answer(line[:at] + bytes([line[at] ^ 2]) + line[at + 1 :]) is None


def test_a_reset_in_the_middle_is_gone_on_with():
    content = random.Random(12).randbytes(12 * BLOCK)
    wire = Wire(MemoryBoard(OLD, BLOCK), content)
    wire.line.plan(Fault(TO_BOARD, 6 * BLOCK, RESET))
    assert wire.run_until_done() == transfer.DONE
    assert wire.board.file == content
    assert wire.runs[-1].total - wire.runs[0].base < 12
