"""Put labels on pages of a medium: `pages(labels, medium, dpi)`."""

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.label.content import Label
from host_tools.factory.label.drawing import Drawing, moved
from host_tools.factory.label.layout import lay_out
from host_tools.factory.label.media import Medium


def pages(labels: list[Label], medium: Medium, dpi: int, first_place: int = 1) -> list[Drawing]:
    """Fill page after page, the first one from a place on: those before it are used up. Raises ToolError."""
    if not 1 <= first_place <= medium.capacity:
        remedy = f"count from 1 to {medium.capacity}, row by row"
        raise ToolError(f"{medium.name} has no place {first_place}", remedy, exit_codes.USAGE)
    drawings = [lay_out(label, medium.width, medium.height, dpi) for label in labels]
    found = []
    place = first_place - 1
    while drawings:
        room = medium.capacity - place
        found.append(_page(drawings[:room], medium, place))
        drawings, place = drawings[room:], 0
    return found


def _page(drawings: list[Drawing], medium: Medium, place: int) -> Drawing:
    marks = []
    for number, drawing in enumerate(drawings, place):
        dx, dy = medium.corner(number)
        marks += [moved(mark, dx, dy) for mark in drawing.marks]
    width, height = medium.page
    more = f" and {len(drawings) - 1} more" if len(drawings) > 1 else ""
    return Drawing(width, height, tuple(marks), drawings[0].title + more)
