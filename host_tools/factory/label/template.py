"""What is particular to a board's label: `boards/<name>/label.toml`, one row of ROWS for each of its fields.

    address = "https://gatelodge.lan"       # what an owner types into a browser
    media = "62x29"                         # one of media.py, or a roll of WIDTHxHEIGHT in mm
    dpi = 300                               # dots per inch of the printer
    fields = ["mac", "address", "fingerprint"]

The model, the serial number, the service code and its QR code are on every label.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError

TEMPLATE_FILE = "label.toml"
FIELDS = ("mac", "address", "fingerprint")
DPI_RANGE = (150, 1200)  # below, the dots of a QR code run into each other; above, there is no printer


class Template(NamedTuple):
    address: str = ""
    media: str = "62x29"  # a bench prints label by label, as its boards get ready: on a roll
    dpi: int = 300
    fields: tuple[str, ...] = FIELDS


PLAIN = Template()


def of_board(board_file: Path) -> Template:
    """Return the template beside a board.json; PLAIN where there is none. Raises ToolError on a wrong one."""
    path = board_file.with_name(TEMPLATE_FILE)
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return PLAIN
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} cannot be read ({error})", "write it as TOML", exit_codes.USAGE) from error
    return checked(path, PLAIN, **fields)


def checked(source: object, base: Template, **fields: Any) -> Template:
    """Return the base with these fields instead. Raises ToolError, which names the source."""
    for name, value in fields.items():
        if name not in CHECKS:
            remedy = f"choose from {', '.join(CHECKS)}"
            raise ToolError(f"{source} has no field {name!r}", remedy, exit_codes.USAGE)
        is_right, remedy = CHECKS[name]
        if not is_right(value):
            raise ToolError(f"{source} has a wrong {name}", remedy, exit_codes.USAGE)
    if "fields" in fields:
        fields["fields"] = tuple(fields["fields"])
    return base._replace(**fields)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64 and value.isprintable()


def _is_dpi(value: object) -> bool:
    return type(value) is int and DPI_RANGE[0] <= value <= DPI_RANGE[1]


def _are_fields(value: object) -> bool:
    return isinstance(value, list) and all(name in FIELDS for name in value)


# field: how it is checked, what to do when it is wrong
CHECKS = {
    "address": (_is_text, "write one of at most 64 characters, such as https://gatelodge.lan"),
    "media": (_is_text, "name one that 'gatelodge label --media list' knows"),
    "dpi": (_is_dpi, "write a whole number from {} to {}".format(*DPI_RANGE)),
    "fields": (_are_fields, f"list any of {', '.join(FIELDS)}"),
}
