"""Print a unit of systemd that runs `cloud serve` with these options, and nothing that it does not need.

Takes the options of `cloud serve`; --data is a directory right below /var/lib. Keys and secrets come as
encrypted credentials; the unit's first lines say how each is made. Other files are read by its user.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.cloud import unit, verb_serve
from host_tools.cloud.unit import MADE_HERE, Secret, Unit
from host_tools.errors import ToolError

SECRET_OPTIONS = ("service-code-key", "key", "log-key")
# Of both TOML files.
SECRET_FILES = ("password_file", "token_file", "client_secret_file", "key_file")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}")  # what systemd takes for User= (systemd.exec(5))
CREDENTIAL = re.compile(r"[A-Za-z0-9_@.-]+")
RELATIVE_SQLITE = re.compile(r"sqlite[^:]*:///[^/]")  # an absolute path has a fourth slash
PORTS = ("port", "device_port", "help_port", "portal_port")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verb_serve.add_arguments(parser)
    parser.set_defaults(default_of=parser.get_default)


def run(args: argparse.Namespace) -> int:
    print(unit.text(made(args)), end="")
    return exit_codes.OK


def made(args: argparse.Namespace) -> Unit:
    """Raises ToolError."""
    given = {
        name.replace("_", "-"): _from_anywhere(name, value)
        for name, value in vars(args).items()
        if name not in ("data", "default_of") and value != args.default_of(name)
    }
    options = {name: Secret(value.name, value) for name, value in given.items() if name in SECRET_OPTIONS}
    name = _name(args.data.absolute())
    secrets = (*_made_here(args.data.absolute()), *options.values(), *_of_files(args))
    _check_names(secrets)
    program = unit.word(str(Path(sys.executable).with_name("gatelodge")))
    words = (program, "cloud", "serve", "--data", f"%S/{name}", *unit.option_words(given, options))
    ports = tuple(getattr(args, port) or 0 for port in PORTS)
    return Unit(name, words, secrets, ports)


def _from_anywhere(name: str, value: Any) -> Any:
    """Without the directory of here: the service's own is "/". Raises ToolError."""
    if isinstance(value, Path) or (name == "breached_passwords" and "://" not in str(value)):
        return Path(str(value)).absolute()
    if name == "database" and RELATIVE_SQLITE.match(str(value)):
        remedy = "write the whole path, with four slashes: sqlite+aiosqlite:////PATH"
        raise ToolError("--database names a file from here, not from /", remedy, exit_codes.USAGE)
    return value


def _name(data: Path) -> str:
    if data.parent != unit.STATE or not USER.fullmatch(data.name):
        remedy = f"name one right below {unit.STATE}, like {unit.STATE}/gatelodge-cloud"
        raise ToolError(f"{data} is no state directory of a service", remedy, exit_codes.USAGE)
    return data.name


def _made_here(data: Path) -> Iterator[Secret]:
    return (Secret(name, data / name) for name in MADE_HERE)


def _of_files(args: argparse.Namespace) -> Iterator[Secret]:
    """The secrets that --delivery and --outside name: a credential of the same name goes before the file."""
    for path in filter(None, (args.delivery, args.outside)):
        try:
            sections = tomllib.loads(path.read_text("utf-8")).values()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ToolError(f"{path} cannot be read", "write it in TOML", exit_codes.USAGE) from error
        for file in _named(sections):
            yield Secret(Path(file).name, path.absolute().parent / file)


def _named(tables: Iterable[Any]) -> Iterator[str]:
    """What the keys of SECRET_FILES name, in tables and in those within them."""
    for table in tables:
        if isinstance(table, dict):
            yield from (str(table[key]) for key in SECRET_FILES if key in table)
            yield from _named(table.values())


def _check_names(secrets: tuple[Secret, ...]) -> None:
    """Each is known by its file's name alone."""
    seen: dict[str, Path] = {}
    for name, path in secrets:
        if seen.setdefault(name, path) != path:
            what = f"{seen[name]} and {path} have one name"
            raise ToolError(what, "give one another name", exit_codes.USAGE)
        if not CREDENTIAL.fullmatch(name) or not str(path).isprintable():
            raise ToolError(
                f"{str(path)!r} is no name of a credential", "give it a plain name", exit_codes.USAGE
            )
