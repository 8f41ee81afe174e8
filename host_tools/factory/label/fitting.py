"""Set a text so that it fits a width: as large as it may be, then smaller, then in more lines."""

from typing import NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.label.typeface import face

STEP = 0.96
SMALLEST_MM = 1.4  # of the em: capitals of 1 mm, the least that 203 dpi and an eye make out


class Fitted(NamedTuple):
    size: float  # mm of the em
    lines: tuple[str, ...]


class TooSmallError(ToolError):
    def __init__(self, what: str):
        remedy = "take a larger one, or fewer fields in the board's label.toml"
        super().__init__(f"the label is too small for {what}", remedy, exit_codes.USAGE)


def fit(what: str, text: str, face_name: str, size: float, width: float, most_lines: int = 1) -> Fitted:
    """Return the text in the fewest lines, and as large as they allow, up to the size. Raises ToolError."""
    missing = face(face_name).lacks(text)
    if missing:
        remedy = "write it in Latin, Greek or Cyrillic"
        raise ToolError(f"labels have no {missing!r}, which is in {what}", remedy, exit_codes.USAGE)
    for count in range(1, most_lines + 1):
        # A text that could have another line does not shrink much for the sake of staying in one.
        smallest = max(SMALLEST_MM, 0.8 * size) if count < most_lines else SMALLEST_MM
        lines = broken(text, count, face_name)
        fitting = width / max(face(face_name).width(line) for line in lines)
        if fitting >= min(smallest, size):
            return Fitted(min(size, fitting), lines)
    raise TooSmallError(what)


def broken(text: str, count: int, face_name: str) -> tuple[str, ...]:
    """Break the text into so many lines, as even as its spaces allow; within a word where it is too long."""
    goal = face(face_name).width(text) / count
    lines = []
    for left in range(count, 1, -1):
        at = _break(text, goal, face_name)
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
        goal = face(face_name).width(text) / (left - 1)
    return (*lines, text)


def _break(text: str, goal: float, face_name: str) -> int:
    """Where to break so that what is before comes nearest to the goal."""
    spaces = [place for place, character in enumerate(text) if character == " "]
    nearest = min(spaces or [0], key=lambda place: abs(face(face_name).width(text[:place]) - goal))
    if abs(face(face_name).width(text[:nearest]) - goal) <= 0.4 * goal:
        return nearest
    return min(
        range(1, len(text)), key=lambda place: abs(face(face_name).width(text[:place]) - goal), default=1
    )
