"""Fetch MicroPython for this computer, and print where it is."""

import argparse

from host_tools import exit_codes
from host_tools.progress import Progress
from host_tools.release import micropython, places


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--print", action="store_true", dest="only_path", help="print the path alone")


def run(args: argparse.Namespace) -> int:
    if args.only_path:
        print(micropython.build())
        return exit_codes.OK
    with Progress().job("micropython") as job:
        job.detail = str(micropython.build().relative_to(places.ROOT))
    return exit_codes.OK
