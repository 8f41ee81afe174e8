"""A chart as PNG, in light, with two dots for a pixel."""

import functools
import io

from PIL import Image, ImageDraw, ImageFont

from host_tools.factory.yields.drawing import END, MIDDLE, START, Bar, Drawing, Mark, Text, light_tones

SCALE = 2
DPI = 96 * SCALE  # CSS has 96 pixels to the inch
ANCHORS = {START: "ls", MIDDLE: "ms", END: "rs"}  # pillow: left, middle, right of the base line
STRONG = 0.025  # how much bolder, of the size: pillow's own face has one weight


def render(drawing: Drawing) -> bytes:
    tones = light_tones()
    image = Image.new("RGB", (drawing.width * SCALE, drawing.height * SCALE))
    pen = ImageDraw.Draw(image)
    for mark in drawing.marks:
        _draw(pen, mark, tones[mark.tone])
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI), optimize=True)
    return out.getvalue()


def _draw(pen: ImageDraw.ImageDraw, mark: Mark, colour: str) -> None:
    if isinstance(mark, Text):
        _text(pen, mark, colour)
        return
    x, y = mark.x * SCALE, mark.y * SCALE
    width = mark.width * SCALE
    height = mark.height * SCALE if isinstance(mark, Bar) else 1
    # pillow's rectangle has its last dots inside.
    pen.rectangle(
        (round(x), round(y), max(round(x), round(x + width) - 1), max(round(y), round(y + height) - 1)),
        colour,
    )


def _text(pen: ImageDraw.ImageDraw, mark: Text, colour: str) -> None:
    stroke = mark.size * SCALE * STRONG if mark.is_strong else 0
    place = (mark.x * SCALE, mark.y * SCALE)
    anchor = ANCHORS[mark.anchor]
    pen.text(place, mark.text, colour, _font(mark.size), anchor, stroke_width=stroke, stroke_fill=colour)


@functools.cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)
