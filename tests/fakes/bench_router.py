"""A blank router at the bench, made of the real console, bench and store: no web, no cloud, no Linux.

    micropython tests/fakes/bench_router.py STATE_DIRECTORY [FAULT]

Its stdin must be a terminal, and its controlling one. Like the daemon it ends with 64 to be started again.
FAULT makes it a bad one: a key of FAULTS.
"""

import asyncio
import select
import sys
import time

from gatelodge import compat, log
from gatelodge.console import console
from gatelodge.console.bench import Bench
from gatelodge.console.terminal import Terminal
from gatelodge.store import FlashFiles, Store

from tests.fakes.simulated_router import SimulatedRouter

RESTART = 64
BOARD = {
    "name": "bench",
    "model": "Gatelodge Bench",
    "flash_mb": 64,
    "state_dir": sys.argv[1],
    "console": {"baud": 115200},
}
BOOT_WINDOW_S = 0.5  # in which opens-at-boot listens
TESTED_SIZE = 256  # bytes of entropy: a self-test asks for so many at least, and a key for fewer


class BenchClock:
    """A clock that the bench sets, without rules: those are core/clock.py's."""

    def __init__(self):
        self.is_set = False

    def set(self, unix_s, source):
        self.is_set = True
        return True


class OpenBench(Bench):
    """`lock` answers as it should, and locks nothing."""

    is_locked = False
    closing = None


class RunningConsole(console.LockedConsole):
    """Has the locked console's face, and runs what is typed."""

    def _command(self, word):
        try:
            exec(word)
        except Exception:
            super()._command(word)


class SlowTime:
    def ticks_ms(self):
        return compat.monotonic_ms() * 4 // 5


# --- what is wrong with a bad one: each takes (router, bench) and returns the bench ---


def stays_open(router, bench):
    """Says that it locks, and does not."""
    return new_bench(OpenBench, router, bench._store)


def opens_at_boot(router, bench):
    """Is locked, unless Ctrl-A comes in the first moments of a start."""
    end = time.ticks_ms() + int(BOOT_WINDOW_S * 1000)
    keys = select.poll()
    keys.register(sys.stdin, select.POLLIN)
    while bench.is_locked and time.ticks_ms() < end:
        if keys.poll(10) and b"\x01" in sys.stdin.buffer.read(1):
            return stays_open(router, bench)
    return bench


def runs_lines(router, bench):
    console.LockedConsole = RunningConsole
    return bench


def no_link(router, bench):
    """No cable in any of its ports."""
    before = router.interfaces
    router.interfaces = lambda: [dict(one, up=False) for one in before()]
    return bench


def stuck_entropy(router, bench):
    """getrandom gives one byte over and over, to whoever asks for much."""
    bench._entropy = lambda size: b"\xa5" * size if size >= TESTED_SIZE else compat.entropy(size)
    return bench


def slow_clock(router, bench):
    """Its second takes 1.25 of ours."""
    sys.modules["time"] = SlowTime()
    return bench


def good(router, bench):
    return bench


FAULTS = {
    "stays-open": stays_open,
    "opens-at-boot": opens_at_boot,
    "runs-lines": runs_lines,
    "no-link": no_link,
    "stuck-entropy": stuck_entropy,
    "slow-clock": slow_clock,
    "": good,
}


def new_bench(kind, router, store):
    return kind(store, BenchClock(), router, BOARD, "0.1.0")


async def serve(state_directory, fault):
    store = Store(FlashFiles(), state_directory + "/store")
    store.open()
    router = SimulatedRouter()
    terminal = Terminal(baud=115200)
    bench = FAULTS[fault](router, new_bench(Bench, router, store))
    served = console.Console(terminal, bench, bench.status, restart, {"restart": restart_soon})
    await served.run()


def restart_soon():
    asyncio.create_task(_restart_later())
    return ["The router restarts."]


async def _restart_later():
    await asyncio.sleep(0.2)
    restart("somebody at the console")


def restart(reason):
    log.info("console", "restarting: %s", reason)
    sys.exit(RESTART)


compat.makedirs(sys.argv[1])
asyncio.run(serve(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
