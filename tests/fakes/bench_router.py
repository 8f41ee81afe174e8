"""A blank router at the bench, made of the real console, bench and store: no web, no cloud, no Linux.

    micropython tests/fakes/bench_router.py STATE_DIRECTORY

Its stdin must be a terminal, and its controlling one. Like the daemon it ends with 64 to be started again.
"""

import asyncio
import sys

from gatelodge import compat, log
from gatelodge.console.bench import Bench
from gatelodge.console.console import Console
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


class BenchClock:
    """A clock that the bench sets, without rules: those are core/clock.py's."""

    def __init__(self):
        self.is_set = False

    def set(self, unix_s, source):
        self.is_set = True
        return True


async def serve(state_directory):
    store = Store(FlashFiles(), state_directory + "/store")
    store.open()
    bench = Bench(store, BenchClock(), SimulatedRouter(), BOARD, "0.1.0")
    console = Console(Terminal(baud=115200), bench, lambda: bench.status(), restart)
    await console.run()


def restart(reason):
    log.info("console", "restarting: %s", reason)
    sys.exit(RESTART)


compat.makedirs(sys.argv[1])
asyncio.run(serve(sys.argv[1]))
