"""Build a board's image: its kernel, and the initramfs that is its read-only memory."""

import argparse
from pathlib import Path

from host_tools import exit_codes
from host_tools.progress import Progress
from host_tools.release import board_image, places, signing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="a directory under boards/")
    trust = "whose firmware it takes: a .pub file of `gatelodge release key` (default: this computer's)"
    parser.add_argument("--trust", type=Path, metavar="FILE", help=trust)
    parser.add_argument("--json", action="store_true", help="print events for a machine")


def run(args: argparse.Namespace) -> int:
    trusted = signing.read_public(args.trust) if args.trust else None
    with Progress(as_json=args.json).job("board image") as job:
        image = board_image.build(args.name, release_key=trusted)
        size = image.initramfs.stat().st_size / 1e6
        job.detail = f"{image.initramfs.relative_to(places.ROOT)}, {size:.1f} MB"
    return exit_codes.OK
