"""Floods of Ctrl-C at random moments: whatever they hit, the board comes back.

MicroPython's unix port raises KeyboardInterrupt from its signal handler, so an interrupt can leave it
waiting for ever (firmware/gatelodge/console/runner.py says what is done about it). FULL=1 (`make test-long`)
floods hundreds of times.
"""

import functools
import os
import random
import time

import pytest
import serial

from host_tools.factory import provision as flow
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.unit import lock_proof
from host_tools.release import bundle
from host_tools.serial_port import RAW_BANNER, BenchLine
from tests.host_tools.flash_rig import FlashRig, FlashRigs
from tests.host_tools.host_board_rig import HostBoard
from tests.host_tools.test_console_mpremote import expect

FULL = bool(os.environ.get("FULL"))
FLOODS = 120 if FULL else 10  # of each kind
BOARDS, LOCKED_BOARDS = (8, 4) if FULL else (4, 2)
BACK_S = 120  # an alarm of 5 s and a start, on a busy computer
PROMPT = RAW_BANNER + b">"

MAKES_NAMES = b"i = 0\nwhile True:\n i += 1\n eval('n%d' % i, {'n%d' % i: 1})\n"
MAKES_GARBAGE = b"while True: [0] * 100\n"
ENDS_AT_ONCE = b"eval('n%d' % id([]), {'n%d' % id([]): 1})\n"
NEVER_GIVES_UP = b"""
import sys, time
sys.modules["gatelodge.console.blank"].RUN_S = 1
"""
IGNORES = b"""
while True:
 try:
  time.sleep(9)
 except KeyboardInterrupt:
  pass
"""


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    built = bundle.build()
    make = functools.partial(HostBoard, bundle_path=built)
    with FlashRigs(tmp_path_factory.mktemp("blank"), make, BOARDS) as rigs:
        yield rigs


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    place = tmp_path_factory.mktemp("locked")
    authority = FactoryAuthority.create(place / "factory")
    cloud = flow.Cloud(authority.ca_der, "10.0.2.2", 8445, "cloud.example", [("10.0.2.2", 8123)])
    with FlashRigs(place, FlashRig, LOCKED_BOARDS) as rigs:
        rigs.each(
            lambda rig, case: flow.provision(rig.port, authority, names=["localhost"], cloud=cloud),
            range(LOCKED_BOARDS),
        )
        yield rigs


def while_code_makes_names(rig, line, chance):
    start(line, MAKES_NAMES)
    flood(line, chance)


def while_code_makes_garbage(rig, line, chance):
    start(line, MAKES_GARBAGE)
    flood(line, chance)


def around_the_end_of_code(rig, line, chance):
    for _ in range(10):
        line.write(ENDS_AT_ONCE + b"\x04")
        flood(line, chance)


def at_the_prompt(rig, line, chance):
    flood(line, chance)


def while_it_starts(rig, line, chance):
    rig.kill()
    flood(line, chance)


def while_it_starts_again_after_code(rig, line, chance):
    """The line is left as code had it: with Ctrl-C a signal."""
    start(line, MAKES_NAMES)
    rig.kill()
    flood(line, chance)


def while_it_restarts(rig, line, chance):
    line.write(b"\x03restart\r")
    flood(line, chance)


def start(line, code, until=b"OK"):
    line.write(b"\r\x03\x03\x01")
    expect(line, PROMPT, BACK_S)
    line.write(code + b"\x04")
    expect(line, until, BACK_S)


def flood(line, chance):
    time.sleep(chance.random() * 0.05)  # where it hits is the test's chance
    pause_s = chance.choice((0, 0, 0.0005, 0.005))
    for _ in range(chance.choice((1, 1, 2, 5, 40, 200))):
        line.write(b"\x03" * chance.choice((1, 1, 3)))
        time.sleep(pause_s)
        line.read(line.in_waiting)


ON_A_BLANK_BOARD = (
    while_code_makes_names,
    while_code_makes_garbage,
    around_the_end_of_code,
    at_the_prompt,
    while_it_starts,
    while_it_starts_again_after_code,
)
ON_A_LOCKED_BOARD = (at_the_prompt, while_it_starts, while_it_restarts)


@pytest.mark.parametrize("when", ON_A_BLANK_BOARD, ids=lambda when: when.__name__)
def test_a_flood_of_ctrl_c_never_stops_a_blank_board(blank, when):
    def check(rig, number):
        with serial.Serial(rig.port, 115200, timeout=0.05) as line:
            when(rig, line, random.Random(f"{when.__name__} {number}"))
        with BenchLine(rig.port) as line:
            assert not line.is_locked(BACK_S)
            assert line.execute("print(6 * 7)").strip() == "42"

    blank.each(check, range(FLOODS))


@pytest.mark.parametrize("when", ON_A_LOCKED_BOARD, ids=lambda when: when.__name__)
def test_a_flood_of_ctrl_c_never_stops_a_locked_board(locked, when):
    def check(rig, number):
        with serial.Serial(rig.port, 115200, timeout=0.05) as line:
            when(rig, line, random.Random(f"{when.__name__} {number}"))
        with BenchLine(rig.port) as line:
            assert line.is_locked(BACK_S)
            assert says_who_it_is(line)

    locked.each(check, range(FLOODS))


def test_the_locks_proof_asks_again_for_a_restart_that_was_not_heard(locked, monkeypatch):
    monkeypatch.setattr(lock_proof, "ASK_AGAIN_S", 0.5)

    def check(rig, case):
        heard = []

        def lose_the_first(to_router, data):
            if to_router and b"restart" in data and not heard:
                heard.append(data)
                return b""
            return data

        rig.damage = lose_the_first
        try:
            with BenchLine(rig.port) as line:
                (proof,) = lock_proof.prove(line, [lock_proof.BOOT_KEYS])
        finally:
            rig.damage = rig.line.carry
        assert heard and proof.ok

    locked.each(check, ["one"])


def says_who_it_is(line):
    """A status is lost when the router goes down meanwhile, as it may have been asked to."""
    end = time.monotonic() + BACK_S
    while time.monotonic() < end:
        if "serial_number" in line.locked_status(1):
            return True
    return False


def test_code_that_takes_no_interrupt_ends_at_its_limit(blank):
    """As code does that catches one and then waits for a lock that it has left closed."""

    def check(rig, case):
        before = rig.starts
        with serial.Serial(rig.port, 115200, timeout=0.05) as line:
            start(line, NEVER_GIVES_UP, until=b"\x04>")
            line.write(IGNORES + b"\x04")
            expect(line, b"OK", BACK_S)
            line.write(b"\x03\x03")
            expect(line, b">>> ", BACK_S)
        assert rig.starts == before + 1

    blank.each(check, ["one"])
