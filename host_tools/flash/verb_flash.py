"""Flash a router at a serial port: send it a signed bundle, have it installed in the slot that does not run.

    gatelodge flash --port /dev/ttyUSB0                     what this source tree is, built if need be
    gatelodge flash --port rfc2217://bench:4000 gatelodge-0.1.0.tar
    gatelodge flash --port /dev/ttyACM0 --to /main.py FILE  any file, to any board with MicroPython 1.23

If it is interrupted, by a cable or by you, run it again: it goes on from the last good block. Exit status: 0
the board proved that it holds the file (and runs the firmware), 20 the port, 21 nobody answered, 22 the board
refuses, 25 the line carries nothing whole, 26 a wrong signature or a wrong file.
"""

import argparse
import time
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.flash import bundle_file
from host_tools.flash.firmware import STEPS, Flashing
from host_tools.flash.session import Board, meet, send_file
from host_tools.flash.show import Show
from host_tools.machine_output import machine_output
from host_tools.progress import Progress
from host_tools.release import bundle, signing
from host_tools.serial_port import BenchLine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    bundles = "a gatelodge-*.tar (default: this source tree's)"
    add("file", nargs="?", type=Path, metavar="BUNDLE", help=bundles)
    port = "a device such as /dev/ttyUSB0, rfc2217://HOST:PORT or socket://HOST:PORT"
    add("--port", required=True, help=port)
    add("--baud", type=baud, metavar="N", help="go on at this speed after the handshake, where the board can")
    add("--to", metavar="PATH", help="send FILE to this path of any board with MicroPython, unsigned")
    trust = "whose bundles are sent: a .pub file of `gatelodge release key` (default: this computer's)"
    add("--trust", type=Path, metavar="FILE", help=trust)
    add("--json", action="store_true", help="print events for a machine")


def baud(text: str) -> int:
    """Bits per second. Raises ValueError for what no line has."""
    number = int(text)
    if not 300 <= number <= 10_000_000:
        raise ValueError
    return number


def run(args: argparse.Namespace) -> int:
    with machine_output(args.json) as out:
        return _run(args, Progress(as_json=args.json, out=out))


def _run(args: argparse.Namespace, progress: Progress) -> int:
    try:
        _send_file(args, progress) if args.to else _flash(args, progress)
    except ToolError as error:
        progress.event(event="end", outcome="failed", exit_code=error.exit_code, error=str(error))
        raise
    progress.event(event="end", outcome="done", exit_code=exit_codes.OK)
    return exit_codes.OK


def _flash(args: argparse.Namespace, progress: Progress) -> None:
    with progress.job("bundle") as job:
        trusted = signing.read_public(args.trust) if args.trust else None
        path = args.file or bundle.build()
        found = bundle_file.read(path, trusted or signing.public_half(signing.developer_key()))
        job.detail = f"{path.name}, {len(found.content) / 1000:.0f} KB, signature and contents are right"
    with BenchLine(args.port) as line:
        flashing = Flashing(line, found)
        for step in STEPS:
            with progress.job(step.name) as job:
                flashing.told = Show(job).show
                job.detail = step.run(flashing)
            if step.name == "identify":
                assert flashing.board is not None  # the step's own doing
                flashing.speed = speed(args.baud, line, flashing.board, progress)


def _send_file(args: argparse.Namespace, progress: Progress) -> None:
    if not args.file:
        raise ToolError("--to needs a file to send", "name it last", exit_codes.USAGE)
    try:
        content = args.file.read_bytes()
    except OSError as error:
        raise ToolError(f"{args.file} cannot be read", "name another file", exit_codes.USAGE) from error
    with BenchLine(args.port) as line:
        with progress.job("identify") as job:
            board = meet(line)
            job.detail = f"MicroPython for {board.platform}"
        fast = speed(args.baud, line, board, progress)
        with progress.job("send") as job:
            show = Show(job)
            sent = send_file(line, board, args.to, content, speed=fast, told=show.show)
            job.detail = f"{show.outcome(sent, time.monotonic())}, {args.to} is proved"


def speed(asked: int | None, line: BenchLine, board: Board, progress: Progress) -> int | None:
    """Return the speed to change to; None, and why, where that would change nothing."""
    if asked is None:
        return None
    if not line.has_speed:
        reason = f"{line.port} is no line with a speed of its own, and carries what both ends can"
    elif not board.can_change_speed:
        reason = "this board's REPL stays at the speed that it has"
    else:
        return asked
    progress.say(f"  - --baud {asked} changes nothing: {reason}")
    progress.event(event="speed", changed=False, asked=asked, reason=reason)
    return None
