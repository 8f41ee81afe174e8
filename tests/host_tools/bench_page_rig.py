"""The operator's page on loopback, fed by hand: `rig.tell(event)`; what is pressed is in `rig.line.asked`."""

import asyncio
import threading
import time

from aiohttp import web

from host_tools import exit_codes
from host_tools.factory import steps
from host_tools.factory.events import (
    ABORTED,
    ERROR,
    FAIL,
    GO,
    NO_GO,
    PASS,
    PortSeen,
    StepEnded,
    StepProgress,
    StepStarted,
    Totals,
    UnitEnded,
    UnitIdentified,
    UnitStarted,
)
from host_tools.factory.operator.feed import Feed
from host_tools.factory.operator.server import Pages

PLAN = steps.NAMES
MODEL = "Gatelodge Reference (QEMU virt)"


class AskedLine:
    def __init__(self):
        self.asked = []
        self.answer = True

    def start(self, port=None):
        self.asked.append(("start", port))
        return self.answer

    def abort(self, port=None):
        self.asked.append(("abort", port))
        return self.answer


class BenchPageRig:
    def __init__(self):
        self.line = AskedLine()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def tell(self, *told):
        for event in told:
            self.feed.tell(event, time.time())

    def drop_readers(self):
        """Break every stream, as a network does."""
        self.loop.call_soon_threadsafe(self._drop)

    def _drop(self):
        for handler in list(self.runner.server.connections):
            handler.transport.abort()

    async def _serve(self):
        self.loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self.feed = Feed(self.loop)
        hosts = set()
        pages = Pages(self.feed, self.line, hosts)
        self.runner = web.AppRunner(pages.application(), access_log=None, shutdown_timeout=1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        hosts.add(f"127.0.0.1:{self.port}")
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready.set()
        await self._end.wait()
        self.feed.close()
        await self.runner.cleanup()


# --- what a line tells, by hand ---


def seen(port):
    return PortSeen(port, f"/dev/{port}", "FT232R USB UART", "0403:6001", "A50285BI", "1-1.4:1.0")


def begun(port, serial_number=""):
    return [UnitStarted(port, PLAN), UnitIdentified(port, serial_number, MODEL, "0.1.0", "", "blank", False)]


def passed(port, *names):
    told = []
    for name in names:
        told += [StepStarted(port, name, 1, 3, 60), StepEnded(port, name, 1, PASS, "done", "", 0.5)]
    return told


def at_step(port, name, done=None, detail="", attempt=1):
    told = [StepStarted(port, name, attempt, 3, 60)]
    if done is not None:
        told.append(StepProgress(port, name, done, 100, "percent", detail))
    return told


def went_well(port, serial_number):
    told = [*begun(port, serial_number), *passed(port, *PLAN)]
    return [
        *told,
        UnitEnded(port, serial_number, MODEL, GO, "print", PASS, "all 11 steps passed", "", 0, 41.5),
    ]


def went_wrong(port, serial_number):
    why = "self-test: flash write speed is 31 KB/s, 500 or more is right"
    remedy = "set it aside for repair, it is not locked"
    told = [*begun(port, serial_number), *passed(port, *PLAN[:6]), *at_step(port, "self-test")]
    code = exit_codes.SELF_TEST
    return [*told, UnitEnded(port, serial_number, MODEL, NO_GO, "self-test", FAIL, why, remedy, code, 33.0)]


def stopped(port):
    told = [*begun(port), *passed(port, *PLAN[:3]), *at_step(port, "make key")]
    code = exit_codes.INTERRUPTED
    return [
        *told,
        UnitEnded(port, "", MODEL, NO_GO, "make key", ABORTED, "make key: stopped", "", code, 12.0),
    ]


def silent(port):
    why = f"identify: the router at {port} says nothing"
    remedy = "check its power, the cable and that this is its serial port"
    told = [UnitStarted(port, PLAN), *at_step(port, "identify", attempt=3)]
    code = exit_codes.HANDSHAKE
    return [*told, UnitEnded(port, "", "", NO_GO, "identify", ERROR, why, remedy, code, 90.0)]


def eight():
    """Eight ports, each in another state."""
    ports = [f"ttyUSB{number}" for number in range(7)] + ["1-1.4.2:1.0"]
    told = [seen(port) for port in ports]
    told += went_well(ports[1], "GL2648000012") + went_wrong(ports[2], "GL2648000013") + stopped(ports[3])
    told += begun(ports[4], "GL2648000014") + passed(ports[4], "identify")
    told += at_step(ports[4], "flash", 62, "434 of 700 KB, 11.2 KB/s, 24 s left")
    told += begun(ports[5]) + passed(ports[5], *PLAN[:5]) + at_step(ports[5], "write identity", attempt=2)
    told += silent(ports[6]) + went_well(ports[7], "GL2648000011")
    return [*told, Totals(8, 2, 0, 2, 3, 130.0)]
