"""Revoke a router's certificate, and write factory-ca.crl for whoever lets routers in."""

import argparse

from host_tools import exit_codes
from host_tools.factory import options
from host_tools.factory.revocation import CRL_FILE, revoke


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("serial_number", metavar="SERIAL", help="as on its label")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="for the ledger")
    options.add_factory(parser)


def run(args: argparse.Namespace) -> int:
    authority, records = options.factory_of(args)
    serial_number = args.serial_number.strip().upper()
    entry = revoke(authority, records, serial_number, args.reason)
    print(f"{serial_number} is revoked: entry {entry.sequence}, {authority.directory / CRL_FILE}")
    return exit_codes.OK
