"""Labels: what is on them (content, template), where it stands (blocks, layout, media, paper), and on what
it goes (svg, pdf, png, output, printer).

    template = of_board(Path("boards/host/board.json"))
    write_label(unit, Path("label.svg"), template)
    print_label(unit, template, printer="labels")

A service code is on paper, in the file that was asked for, and nowhere else: no temporary file, no log.
"""

from pathlib import Path

from host_tools.factory.label import content, media, output, paper, printer
from host_tools.factory.label.template import PLAIN, Template, of_board
from host_tools.factory.label.terminal import terminal_label
from host_tools.factory.records import UnitRecord

__all__ = ["PLAIN", "Template", "of_board", "print_label", "terminal_label", "write_label"]


def write_label(unit: UnitRecord, path: Path, template: Template = PLAIN) -> None:
    """Write the unit's label as the SVG, PDF or PNG that the file's name says. Raises ToolError."""
    # A file holds the label alone: a sheet with one label on it is for a printer.
    medium = media.find(template.media).alone
    pages = paper.pages([content.of_unit(unit, template)], medium, template.dpi)
    output.write(path, output.render(pages, path.suffix, template.dpi))


def print_label(unit: UnitRecord, template: Template, destination: str = "", first_place: int = 1) -> str:
    """Print the unit's label on its template's medium; return what printed it. Raises ToolError (PRINTER).

    `destination` is a name that `lpstat -p` knows, the system's default without one. `first_place` is the
    first label that is left on a sheet.
    """
    medium = media.find(template.media)
    pages = paper.pages([content.of_unit(unit, template)], medium, template.dpi, first_place)
    return printer.print_pdf(output.render(pages, ".pdf", template.dpi), pages[0].title, medium, destination)
