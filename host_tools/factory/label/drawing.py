"""A page as a list of marks, which svg.py, pdf.py and png.py draw. Lengths are in mm, y grows downwards."""

from typing import NamedTuple


class Text(NamedTuple):
    x: float  # where the base line begins
    y: float
    size: float  # of the em
    face: str  # a name in typeface.FILES
    text: str


class Modules(NamedTuple):
    """A QR code without its quiet zone."""

    x: float
    y: float
    module: float
    rows: tuple[bytes, ...]  # 1 is dark


class Line(NamedTuple):
    """A stroke through some points, with round ends."""

    points: tuple[tuple[float, float], ...]
    width: float


Mark = Text | Modules | Line


class Drawing(NamedTuple):
    width: float
    height: float
    marks: tuple[Mark, ...]
    title: str  # for screen readers and file managers: holds no secret


def moved(mark: Mark, dx: float, dy: float) -> Mark:
    if isinstance(mark, Line):
        return mark._replace(points=tuple((x + dx, y + dy) for x, y in mark.points))
    return mark._replace(x=mark.x + dx, y=mark.y + dy)


def runs(rows: tuple[bytes, ...]) -> list[tuple[int, int, int]]:
    """The dark modules as (column, row, length), neighbours in a row joined."""
    found = []
    for number, row in enumerate(rows):
        start = None
        for column, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                found.append((start, number, column - start))
                start = None
    return found
