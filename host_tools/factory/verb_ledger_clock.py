"""Enter that this computer's clock is right, where the ledger's newest entry is of a later time.

A bench writes nothing that is dated before the newest entry: first set the clock. Where it was ahead before,
and is right now, this says so, and the benches go on.
"""

import argparse

from host_tools import exit_codes
from host_tools.factory import options
from host_tools.factory.ledger_clock import CLOCK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_existing_ledger(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="for the ledger")


def run(args: argparse.Namespace) -> int:
    entry = options.existing_ledger_of(args, options.this_station()).append(CLOCK, reason=args.reason)
    print(f"entry {entry.sequence} says that the clock is right")
    return exit_codes.OK
