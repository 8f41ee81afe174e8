"""List the serial ports of this computer, as `gatelodge provision` and a station's [[port]] name them."""

import argparse
import json

from host_tools import exit_codes
from host_tools.factory.ports import Port, seen

COLUMNS = (
    ("DEVICE", "device"),
    ("USB", "usb"),
    ("SERIAL NUMBER", "usb_serial_number"),
    ("SOCKET", "topology"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one object for each port")


def run(args: argparse.Namespace) -> int:
    ports = seen()
    if args.json:
        for port in ports:
            print(json.dumps(port._asdict(), sort_keys=True))
    else:
        print("\n".join(table(ports)) if ports else "there is no serial port: plug an adapter in")
    return exit_codes.OK


def table(ports: list[Port]) -> list[str]:
    """Aligned lines under a head."""
    rows = [[head for head, _ in COLUMNS] + ["WHAT IT IS"]]
    rows += [[getattr(port, field) or "-" for _, field in COLUMNS] + [port.description] for port in ports]
    widths = [max(len(row[at]) for row in rows) for at in range(len(COLUMNS))]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]
