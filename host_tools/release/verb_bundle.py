"""Compile the firmware into one bundle, build/gatelodge-<version>.tar."""

import argparse

from host_tools import exit_codes
from host_tools.progress import Progress
from host_tools.release import bundle, places


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print events for a machine")


def run(args: argparse.Namespace) -> int:
    with Progress(as_json=args.json).job("firmware bundle") as job:
        path = bundle.build()
        job.detail = f"{path.relative_to(places.ROOT)}, {path.stat().st_size / 1000:.0f} KB"
    return exit_codes.OK
