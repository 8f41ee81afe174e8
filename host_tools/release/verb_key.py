"""Make a release key: FILE, encrypted by a passphrase, and FILE.pub, its public half.

    gatelodge release key keys/release.key
    gatelodge bundle build --sign-with keys/release.key
    gatelodge board build NAME --trust keys/release.key.pub

Boards whose image trusts FILE.pub install what FILE has signed, and nothing else. Whoever loses FILE cannot
give those boards new firmware; whoever else has it and its passphrase can.
"""

import argparse
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import signing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="where the key is written")


def run(args: argparse.Namespace) -> int:
    passphrase = signing.ask_passphrase("New passphrase: ")
    if signing.ask_passphrase("The same again: ") != passphrase:
        raise ToolError("the two passphrases differ", "type the same one twice", exit_codes.USAGE)
    public_key = signing.create(args.file, passphrase)
    print(f"made {args.file}, and {signing.public_path(args.file)}: {public_key[2:18]}...")
    return exit_codes.OK
