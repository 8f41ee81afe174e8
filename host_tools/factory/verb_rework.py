"""Enter that a finished router is back on the bench, which revokes its certificate.

Reset it to factory state, then provision it: it makes a new key and becomes another unit."""

import argparse

from host_tools import exit_codes
from host_tools.factory import options
from host_tools.factory.revocation import CRL_FILE, rework


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("serial_number", metavar="SERIAL", help="as on its label")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="for the ledger")
    options.add_factory(parser)


def run(args: argparse.Namespace) -> int:
    authority, records = options.factory_of(args)
    serial_number = args.serial_number.strip().upper()
    entry = rework(authority, records, serial_number, args.reason)
    where = f"entry {entry.sequence}, {authority.directory / CRL_FILE}"
    print(f"{serial_number} is back on the bench, and its certificate revoked: {where}")
    return exit_codes.OK
