"""Create a factory's keys: its certificate authority and the key that it shares with the cloud.

    gatelodge factory init --dir factory                            asks for a passphrase
    gatelodge factory init --dir factory --passphrase-file FILE     or GATELODGE_FACTORY_PASSPHRASE
    gatelodge factory init --dir factory --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --pkcs11-token LABEL

Give the cloud factory-ca.pem, service_code.key and devices.jsonl. Keep the authority's key where nobody
reads it: who has it makes routers that every cloud believes. On a token it has no file at all; the
passphrase is then the token's PIN.
"""

import argparse
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.authority_files import Passphrase
from host_tools.factory.records import Records
from host_tools.factory.revocation import write_list
from host_tools.factory.token_key import KEY_LABEL, Place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--dir", type=Path, required=True, metavar="DIRECTORY", help="a new directory for the keys")
    add("--passphrase-file", type=Path, metavar="FILE", help="its first line encrypts the authority's key")
    add("--no-passphrase", action="store_true", help="leave the key open: for development only")
    add("--pkcs11-module", metavar="FILE", help="the library of the token that shall make and keep the key")
    add("--pkcs11-token", metavar="LABEL", help="which token")
    add(
        "--pkcs11-key", default=KEY_LABEL, metavar="LABEL", help=f"the key's name there (default {KEY_LABEL})"
    )


def run(args: argparse.Namespace) -> int:
    token = token_of(args)
    passphrase = Passphrase(args.passphrase_file)
    given: bytes | None = None
    if token:
        given = passphrase.get(f"the token {token.token} (its PIN)")
    elif not args.no_passphrase:
        given = passphrase.get_new(f"the new factory in {args.dir}")
    authority = FactoryAuthority.create(args.dir, given, token)
    write_list(authority, Records(authority))  # empty, as is the ledger that it makes
    print(f"made a factory in {authority.directory}")
    return exit_codes.OK


def token_of(args: argparse.Namespace) -> Place | None:
    if bool(args.pkcs11_module) != bool(args.pkcs11_token):
        remedy = "name both, or neither"
        raise ToolError("--pkcs11-module and --pkcs11-token belong together", remedy, exit_codes.USAGE)
    if args.pkcs11_module and args.no_passphrase:
        remedy = "leave --no-passphrase out"
        raise ToolError("a token has a PIN", remedy, exit_codes.USAGE)
    return Place(args.pkcs11_module, args.pkcs11_token, args.pkcs11_key) if args.pkcs11_module else None
