"""What labels are printed on: sheets of A4 with a grid of them, and rolls with one after the other.

A grid stands in the middle of its sheet, as the makers of label sheets have it: its margins follow from
the rest. Lengths are in mm.
"""

import re
from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError

A4 = (210.0, 297.0)
ROLL_RANGE_MM = (10.0, 300.0)


class Medium(NamedTuple):
    name: str
    width: float  # of one label
    height: float
    columns: int = 1
    rows: int = 1
    gap: float = 0.0  # between columns; rows touch each other
    what: str = ""

    @property
    def is_sheet(self) -> bool:
        return self.columns * self.rows > 1

    @property
    def page(self) -> tuple[float, float]:
        return A4 if self.is_sheet else (self.width, self.height)

    @property
    def capacity(self) -> int:
        """How many labels a page has."""
        return self.columns * self.rows

    @property
    def alone(self) -> "Medium":
        """One label that is a page of its own."""
        return self._replace(columns=1, rows=1)

    def corner(self, place: int) -> tuple[float, float]:
        """The upper left corner of the label at this place: 0 is the first, they go row by row."""
        row, column = divmod(place, self.columns)
        width, height = self.page
        left = (width - self.columns * self.width - (self.columns - 1) * self.gap) / 2
        top = (height - self.rows * self.height) / 2
        return left + column * (self.width + self.gap), top + row * self.height


MEDIA = (
    Medium("a4-63x38", 63.5, 38.1, 3, 7, 2.5, "21 on a sheet, as L7160"),
    Medium("a4-63x30", 63.5, 29.6, 3, 9, 2.5, "27 on a sheet, as the silver film L6011"),
    Medium("a4-70x42", 70.0, 42.3, 3, 7, 0.0, "21 on a sheet, edge to edge, as 3652"),
    Medium("a4-99x38", 99.1, 38.1, 2, 7, 2.5, "14 on a sheet, as L7163"),
    Medium("a4-99x57", 99.1, 57.0, 2, 5, 2.5, "10 on a sheet, as L7173"),
    Medium("a4-99x68", 99.1, 67.7, 2, 4, 2.5, "8 on a sheet, as L7165"),
    Medium("51x25", 51.0, 25.0, what="roll, 2 by 1 inch"),
    Medium("57x32", 57.0, 32.0, what="roll"),
    Medium("62x29", 62.0, 29.0, what="roll"),
    Medium("76x51", 76.0, 51.0, what="roll, 3 by 2 inch"),
    Medium("100x50", 100.0, 50.0, what="roll"),
    Medium("54x101", 54.0, 101.0, what="roll, upright"),
)


def find(name: str) -> Medium:
    """Return the medium of this name, or a roll of WIDTHxHEIGHT mm. Raises ToolError."""
    for medium in MEDIA:
        if medium.name == name:
            return medium
    size = re.fullmatch(r"(\d{1,3}(?:\.\d)?)x(\d{1,3}(?:\.\d)?)", name)
    lowest, highest = ROLL_RANGE_MM
    if size and all(lowest <= float(side) <= highest for side in size.groups()):
        return Medium(name, float(size[1]), float(size[2]), what="roll")
    remedy = f"choose one of {', '.join(one.name for one in MEDIA)}, or a roll of WIDTHxHEIGHT in mm"
    raise ToolError(f"{name!r} is nothing that labels are printed on", remedy, exit_codes.USAGE)
