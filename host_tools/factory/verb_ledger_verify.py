"""Check the ledger: every entry is the one that was written, and follows the one before it.

    gatelodge ledger verify --factory-dir factory
    gatelodge ledger verify --factory-dir factory --expect head.txt --write-head head.txt

A ledger whose end was cut off, or that was made anew as a whole, is a ledger too. Only its head tells: keep
what this prints where nobody who may write the ledger may write, and let --expect look for it the next time.
"""

import argparse
import json
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import options
from host_tools.factory.chain import Head
from host_tools.factory.files import write_durably
from host_tools.factory.ledger_clock import set_back


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_existing_ledger(parser)
    text = "an earlier head, as this printed it, or the file that holds it"
    parser.add_argument("--expect", metavar="HEAD|FILE", help=text)
    text = "keep the head there when all is well"
    parser.add_argument("--write-head", type=Path, metavar="FILE", help=text)
    parser.add_argument("--json", action="store_true", help="print {count, hash}")


def run(args: argparse.Namespace) -> int:
    ledger = options.existing_ledger_of(args)
    head = ledger.verify(read_head(args.expect) if args.expect else None)
    if args.write_head:
        with options.writing(args.write_head):
            write_durably(args.write_head, f"{head}\n".encode(), 0o644)
    if args.json:
        print(json.dumps(head._asdict()))
    else:
        entries = f"{head.count} entr{'y' if head.count == 1 else 'ies'}"
        holds = ", and holds the head that was expected" if args.expect else ""
        print(f"{ledger.path} is whole: {entries}{holds}\nhead {head}")
        for entry in set_back(ledger.walk()):
            print(f"entry {entry.sequence} is dated before the one that it follows: the clock was set back")
    return exit_codes.OK


def read_head(text: str) -> Head:
    """A head, or the name of a file whose last word it is."""
    try:
        return Head.parse(text if ":" in text else Path(text).read_text().split()[-1])
    except (OSError, ValueError, IndexError) as error:
        remedy = "give what 'gatelodge ledger verify' printed after the word head"
        raise ToolError(f"{text!r} is no head of a ledger", remedy, exit_codes.USAGE) from error
