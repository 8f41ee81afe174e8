"""Power cuts: QEMU is killed in the middle of writes. What was acknowledged is there, and each boot succeeds.

Where a cut falls is drawn from SEED, which every failure names; `SEED=n pytest ...` draws the same again.
"""

import contextlib
import http.client
import os
import random
import signal
import threading
import time

import pytest
import serial

from tests.bench.owner import PASSWORD, Owner, RefusedError
from tests.system.rig import PATIENCE_S, House, until

SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
CUTS = 20
MOST_WRITES = 25  # between two cuts: the journal is compacted after ten or so
WRITE_S = 0.01  # from one acknowledgement to the next, on an idle computer: half the cuts fall into the write
SIGN_IN_S = 0.1  # from the request to the answer

# Runs on the blank router, on the daemon's own store. The next write begins when the host has the last
# acknowledgement: so after a cut there is what was acknowledged, or one write more.
WRITER = b"""
import sys
store = bench._store
n, twin, filling = [store.get("cuts." + name, 0) for name in ("n", "twin", "filling")]
print("found", n, twin, len(filling or ""))
while True:
    n += 1
    store.put_many({"cuts.n": n, "cuts.twin": n, "cuts.filling": "x" * (n * 997 % 6000)})
    print("kept", n)
    sys.stdin.read(1)
"""


class BlankRouter:
    """A blank router's serial line, and WRITER on it."""

    def __init__(self, line):
        self._line = line

    def start_writer(self):
        """Return what the store holds: n, its twin, and the length of the filling."""
        self._line.write(b"\r\x03\x01")
        self.read_until(b"raw REPL; CTRL-B to exit\r\n>")
        self._line.write(WRITER + b"\x04")
        return [int(word) for word in self.read_until(b"\n").split()[-3:]]

    def write(self, times):
        """Return the last n that was acknowledged. The next write has begun by then."""
        for _ in range(times):
            n = int(self.read_until(b"\n").split()[-1])
            self._line.write(b".")
        return n

    def read_until(self, text):
        said, end = b"", time.monotonic() + PATIENCE_S
        while not said.endswith(text):
            assert time.monotonic() < end, f"the router said {said[-300:]!r}, and never {text!r}"
            said += self._line.read(1)
        return said


@pytest.fixture
def blank(tmp_path):
    with House(tmp_path, "--blank") as house:
        yield house


@pytest.fixture
def router(blank):
    with serial.Serial(blank.current["serial_port"], 115200, timeout=0.05) as line:
        yield BlankRouter(line)


@pytest.fixture(scope="module")
def owner(house):
    """The owner of a router that lost its power right after the wizard's last answer."""
    owner = Owner(house.current, house.trust)
    owner.set_up()
    cut(house, owner)
    return owner


def cut(house, owner):
    house.kill("qemu")
    come_back(house, owner)


def come_back(house, owner):
    owner.close_connections()
    house.wait_for_admin_page()


def refusal_of(house, owner):
    """What the router says to the last code that opened it, once it knows the time."""
    until(lambda: " clock: set by " in house.router_log(), "nothing told the router the time")
    with pytest.raises(RefusedError) as caught:
        sign_in_with(owner, "code", code=owner.last_code)
    return str(caught.value)


@contextlib.contextmanager
def power_cut_after(delay_s, house, owner):
    """Cut the power in the middle of the `with` block, and leave it when the router is back."""
    qemu = house.pid_of("qemu")
    switch = threading.Timer(delay_s, os.kill, (qemu, signal.SIGKILL))
    switch.start()
    yield
    switch.join()
    house.wait_for_another("qemu", qemu)
    come_back(house, owner)


def is_answered(owner, path, **fields):
    try:
        owner.post(path, **fields)
    except (OSError, http.client.HTTPException):
        return False
    return True


def sign_in_with(owner, path, **code):
    owner.post("/api/sign-in/password", password=PASSWORD)
    owner.post("/api/sign-in/" + path, **code)


def test_twenty_cuts_lose_nothing_that_was_acknowledged(blank, router):
    draw, kept = random.Random(SEED), 0
    for number in range(CUTS + 1):
        n, twin, filling = router.start_writer()
        assert n in (kept, kept + 1), f"cut {number} of seed {SEED}: {kept} was kept, {n} is there"
        assert (twin, filling) == (n, n * 997 % 6000), f"cut {number} of seed {SEED}: half a change is there"
        kept = router.write(draw.randint(1, MOST_WRITES))
        time.sleep(draw.uniform(0, WRITE_S))
        blank.kill("qemu")
        router.read_until(b"speaking MicroPython's REPL\r\n")
        router.read_until(b">>> ")
        assert "EXT4-fs error" not in blank.router_log()


def test_the_wizards_last_answer_is_kept(house, owner):
    assert "That code has been used" in refusal_of(house, owner)


def test_a_code_that_opened_before_the_cut_opens_nothing_after_it(house, owner):
    owner.sign_in()
    cut(house, owner)
    assert "That code has been used" in refusal_of(house, owner)


def test_a_cut_in_the_middle_of_a_sign_in_leaves_the_code_spent_if_it_opened(house, owner):
    draw = random.Random(SEED)
    for code in owner.recovery_codes[:3]:
        owner.post("/api/sign-in/password", password=PASSWORD)
        with power_cut_after(draw.uniform(0, SIGN_IN_S), house, owner):
            opened = is_answered(owner, "/api/sign-in/recovery", recovery_code=code)
        try:
            sign_in_with(owner, "recovery", recovery_code=code)
            assert not opened, f"seed {SEED}: a recovery code opened twice"
        except RefusedError as refusal:
            assert "is not on the list, or has been used" in str(refusal), f"seed {SEED}"
