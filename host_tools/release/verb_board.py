"""Build a board's image: its kernel, and the initramfs that is its read-only memory."""

import argparse

from host_tools import exit_codes
from host_tools.progress import Progress
from host_tools.release import board_image, places


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="a directory under boards/")
    parser.add_argument("--json", action="store_true", help="print events for a machine")


def run(args: argparse.Namespace) -> int:
    with Progress(as_json=args.json).job("board image") as job:
        image = board_image.build(args.name)
        size = image.initramfs.stat().st_size / 1e6
        job.detail = f"{image.initramfs.relative_to(places.ROOT)}, {size:.1f} MB"
    return exit_codes.OK
