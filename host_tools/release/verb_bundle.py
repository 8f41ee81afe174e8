"""Compile the firmware into one bundle, build/gatelodge-<version>.tar."""

import argparse
from pathlib import Path

from host_tools import exit_codes
from host_tools.progress import Progress
from host_tools.release import bundle, places, signing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    sign_with = "the key of `gatelodge release key` (default: this computer's own)"
    parser.add_argument("--sign-with", type=Path, metavar="FILE", help=sign_with)
    parser.add_argument("--json", action="store_true", help="print events for a machine")


def run(args: argparse.Namespace) -> int:
    key = signing.open_key(args.sign_with) if args.sign_with else None
    with Progress(as_json=args.json).job("firmware bundle") as job:
        path = bundle.build(key=key)
        job.detail = f"{path.relative_to(places.ROOT)}, {path.stat().st_size / 1000:.0f} KB"
    return exit_codes.OK
