"""A station's file, bench.toml: what a bench is, read once and checked whole. Its paths are beside the file.

name = "bench 1"                    # in reports and ledger; default: this computer's name
at_once = 16                        # units at work at the same time

[factory]
directory = "factory"               # of 'gatelodge factory init'
passphrase_file = "passphrase"      # default: the environment, or the terminal
ledger = "/srv/ledger.db"           # default: the one in the directory

[router]
board = "boards/x/board.json"
bundle = "gatelodge-0.1.0.tar"      # default: routers keep the firmware that they have
trust = "release.pub"               # who must have signed it; default: this computer's developer key

[cloud]
address = "cloud.example:8445"
ca = "cloud-ca.pem"
server_name = "cloud.example"       # default: the address's host
ntp = ["ntp.example", "192.0.2.1:123"]

[label]
directory = "labels"                # a file for each unit: <serial number>.svg
format = "svg"                      # or pdf, png
printer = "labels"                  # a name that `lpstat -p` knows; "" is the system's default
terminal = false                    # also show it in the terminal

[[port]]                            # which ports; default: what the command line says
usb = "0403:6001"                   # all that is given must fit
serial_number = "A50285BI"
topology = "1-1.4"
path = "/dev/ttyUSB*"
name = "left"

[limits."flash write speed"]        # of the self-test, narrower than the router's own
lowest = 500
highest = 100000

[steps."self-test"]
attempts = 1
deadline_s = 60
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import steps
from host_tools.factory.limits import Limit
from host_tools.factory.ports import Rule

MOST_AT_ONCE = 64
TEXT, TEXTS = "a text that can be printed", "a list of texts that can be printed"
FLAG, NUMBER, COUNT = "true or false", "a number", "a count from 1"

# table -> field -> kind. A table of tables, whose keys are free, is a row of NAMED.
TABLES: dict[str, dict[str, str]] = {
    "": {"name": TEXT, "at_once": COUNT},
    "factory": {"directory": TEXT, "passphrase_file": TEXT, "ledger": TEXT},
    "router": {"board": TEXT, "bundle": TEXT, "trust": TEXT},
    "cloud": {"address": TEXT, "ca": TEXT, "server_name": TEXT, "ntp": TEXTS},
    "label": {"directory": TEXT, "file": TEXT, "format": TEXT, "printer": TEXT, "terminal": FLAG},
}
NAMED: dict[str, dict[str, str]] = {
    "limits": {"lowest": NUMBER, "highest": NUMBER},
    "steps": {"attempts": COUNT, "deadline_s": NUMBER},
}
PORT = dict.fromkeys(Rule._fields, TEXT)


class Station(NamedTuple):
    """As its file has it. `settings`: the fields of TABLES, by "table.field"."""

    directory: Path
    settings: Mapping[str, Any]
    ports: tuple[Rule, ...] = ()
    limits: Mapping[str, Limit] = {}
    changes: Mapping[str, steps.Change] = {}

    def get(self, name: str, default: Any = None) -> Any:
        return self.settings.get(name, default)

    def path(self, name: str) -> Path | None:
        """A path of the file, which is beside it unless it is absolute."""
        text = self.settings.get(name)
        return self.directory / text if text else None


def read(path: Path) -> Station:
    """Raises ToolError, which names what is wrong and where."""
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeError) as error:
        raise _wrong(path, f"it cannot be read ({error})") from error


def parse(text: str, path: Path) -> Station:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, str(error)) from error
    tables = {name: found.pop(name) for name in (*NAMED, "port") if name in found}
    settings = _settings(found, path)
    return Station(
        path.parent,
        settings,
        tuple(Rule(**_fields(row, PORT, "[[port]]", path)) for row in _rows(tables, path)),
        {name: Limit(**row) for name, row in _named(tables, "limits", path).items()},
        _changes(_named(tables, "steps", path), path),
    )


def _settings(found: dict[str, Any], path: Path) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for table in TABLES:
        if not table:
            continue
        rows = _fields(found.pop(table, {}), TABLES[table], f"[{table}]", path)
        settings.update((f"{table}.{name}", value) for name, value in rows.items())
    settings.update(_fields(found, TABLES[""], "the file", path))
    return settings


def _rows(tables: dict[str, Any], path: Path) -> list[Any]:
    rows = tables.get("port", [])
    if not isinstance(rows, list):
        raise _wrong(path, "write [[port]], one for each rule")
    return rows


def _named(tables: dict[str, Any], table: str, path: Path) -> dict[str, dict[str, Any]]:
    rows = tables.get(table, {})
    if not isinstance(rows, dict):
        raise _wrong(path, f"[{table}] is no table")
    return {name: _fields(row, NAMED[table], f'[{table}."{name}"]', path) for name, row in rows.items()}


def _changes(rows: dict[str, dict[str, Any]], path: Path) -> dict[str, steps.Change]:
    unknown = [name for name in rows if name not in steps.NAMES]
    if unknown:
        raise _wrong(path, f"there is no step {unknown[0]!r}, only {', '.join(steps.NAMES)}")
    return {name: steps.Change(**row) for name, row in rows.items()}


def _fields(row: Any, kinds: Mapping[str, str], place: str, path: Path) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise _wrong(path, f"{place} is no table")
    for name, value in row.items():
        if name not in kinds:
            raise _wrong(path, f"{place} has no {name!r}, only {', '.join(kinds)}")
        if not _is(kinds[name], value):
            raise _wrong(path, f"{name!r} of {place} is not {kinds[name]}")
    return row


def _is(kind: str, value: Any) -> bool:
    if kind == FLAG:
        return isinstance(value, bool)
    if kind == TEXT:
        return isinstance(value, str) and value.isprintable()  # no NUL for a path, nothing for a terminal
    if kind == TEXTS:
        return isinstance(value, list) and all(_is(TEXT, one) for one in value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    return is_number and (kind == NUMBER or (isinstance(value, int) and value >= 1))


def _wrong(path: Path, reason: str) -> ToolError:
    remedy = "see 'gatelodge provision --help' for what a station's file has"
    return ToolError(f"{path}: {reason}", remedy, exit_codes.USAGE)
