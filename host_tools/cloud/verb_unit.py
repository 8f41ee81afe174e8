"""Print two units of systemd: one runs `cloud serve` with these options, and nothing that it does not need;
the other holds its ports, so that a restart refuses nobody.

Takes the options of `cloud serve`; --data is a directory right below /var/lib. Keys and secrets come as
encrypted credentials; the unit's first lines say how each is made. Other files are read by its user.
"""

from __future__ import annotations

import argparse
import ipaddress
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.cloud import unit, verb_serve
from host_tools.cloud.sites.kinds import KINDS
from host_tools.cloud.systemd.sockets import Address, address
from host_tools.cloud.unit import MADE_HERE, MADE_LATER, Secret, Unit
from host_tools.errors import ToolError

SECRET_OPTIONS = ("service-code-key", "key", "log-key")
# Of both TOML files.
SECRET_FILES = ("password_file", "token_file", "client_secret_file", "key_file")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}")  # what systemd takes for User= (systemd.exec(5))
CREDENTIAL = re.compile(r"[A-Za-z0-9_@.-]+")
RELATIVE_SQLITE = re.compile(r"sqlite[^:]*:///[^/]")  # an absolute path has a fourth slash
UNSEEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # ProtectHome=, PrivateTmp=
OURS = ("data", "default_of", "output")  # the others are options of the service


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verb_serve.add_arguments(parser)
    text = f"write both there instead, like {unit.UNITS}, and print what is to be done"
    parser.add_argument("--output", type=Path, metavar="DIR", help=text)
    parser.set_defaults(default_of=parser.get_default)


def run(args: argparse.Namespace) -> int:
    asked = made(args)
    for sentence in _unseen(asked):
        print(f"advice: {sentence}", file=sys.stderr)
    files = unit.files(asked)
    if args.output is None:
        print("\n".join(f"# {unit.UNITS / name}\n{text}" for name, text in files.items()), end="")
        return exit_codes.OK
    try:
        for name, text in files.items():
            (args.output / name).write_text(text, "utf-8")
    except OSError as error:
        what = f"{error.filename} cannot be written ({error.strerror})"
        raise ToolError(what, "name a directory that is there, and be root", exit_codes.USAGE) from error
    print("\n".join(unit.steps(asked)))
    return exit_codes.OK


def made(args: argparse.Namespace) -> Unit:
    """Raises ToolError."""
    given = {
        name.replace("_", "-"): _from_anywhere(name, value)
        for name, value in vars(args).items()
        if name not in OURS and value != args.default_of(name)
    }
    options = {name: Secret(value.name, value) for name, value in given.items() if name in SECRET_OPTIONS}
    name = _name(args.data.absolute())
    secrets = (*_made_here(args.data.absolute()), *options.values(), *_of_files(args))
    _check_names(secrets)
    program = unit.word(str(Path(sys.executable).with_name("gatelodge")))
    words = (program, "cloud", "serve", "--data", f"%S/{name}", *unit.option_words(given, options))
    files = tuple(value for key, value in given.items() if isinstance(value, Path) and key not in options)
    return Unit(name, words, secrets, tuple(_addresses(args)), files)


def _addresses(args: argparse.Namespace) -> Iterator[Address]:
    """Where `cloud serve` listens with these options (service.py). Raises ToolError."""
    yield _address("--bind", args.bind, "--port", args.port)
    if args.factory_ca is not None:
        yield _address("--device-bind", args.device_bind, "--device-port", args.device_port)
    for kind in KINDS:
        port = getattr(args, f"{kind.name}_port")
        if port is not None:
            yield _address("--bind", args.bind, f"--{kind.name}-port", port)


def _address(bind: str, host: str, option: str, port: int) -> Address:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        remedy = "name an address of this computer, or 0.0.0.0 for all of them"
        raise ToolError(f"{bind} {host} is no address", remedy, exit_codes.USAGE) from None
    if not 0 < port < 65536:
        raise ToolError(f"{option} {port} is no port", "name one from 1 to 65535", exit_codes.USAGE)
    return address(host, port)


def _unseen(asked: Unit) -> Iterator[str]:
    """One sentence each: what the service needs, and its sandbox hides."""
    for path in asked.files:
        if any(path.is_relative_to(each) for each in UNSEEN):
            yield f"the service sees nothing of {path}: put it elsewhere, below /etc for instance."
    program, real = Path(sys.executable), Path(sys.executable).resolve()
    if any(path.is_relative_to(each) for each in UNSEEN for path in (program, real)):
        yield (
            f"the service sees nothing of {program}: install Gatelodge into a virtual environment below "
            "/opt, of the system's own Python, and print the units with that."
        )


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
    return (Secret(name, data / name) for name in (*MADE_HERE, *MADE_LATER))


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
