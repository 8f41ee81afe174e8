"""Create a factory's keys: its certificate authority and the key that it shares with the cloud.

Give the cloud factory-ca.pem, service_code.key and devices.jsonl. Keep factory-ca.key where
nobody reads it: who has it makes routers that every cloud believes.
"""

import argparse
from pathlib import Path

from host_tools import exit_codes
from host_tools.factory.authority import FactoryAuthority


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dir", type=Path, required=True, metavar="DIRECTORY", help="a new directory for the keys"
    )


def run(args: argparse.Namespace) -> int:
    authority = FactoryAuthority.create(args.dir)
    print(f"made a factory in {authority.directory}")
    return exit_codes.OK
