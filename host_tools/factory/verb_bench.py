"""Serve the operator's page: a tile for each port, what happens there, and what to do next.

    gatelodge bench --station bench.toml                   on this computer: http://127.0.0.1:8090
    gatelodge bench --station bench.toml --listen 192.0.2.7:8090      also for a tablet beside the bench

The station's file and the options are those of 'gatelodge provision'. A board that is connected while the
bench runs is begun with by itself; one that is there already waits for a press (--press: all of them do).
Ctrl-C stops what is being worked on, and waits until each unit is recorded.

Who reaches the address can start and stop boards, and sees serial numbers; no secret is shown. Give the bench
a network of its own before you let it listen on one.
"""

import argparse
import asyncio
import contextlib
import errno
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TextIO

from aiohttp import web

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import verb_provision
from host_tools.factory.events import Event, to_json
from host_tools.factory.factory_line import FactoryLine
from host_tools.factory.operator.feed import Feed
from host_tools.factory.operator.server import Pages
from host_tools.factory.operator.watch import Watch
from host_tools.factory.ports import Rule
from host_tools.factory.workbench import Workbench, endpoint, open_workbench
from host_tools.machine_output import machine_output

LISTEN = "127.0.0.1:8090"
ANY = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHUTDOWN_S = 1.0  # for browsers: they come again by themselves


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verb_provision.add_arguments(parser)
    add = parser.add_argument
    add("--listen", default=LISTEN, metavar="ADDRESS:PORT", help=f"where the page is (default {LISTEN})")
    add("--host", action="append", default=[], metavar="NAME", help="what else browsers call this computer")
    add("--press", action="store_true", help="begin with a board only when its button is pressed")


def run(args: argparse.Namespace) -> int:
    found = verb_provision.chosen_station(args)
    rules = verb_provision.rules(args, found)
    address, port = endpoint(args.listen, "--listen")
    if address in ANY and not args.host:
        remedy = "add --host NAME, as its address bar will have it"
        raise ToolError("the page would not know what browsers call it", remedy, exit_codes.USAGE)
    bench = open_workbench(found)
    if bench.means.print_label is None:
        remedy = "name a place with --label-dir or --printer: a page shows no service code"
        raise ToolError("the labels would go nowhere, and their codes with them", remedy, exit_codes.USAGE)
    try:
        with machine_output(args.json) as out:
            asyncio.run(_serve(args, bench, rules, (address, port), out))
    except socket.gaierror as error:
        remedy = "name an address of this computer with --listen"
        raise ToolError(f"nobody knows the address {address!r}", remedy, exit_codes.USAGE) from error
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
            raise
        remedy = "end what has it, or choose another with --listen"
        raise ToolError(f"the page cannot be at {args.listen}", remedy, exit_codes.PORT_TAKEN) from error
    return exit_codes.OK


async def _serve(
    args: argparse.Namespace, bench: Workbench, rules: Sequence[Rule], at: tuple[str, int], out: TextIO
) -> None:
    address, port = at
    loop = asyncio.get_running_loop()
    feed = Feed(loop)

    def tell(event: Event) -> None:
        now = time.time()
        feed.tell(event, now)
        if args.json:
            with contextlib.suppress(BrokenPipeError):  # who has listened is gone; the page goes on
                print(to_json(event, now), file=out, flush=True)

    line = FactoryLine(bench.means, bench.rows, tell, bench.at_once)
    watch = Watch(rules, line, tell, begins_by_itself=not args.press)
    pages = Pages(feed, watch, names(address, port, args.host))
    runner = web.AppRunner(pages.application(), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        called = args.host[0] if args.host else address
        print(f"The bench is at http://{_bracketed(called)}:{port}", file=sys.stderr, flush=True)
        with _signals(loop) as told_to_stop:
            watching = asyncio.create_task(watch.run(), name="watch of the ports")
            await asyncio.wait({watching, told_to_stop}, return_when=asyncio.FIRST_COMPLETED)
        watch.close()
        watching.cancel()
        (ended,) = await asyncio.gather(watching, return_exceptions=True)
        await asyncio.to_thread(line.stop)
        if isinstance(ended, Exception):  # it never ends by itself: a fault of ours
            raise ended
    finally:
        feed.close()
        await runner.cleanup()


def names(address: str, port: int, others: list[str]) -> frozenset[str]:
    """What a browser's Host may be."""
    own = LOOPBACK if address in LOOPBACK else () if address in ANY else (address,)
    called = {*others, *own}
    found = {f"{_bracketed(name.lower())}:{port}" for name in called}
    return frozenset(found | {name.removesuffix(":80") for name in found})


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop) -> Iterator[asyncio.Future[None]]:
    """A future that is done when somebody wants the bench to end."""
    stop: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not stop.done():
            stop.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
