"""Start the cloud and a router on this computer, provision the router if it is blank, and stay.

Ctrl-C stops everything that was started here. The next run finds the router's flash and the cloud's
data as they were left. While it is ready, current.json in the run directory tells scripts where all is.
"""

import argparse
import asyncio
import signal
import time
from pathlib import Path

from host_tools import exit_codes
from host_tools.emulator import bench, preflight
from host_tools.emulator.house import House, Options
from host_tools.machine_output import machine_output
from host_tools.progress import Progress

NEXT = """\
Ready after {seconds:.1f} s. Open the admin page and enter the service code to set this
router up, then sign up at the cloud and register it there. Ctrl-C stops everything."""

NEXT_WHEN_BLANK = """\
Ready after {seconds:.1f} s, and the router is blank: speak to it with
  mpremote connect {serial_port}
or provision it in another terminal, then open the admin page:
  gatelodge provision --port {serial_port} --factory-dir {factory_dir} \\
    --board boards/{board}/board.json --cloud-ca {cloud_ca} \\
    --cloud {cloud_for_router} --server-name {cloud_server_name} --ntp {ntp_for_router}
Ctrl-C stops everything."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    boards = f"a directory under boards/ (default {Options.board})"
    add("--board", default=Options.board, metavar="NAME", help=boards)
    add("--run-dir", type=Path, default=Options.run_dir, metavar="DIR", help="what is kept (default .run)")
    add("--fresh", action="store_true", help="start over with a blank router and an empty cloud")
    add("--auto-ports", action="store_true", help="choose free ports, when the directory has none yet")
    add("--port-base", type=int, metavar="N", help="use the ports N, N+1, ...")
    add("--no-network-time", action="store_true", help="let the router find no network time")
    add("--blank", action="store_true", help="leave a blank router blank, for `gatelodge provision`")
    add("--heap-kb", type=int, metavar="N", help="give the board host another heap than its board.json")
    add("--heartbeat", type=int, metavar="SECONDS", help="how often the router reports (default 3)")
    add("--restart-parts", type=float, metavar="SECONDS", help="start a dead part again")
    add("--json", action="store_true", help="print events for a machine")


def run(args: argparse.Namespace) -> int:
    options = Options(
        board=args.board,
        run_dir=args.run_dir,
        fresh=args.fresh,
        auto_ports=args.auto_ports,
        port_base=args.port_base,
        network_time=not args.no_network_time,
        blank=args.blank,
        restart_after_s=args.restart_parts,
        heap_kb=args.heap_kb,
        heartbeat_s=args.heartbeat,
    )
    preflight.check_programs(options.board)
    with machine_output(args.json) as out:
        return asyncio.run(_run(options, Progress(as_json=args.json, out=out)))


async def _run(options: Options, progress: Progress) -> int:
    """Run until a signal stops us, which is how a run ends well, or until a part dies."""
    work = asyncio.ensure_future(_stay(options, progress))

    def stop() -> None:
        # Once: a second Ctrl-C must not interrupt the stopping of what was started.
        if not work.cancelling():
            work.cancel()

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await work
    except asyncio.CancelledError:
        progress.event(event="stopped")
        progress.say("  Stopped. The router's flash and the cloud's data are kept.")
    return exit_codes.OK


async def _stay(options: Options, progress: Progress) -> None:
    started = time.monotonic()
    async with House(options, progress) as house:
        progress.event(event="ready", **house.current())
        if not progress.as_json:
            _welcome(house, progress, time.monotonic() - started)
        await house.watch()


def _welcome(house: House, progress: Progress, seconds: float) -> None:
    """Print the label, the URLs, and what to do next."""
    current = house.current()
    unit = house.run_dir.unit()
    progress.say()
    if unit:
        progress.say(bench.label(unit))
    rows = (
        ("Admin page", current["admin_url"]),
        ("Cloud account", current["cloud_url"]),
        ("Portal", current["portal_url"]),
        ("Help centre", current["help_url"]),
        ("Mail outbox", current["outbox_url"]),
        ("Serial port", current["serial_port"]),
        ("Trust", f"{current['ca_file']} verifies these pages"),
    )
    for name, value in rows:
        progress.say(f"  {progress.bold(f'{name:<14}')} {value}")
    progress.say()
    for line in (NEXT if unit else NEXT_WHEN_BLANK).format(seconds=seconds, **current).splitlines():
        progress.say("  " + line)
