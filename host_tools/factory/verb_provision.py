"""Provision routers at serial ports: flash, identity, self-test, lock, ledger, label; all ports at once.

    gatelodge provision --station bench.toml             everything is in the station's file
    gatelodge provision --port /dev/ttyUSB0 --port ...   these ports
    gatelodge provision --all                            every USB serial port

Options say the same as the station's file, and come before it. If it is interrupted, run it again: each unit
goes on where it was, with the same service code, and one that is finished is left as it is. Each unit's
report is in the factory's directory, reports/<serial number>.json. Exit status: 0 all are GO; else that of
the units that are not (host_tools/README.md), 23 when they differ.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import station
from host_tools.factory.engine import exit_code_of
from host_tools.factory.factory_line import FactoryLine
from host_tools.factory.label import terminal_label
from host_tools.factory.line_show import Plain, show_for
from host_tools.factory.ports import ANY_USB, Port, Rule, select
from host_tools.factory.records import UnitRecord
from host_tools.factory.station import Station
from host_tools.factory.workbench import open_workbench
from host_tools.machine_output import machine_output

# option, its field of the station, type, what it is
OPTIONS: tuple[tuple[str, str, Any, str], ...] = (
    ("--factory-dir", "factory.directory", Path, "the directory that 'gatelodge factory init' made"),
    ("--passphrase-file", "factory.passphrase_file", Path, "its first line opens the authority's key"),
    ("--ledger", "factory.ledger", Path, "the ledger, where several factories share one"),
    ("--board", "router.board", Path, "the board.json of this kind of router, with its label beside it"),
    ("--bundle", "router.bundle", Path, "the firmware that routers get (default: they keep theirs)"),
    ("--trust", "router.trust", Path, "the .pub file of who must have signed the bundle"),
    ("--cloud-ca", "cloud.ca", Path, "the certificate (PEM) that routers trust the cloud by"),
    ("--cloud", "cloud.address", str, "HOST:PORT where routers phone home"),
    ("--server-name", "cloud.server_name", str, "the name in the cloud's certificate (default: the host)"),
    ("--label", "label.file", Path, "also write the label, as SVG, PDF or PNG: for one router"),
    ("--label-dir", "label.directory", Path, "also write each label, as <serial number>.svg"),
    ("--printer", "label.printer", str, "also print each label there ('' is the system's own printer)"),
    ("--at-once", "at_once", int, "how many units are at work at the same time"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = station.__doc__
    add = parser.add_argument
    add("--station", type=Path, metavar="FILE", help="the station's file, as below")
    add(
        "--port",
        action="append",
        default=[],
        metavar="PORT",
        help="a device, a link to it, or a network port",
    )
    add("--all", action="store_true", help="every USB serial port")
    for option, field, kind, text in OPTIONS:
        add(option, dest=field, type=kind, metavar="PATH" if kind is Path else "VALUE", help=text)
    add("--ntp", action="append", metavar="HOST[:PORT]", help="a time server of the routers; may be repeated")
    add("--json", action="store_true", help="print events for a machine (host_tools/factory/events.py)")


def run(args: argparse.Namespace) -> int:
    found = chosen_station(args)
    ports = select(rules(args, found))
    if found.get("label.file") and len(ports) > 1:
        remedy = "name a directory with --label-dir"
        raise ToolError("one file cannot hold the labels of several routers", remedy, exit_codes.USAGE)
    with machine_output(args.json) as out:
        return _provision(args, found, ports, show_for(args.json, out))


def _provision(args: argparse.Namespace, found: Station, ports: Sequence[Port], show: Plain) -> int:
    def show_label(unit: UnitRecord) -> None:
        show.say(terminal_label(unit))

    is_shown = not args.json and found.get("label.terminal", found.get("label.printer") is None)
    bench = open_workbench(found, show_label if is_shown else None)
    if bench.means.print_label is None:
        remedy = "name a place with --label-dir or --printer"
        raise ToolError("the labels would go nowhere, and their codes with them", remedy, exit_codes.USAGE)
    with show:
        line = FactoryLine(bench.means, bench.rows, show.tell, bench.at_once)
        verdicts = line.run(ports)
    return exit_code_of(verdicts)


def chosen_station(args: argparse.Namespace) -> Station:
    """The station's file, with what the command line says in its place."""
    found = station.read(args.station) if args.station else Station(Path(), {})
    return found._replace(settings={**found.settings, **given(vars(args))})


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    settings = {field: arguments[field] for _, field, _, _ in OPTIONS if arguments[field] is not None}
    settings = {
        field: str(value.absolute()) if isinstance(value, Path) else value
        for field, value in settings.items()
    }
    return {**settings, "cloud.ntp": arguments["ntp"]} if arguments["ntp"] else settings


def rules(args: argparse.Namespace, found: Station) -> Sequence[Rule]:
    asked = [Rule(path=port) for port in args.port] + ([ANY_USB] if args.all else [])
    if asked:
        return asked
    if found.ports:
        return found.ports
    remedy = "name them with --port, --all, or [[port]] in the station's file"
    raise ToolError("no port was named", remedy, exit_codes.USAGE)
