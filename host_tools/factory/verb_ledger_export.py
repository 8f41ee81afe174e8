"""Print the ledger's entries for other programs: JSON lines, or a table (CSV).

    gatelodge ledger export --factory-dir factory --kind unit       for 'gatelodge cloud import-devices'
    gatelodge ledger export --factory-dir factory --since '#120'    what came after entry 120
    gatelodge ledger export --factory-dir factory --since 24h --format csv --out today.csv

JSON lines have all that an entry has. No export holds a secret.
"""

import argparse
import time
from pathlib import Path

from host_tools import exit_codes
from host_tools.factory import options
from host_tools.factory.export import FORMATS, write_out
from host_tools.factory.files import write_pieces_durably
from host_tools.factory.since import Since
from host_tools.factory.story import LINES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_existing_ledger(parser)
    add = parser.add_argument
    add("--since", metavar="WHEN", help="2026-11-27, 2026-11-27T08:30, 24h, 7d, or '#120' for an entry")
    add("--kind", choices=sorted(LINES), help="only entries of this kind")
    add("--format", choices=sorted(FORMATS), default="jsonl", help="default: jsonl")
    add("--out", type=Path, metavar="FILE", help="write there, whole or not at all")


def run(args: argparse.Namespace) -> int:
    ledger, since = options.existing_ledger_of(args), Since.parse(args.since, time.time())
    lines = FORMATS[args.format](entry for entry in ledger.walk(args.kind) if since.covers(entry))
    if args.out:
        with options.writing(args.out):
            write_pieces_durably(args.out, (line.encode() for line in lines), 0o644)
    else:
        write_out(lines)
    return exit_codes.OK
