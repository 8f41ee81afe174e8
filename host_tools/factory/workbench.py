"""Opens what a station's file names: keys, ledger, board, bundle, cloud, labels; checked before a port is.

bench = open_workbench(station)
FactoryLine(bench.means, bench.rows, tell, bench.at_once).run(select(station.ports))
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from gatelodge.contract import board as board_contract

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import label, steps
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.authority_files import Passphrase
from host_tools.factory.factory_line import AT_ONCE
from host_tools.factory.ledger import LEDGER_FILE, Ledger
from host_tools.factory.lost import refuse_an_older_copy
from host_tools.factory.options import this_station
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.station import MOST_AT_ONCE, Station
from host_tools.factory.steps import Row
from host_tools.factory.unit.means import Cloud, Means
from host_tools.flash import bundle_file
from host_tools.release import signing

NTP_PORT = 123
FORMATS = ("svg", "pdf", "png")

PrintLabel = Callable[[UnitRecord], str]


class Workbench(NamedTuple):
    means: Means
    rows: tuple[Row, ...]
    at_once: int


def open_workbench(station: Station, show_label: Callable[[UnitRecord], None] | None = None) -> Workbench:
    """`show_label`: shows a label to the operator, before its unit counts as printed. Raises ToolError."""
    directory = _path(station, "factory.directory")
    board = _path(station, "router.board")
    print_label = _print_label(station, board, show_label)
    authority = FactoryAuthority.load(directory, Passphrase(station.path("factory.passphrase_file")))
    name = station.get("name") or this_station()
    ledger = Ledger(station.path("factory.ledger") or directory / LEDGER_FILE, name)
    records = Records(authority, ledger)
    ledger.check_clock()
    refuse_an_older_copy(records)
    bundle = _bundle(station)
    means = Means(
        authority,
        records,
        board_names(board),
        _cloud(station),
        name,
        bundle,
        station.limits,
        print_label,
    )
    without = [] if bundle else [steps.FLASH, steps.VERIFY]
    without += [] if print_label else [steps.PRINT]
    rows = steps.plan(without, station.changes)
    return Workbench(means, rows, _at_once(station))


# --- parts ---


def board_names(path: Path) -> list[str]:
    try:
        return board_contract.check(json.loads(path.read_text()))["web"]["names"]
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{path} is no board.json ({error})", "name one of boards/*/board.json", exit_codes.USAGE
        ) from error


def _at_once(station: Station) -> int:
    found = station.get("at_once", AT_ONCE)
    if not 1 <= found <= MOST_AT_ONCE:
        raise ToolError(
            f"a bench does not work at {found} units at once", f"write 1 to {MOST_AT_ONCE}", exit_codes.USAGE
        )
    return found


def _bundle(station: Station) -> bundle_file.BundleFile | None:
    path, trust = station.path("router.bundle"), station.path("router.trust")
    if path is None:
        return None
    trusted = signing.read_public(trust) if trust else signing.public_half(signing.developer_key())
    return bundle_file.read(path, trusted)


def _cloud(station: Station) -> Cloud:
    host, port = endpoint(_text(station, "cloud.address"), "cloud.address")
    ntp = [endpoint(text, "cloud.ntp", NTP_PORT) for text in station.get("cloud.ntp", [])]
    server_name = station.get("cloud.server_name") or host
    return Cloud(read_certificate(_path(station, "cloud.ca")), host, port, server_name, ntp)


def read_certificate(path: Path) -> bytes:
    """Return the DER of a PEM certificate. Raises ToolError."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{path} holds no certificate ({error})", "name the cloud's cloud-ca.pem", exit_codes.USAGE
        ) from error


def endpoint(text: str, option: str, default_port: int | None = None) -> tuple[str, int]:
    """Return (host, port) of HOST:PORT, [IPv6]:PORT, or HOST alone where there is a default."""
    host, colon, port = text.rpartition(":")
    if (not colon or text.endswith("]")) and default_port is not None:
        host, port = text, str(default_port)
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ToolError(
            f"{option} {text!r} is not HOST:PORT", "write it as cloud.example:8445", exit_codes.USAGE
        )
    return host.strip("[]"), int(port)


def _print_label(
    station: Station, board: Path, show_label: Callable[[UnitRecord], None] | None
) -> PrintLabel | None:
    """Return what puts a label everywhere that the station says, or None when that is nowhere."""
    template = label.of_board(board)
    places: list[PrintLabel] = []
    directory, one_file = station.path("label.directory"), station.path("label.file")
    if directory is not None or one_file is not None:
        ending = _format(station)

        def write(unit: UnitRecord) -> str:
            path = one_file or (directory or Path()) / f"{unit.serial_number}.{ending}"
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                wrong = f"there is no place for labels at {path.parent} ({error.strerror})"
                raise ToolError(wrong, "name another with --label-dir", exit_codes.PRINTER) from error
            label.write_label(unit, path, template)
            return str(path)

        places.append(write)
    if station.get("label.printer") is not None:
        places.append(lambda unit: label.print_label(unit, template, station.get("label.printer")))
    if show_label is not None:
        places.append(lambda unit: _shown(unit, show_label))
    return (lambda unit: ", ".join(place(unit) for place in places)) if places else None


def _shown(unit: UnitRecord, show_label: Callable[[UnitRecord], None]) -> str:
    show_label(unit)
    return "the screen"


def _format(station: Station) -> str:
    found = station.get("label.format", FORMATS[0])
    if found not in FORMATS:
        raise ToolError(
            f"a label's format is not {found!r}", f"write one of {', '.join(FORMATS)}", exit_codes.USAGE
        )
    return found


def _text(station: Station, name: str) -> str:
    found = station.get(name)
    if not found:
        option, (table, field) = OPTIONS[name], name.split(".")
        remedy = f"add it with {option}, or in the station's file as {field!r} of [{table}]"
        raise ToolError(f"this bench lacks {name}", remedy, exit_codes.USAGE)
    return found


def _path(station: Station, name: str) -> Path:
    _text(station, name)
    return station.directory / station.get(name)


# What a bench cannot do without, and the option of `gatelodge provision` that says it.
OPTIONS = {
    "factory.directory": "--factory-dir",
    "router.board": "--board",
    "cloud.address": "--cloud",
    "cloud.ca": "--cloud-ca",
}
