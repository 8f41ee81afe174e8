"""Make the file of `cloud serve --breached-passwords` from the download of Have I Been Pwned.

Takes text files of `SHA1:count` lines, each ordered by hash, and writes five bytes for each password.
The file is written whole or not at all; a cloud that runs has the old one until it starts again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud.breached import making
from host_tools.progress import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", type=Path, nargs="+", metavar="FILE", help="sorted lines of a SHA-1, a colon and a count")
    add("--output", type=Path, required=True, metavar="FILE", help="the file to be written")
    text = "leave out passwords that were seen less often (default 1)"
    add("--at-least", type=times, default=1, metavar="TIMES", help=text)


def times(text: str) -> int:
    """Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def run(args: argparse.Namespace) -> int:
    progress = Progress()
    with progress.job("breached passwords") as job:
        count = making.make(args.files, args.output, args.at_least, lambda so_far: job.update(f"{so_far:,}"))
        size = args.output.stat().st_size
        job.detail = f"{count:,} passwords, {size:,} bytes"
    return exit_codes.OK
