"""Drawings as one PDF, a page for each, in its true size. Texts are texts, in subsets of the typeface."""

from fpdf import FPDF, ViewerPreferences
from fpdf.enums import PathPaintRule, StrokeCapStyle, StrokeJoinStyle

from host_tools.factory.label.drawing import Drawing, Line, Modules, Text, runs
from host_tools.factory.label.typeface import face

POINTS_PER_MM = 72 / 25.4
INK = "#000000"


def pdf(pages: list[Drawing]) -> bytes:
    document = FPDF(unit="mm", format=(pages[0].width, pages[0].height))
    document.set_auto_page_break(False)
    document.set_title(pages[0].title)
    document.set_creator("Gatelodge")
    # A label that a print dialogue shrinks to the page's margins is beside its place on the sheet.
    document.viewer_preferences = ViewerPreferences(print_scaling="None")
    for page in pages:
        document.add_page(format=(page.width, page.height))
        _draw(document, page)
    return bytes(document.output())


def _draw(document: FPDF, page: Drawing) -> None:
    for mark in page.marks:
        if isinstance(mark, Text):
            _text(document, mark)
        elif isinstance(mark, Modules):
            _modules(document, mark)
        else:
            _line(document, mark)


def _text(document: FPDF, mark: Text) -> None:
    if mark.face not in document.fonts:
        document.add_font(mark.face, fname=face(mark.face).path)
    document.set_font(mark.face, size=mark.size * POINTS_PER_MM)
    document.text(mark.x, mark.y, mark.text)


def _modules(document: FPDF, mark: Modules) -> None:
    """One path: modules that touch have no hair line between them."""
    side = mark.module
    with document.new_path(paint_rule=PathPaintRule.FILL_NONZERO) as path:
        path.style.fill_color = INK
        for column, row, length in runs(mark.rows):
            path.rectangle(mark.x + column * side, mark.y + row * side, length * side, side)


def _line(document: FPDF, mark: Line) -> None:
    first, *others = mark.points
    with document.new_path(paint_rule=PathPaintRule.STROKE) as path:
        path.style.stroke_color = INK
        path.style.stroke_width = mark.width
        path.style.stroke_cap_style = StrokeCapStyle.ROUND
        path.style.stroke_join_style = StrokeJoinStyle.ROUND
        path.move_to(*first)
        for point in others:
            path.line_to(*point)
