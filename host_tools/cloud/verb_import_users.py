"""Import customers who have a user name and an e-mail from a CSV file (UTF-8).

The first line names the columns: user_name, email, and where there are any first_name, last_name, country
(two letters). Every fault is reported with its line, and then nobody is imported. Importing a file again
changes nothing. Nobody is written to: a customer who signs in with the user name gets a message that leads
to a new password.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud import console
from host_tools.cloud.accounts import imports
from host_tools.cloud.accounts.imports import Customer, Fault
from host_tools.cloud.clock import system_clock
from host_tools.errors import ToolError

FILE_MAX = 64 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    console.add_arguments(parser)
    parser.add_argument("file", type=Path, metavar="CSV")
    parser.add_argument("--check", action="store_true", help="report, and import nobody")


def run(args: argparse.Namespace) -> int:
    customers, faults = imports.read(read_text(args.file))
    return console.run(partial(_run, args, customers, faults))


def read_text(path: Path) -> str:
    """Raises ToolError."""
    try:
        if path.stat().st_size > FILE_MAX:
            raise ToolError(f"{path} is larger than {FILE_MAX >> 20} MiB", "split it", exit_codes.USAGE)
        return path.read_text("utf-8-sig")
    except OSError as error:
        remedy = "name a file that can be read"
        raise ToolError(f"{path} cannot be read ({error.strerror})", remedy, exit_codes.USAGE) from error
    except UnicodeDecodeError as error:
        raise ToolError(f"{path} is not UTF-8", "save it as UTF-8", exit_codes.USAGE) from error


class _NotImportedError(Exception):
    """Ends the transaction without a commit."""


async def _run(args: argparse.Namespace, customers: list[Customer], faults: list[Fault]) -> int:
    counts: Counter[str] = Counter()

    def tell(_: Customer, what: str) -> None:
        counts[what] += 1

    async with console.opened(args) as database:
        try:
            async with database.write(long=True) as session:
                faults = faults + await imports.apply(session, customers, system_clock(), tell)
                if faults or args.check:
                    raise _NotImportedError
        except _NotImportedError:
            pass
    return report(args.file, counts, faults, args.check)


def report(path: Path, counts: Counter[str], faults: list[Fault], only_checked: bool) -> int:
    for fault in sorted(faults):
        print(f"{path}:{fault.line}: the line {fault.text}", file=sys.stderr)
    if faults:
        print(f"gatelodge: nobody was imported: {len(faults)} lines have a fault", file=sys.stderr)
        return exit_codes.FAILED
    words = ", ".join(f"{counts[what]} {what}" for what in (imports.ADDED, imports.LINKED, imports.UNCHANGED))
    print(f"{words}{' (only checked, nothing was written)' if only_checked else ''}")
    return exit_codes.OK
