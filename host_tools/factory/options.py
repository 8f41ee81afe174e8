"""Options that several verbs of the factory share, and what they open."""

import argparse
import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.authority_files import Passphrase
from host_tools.factory.ledger import LEDGER_FILE, Ledger
from host_tools.factory.records import Records


def add_factory(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Where the keys are, and what opens them."""
    text = "the directory that 'gatelodge factory init' made"
    parser.add_argument("--factory-dir", type=Path, required=required, metavar="DIRECTORY", help=text)
    text = "its first line opens the authority's key (default: the environment, or the terminal)"
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help=text)
    add_ledger_path(parser)


def add_ledger_path(parser: argparse.ArgumentParser) -> None:
    text = "the ledger, where several factories share one (default: ledger.db in the factory's directory)"
    parser.add_argument("--ledger", type=Path, metavar="FILE", help=text)


def add_existing_ledger(parser: argparse.ArgumentParser) -> None:
    """For verbs that read the ledger, and need no key."""
    text = "the directory that 'gatelodge factory init' made"
    parser.add_argument("--factory-dir", type=Path, metavar="DIRECTORY", help=text)
    add_ledger_path(parser)


def existing_ledger_of(args: argparse.Namespace, station: str = "") -> Ledger:
    if args.ledger is None and args.factory_dir is None:
        raise ToolError("no ledger is named", "name it with --ledger or --factory-dir", exit_codes.USAGE)
    return Ledger.existing(args.ledger or args.factory_dir / LEDGER_FILE, station)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """A block that writes a file which the command line has named."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise  # the command line's own sentence says what to do
        wrong = f"{path} cannot be written ({error.strerror})"
        raise ToolError(wrong, "name another file", exit_codes.USAGE) from error


def factory_of(args: argparse.Namespace, station: str = "") -> tuple[FactoryAuthority, Records]:
    authority = FactoryAuthority.load(args.factory_dir, Passphrase(args.passphrase_file))
    path = args.ledger or authority.directory / LEDGER_FILE
    return authority, Records(authority, Ledger(path, station or this_station()))


def this_station() -> str:
    """The computer's name: a bench that was given none."""
    return socket.gethostname()
