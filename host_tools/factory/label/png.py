"""A drawing as a PNG of black and white: dot for dot what a label printer prints."""

import io

from PIL import Image, ImageDraw, ImageFont

from host_tools.factory.label.drawing import Drawing, Line, Modules, Text, runs
from host_tools.factory.label.typeface import face

INCH = 25.4
PAPER, INK = 1, 0


def png(drawing: Drawing, dpi: int) -> bytes:
    scale = dpi / INCH
    image = Image.new("1", (round(drawing.width * scale), round(drawing.height * scale)), PAPER)
    pen = ImageDraw.Draw(image)
    pen.fontmode = "1"
    for mark in drawing.marks:
        if isinstance(mark, Text):
            _text(pen, mark, scale)
        elif isinstance(mark, Modules):
            _modules(pen, mark, scale)
        else:
            _line(pen, mark, scale)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(dpi, dpi))
    return out.getvalue()


def _text(pen: ImageDraw.ImageDraw, mark: Text, scale: float) -> None:
    """One character at a time: FreeType rounds advances to whole dots, and a line would outgrow its place."""
    typeface = face(mark.face)
    font = ImageFont.truetype(typeface.path, mark.size * scale, layout_engine=ImageFont.Layout.BASIC)
    x = mark.x
    for character in mark.text:
        pen.text((round(x * scale), round(mark.y * scale)), character, fill=INK, font=font, anchor="ls")
        x += typeface.advance(character) * mark.size


def _modules(pen: ImageDraw.ImageDraw, mark: Modules, scale: float) -> None:
    """Each module has the same number of dots."""
    left, top, side = round(mark.x * scale), round(mark.y * scale), max(1, round(mark.module * scale))
    for column, row, length in runs(mark.rows):
        x, y = left + column * side, top + row * side
        pen.rectangle((x, y, x + length * side - 1, y + side - 1), fill=INK)


def _line(pen: ImageDraw.ImageDraw, mark: Line, scale: float) -> None:
    points = [(x * scale, y * scale) for x, y in mark.points]
    width = max(1, round(mark.width * scale))
    pen.line(points, fill=INK, width=width, joint="curve")
    if width > 2:
        radius = width / 2
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=INK)
