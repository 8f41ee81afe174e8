"""Print what became of a router: its runs with every step and measurement, its certificate, its returns."""

import argparse

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import options
from host_tools.factory.export import json_line, write_out
from host_tools.factory.story import story


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("serial_number", metavar="SERIAL", help="as on its label")
    options.add_existing_ledger(parser)
    parser.add_argument("--json", action="store_true", help="print its entries, one JSON object a line")


def run(args: argparse.Namespace) -> int:
    ledger, serial_number = options.existing_ledger_of(args), args.serial_number.strip().upper()
    entries = ledger.entries(serial_number=serial_number)
    if not entries:
        wrong = f"no router {serial_number!r} is in {ledger.path}"
        raise ToolError(wrong, "check the label", exit_codes.LEDGER)
    lines = map(json_line, entries) if args.json else story(entries)
    write_out(line + "\n" for line in lines)
    return exit_codes.OK
