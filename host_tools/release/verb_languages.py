"""Bring the catalogues of the router's pages and of the cloud up to the code: new sentences come in empty,
old ones go.
"""

import argparse
from types import ModuleType

from host_tools import exit_codes
from host_tools.cloud.languages import sources
from host_tools.progress import Progress
from host_tools.release import catalogues

SIDES = {"router": catalogues, "cloud": sources}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a fault")


def run(args: argparse.Namespace) -> int:
    found = []
    for name, side in SIDES.items():
        found += _bring_up(name, side, change=not args.check)
    return exit_codes.FAILED if found and args.check else exit_codes.OK


def _bring_up(name: str, side: ModuleType, *, change: bool) -> list[str]:
    """Return what is wrong with the catalogues of a side, which is printed."""
    found: list[str] = []
    with Progress().job(f"languages of the {name}") as job:
        for tag in side.TAGS:
            if change:
                side.update(tag)
            found += side.faults(tag)
        job.detail = f"{len(side.keys())} sentences, {len(side.TAGS)} languages, {len(found)} faults"
    for fault in found:
        print(f"{name}: {fault}")
    return found
