"""Provision the blank router at a serial port, print its label, and record it for the cloud.

If it is interrupted, run it again: it goes on where it was, with the same service code.
"""

import argparse
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from gatelodge.contract import board as board_contract

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import options
from host_tools.factory.label import terminal_label, write_label
from host_tools.factory.provision import Cloud, provision

NTP_PORT = 123

# option, type, what it is
OPTIONS = (
    ("--port", str, "the serial port, e.g. /dev/ttyUSB0"),
    ("--board", Path, "the board.json of this kind of router: its web.names go into the certificate"),
    ("--cloud-ca", Path, "the certificate (PEM) that routers trust the cloud by"),
    ("--cloud", str, "HOST:PORT where routers phone home"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    for option, kind, text in OPTIONS:
        parser.add_argument(option, type=kind, required=True, help=text)
    parser.add_argument(
        "--server-name", help="the name in the cloud's certificate (default: the host of --cloud)"
    )
    parser.add_argument(
        "--ntp", action="append", default=[], metavar="HOST[:PORT]", help="a time server; may be repeated"
    )
    options.add_factory(parser)
    parser.add_argument("--label", type=Path, metavar="FILE", help="also write the label as SVG")


def run(args: argparse.Namespace) -> int:
    authority, records = options.factory_of(args)
    names, cloud = board_names(args.board), cloud_of(args)
    unit = provision(args.port, authority, names=names, cloud=cloud, records=records, progress=show)
    if args.label:
        write_label(unit, args.label)
    print(terminal_label(unit), flush=True)
    records.forget(unit.serial_number)
    return exit_codes.OK


def show(name: str, detail: str) -> None:
    if detail:
        print(f"  {name:<16} {detail}", flush=True)


def board_names(path: Path) -> list[str]:
    try:
        return board_contract.check(json.loads(path.read_text()))["web"]["names"]
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{path} is no board.json ({error})", "name one of boards/*/board.json", exit_codes.USAGE
        ) from error


def cloud_of(args: argparse.Namespace) -> Cloud:
    host, port = endpoint(args.cloud, "--cloud")
    ntp = [endpoint(text, "--ntp", NTP_PORT) for text in args.ntp]
    return Cloud(read_certificate(args.cloud_ca), host, port, args.server_name or host, ntp)


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
