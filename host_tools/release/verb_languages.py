"""Bring the catalogues of the router's pages up to the code: new sentences come in empty, old ones go."""

import argparse

from host_tools import exit_codes
from host_tools.progress import Progress
from host_tools.release import catalogues


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; fail on a fault")


def run(args: argparse.Namespace) -> int:
    found = []
    with Progress().job("languages") as job:
        for tag in catalogues.TAGS:
            if not args.check:
                catalogues.update(tag)
            found += catalogues.faults(tag)
        sentences, tags = len(catalogues.keys()), len(catalogues.TAGS)
        job.detail = f"{sentences} sentences, {tags} languages, {len(found)} faults"
    for fault in found:
        print(fault)
    return exit_codes.FAILED if found and args.check else exit_codes.OK
