"""The parts of a label, each set for a width at a scale: layout.py puts them in their places.

Sizes are those of REFERENCE's label, times the scale. Lengths are in mm.
"""

from typing import NamedTuple

import segno

from host_tools.factory.label.content import Label
from host_tools.factory.label.drawing import Line, Mark, Modules, Text, moved
from host_tools.factory.label.fitting import SMALLEST_MM, TooSmallError, fit
from host_tools.factory.label.typeface import CAP_HEIGHT, CODE, DIGITS, STRONG, WORDS, face

# A label is scratched and printed small: level Q repairs a quarter of it.
ERROR_CORRECTION = "q"
QUIET_ZONE = 4  # modules, ISO/IEC 18004 section 6.3.8
SMALLEST_MODULE_MM = 0.33  # what a phone's camera makes out at arm's length
LARGEST_QR_MM = 30.0

REFERENCE = (63.5, 38.1)
MODEL, SERVICE_CODE, VALUE, CAPTION, FINE = 3.3, 4.2, 2.3, 1.9, 1.6  # em
SPACE = 0.8  # between a rule and what it divides
GAP = 1.2  # between a caption and its value
LINE_HEIGHT = 1.28  # em
RULE = 0.12
LOGO = (  # contract/logo.svg, in its 16 by 16 units
    ((1.5, 7), (5, 3.5), (8.5, 7)),
    ((2.5, 6.5), (2.5, 13.5), (7.5, 13.5), (7.5, 6.5)),
    ((5, 13.5), (5, 10)),
    ((10, 13.5), (10, 7.5)),
    ((14.5, 13.5), (14.5, 7.5)),
    ((10, 9), (14.5, 9)),
    ((10, 11.5), (14.5, 11.5)),
)
LOGO_UNITS, LOGO_STROKE = 16, 1.2
LOGO_LEFT, LOGO_FOOT = 0.9, 14.1  # where its ink ends
SAMPLE = "SAMPLE"


class Block(NamedTuple):
    """Marks that need the height, from (0, 0) down."""

    height: float
    marks: list[Mark]

    def at(self, x: float, y: float) -> list[Mark]:
        return [moved(mark, x, y) for mark in self.marks]


class QrBlock(NamedTuple):
    side: float  # of what is dark
    quiet: float  # what stays white around it
    marks: list[Mark]

    def at(self, x: float, y: float) -> list[Mark]:
        return [moved(mark, x, y) for mark in self.marks]


def head(label: Label, width: float, scale: float) -> Block:
    """The logo and the model over a rule; on a sample the word for it."""
    side = 1.45 * MODEL * scale
    left = side + 0.5 * scale
    word = _lines((SAMPLE,), STRONG, _readable(CAPTION * scale))
    word_width = face(STRONG).width(SAMPLE) * _readable(CAPTION * scale)
    right = width - (word_width + GAP * scale if label.is_sample else 0)
    fitted = fit("the model", label.model, STRONG, MODEL * scale, right - left, most_lines=2)
    model = _lines(fitted.lines, STRONG, fitted.size)
    height = max(side, model.height)
    marks = [*_logo(side).at(0, (height - side) / 2), *model.at(left, (height - model.height) / 2)]
    if label.is_sample:
        marks += word.at(width - word_width, (height - word.height) / 2)
    height += 0.6 * SPACE * scale
    return Block(height, [*marks, Line(((0, height), (width, height)), RULE)])


def column(label: Label, width: float, scale: float) -> list[Block]:
    """The service code under its caption, then a block for each other thing."""
    code = fit("the service code", label.code, CODE, SERVICE_CODE * scale, width)
    caption = _lines(("Service code",), WORDS, _readable(CAPTION * scale))
    # caption, value, face, in how many lines it may be: what is compared digit by digit stays in one
    pairs = [("Serial number", label.serial_number, DIGITS, 1)]
    pairs += [("MAC address", label.mac, DIGITS, 1)] if label.mac else []
    pairs += [("Set up at", label.address, STRONG, 2)] if label.address else []
    size = _readable(CAPTION * scale)
    indent = max(face(WORDS).width(name) for name, *_ in pairs) * size + GAP * scale
    first = stacked([caption, _lines(code.lines, CODE, code.size)])
    return [first, *(_pair(*pair, indent, width, scale) for pair in pairs)]


def fingerprint(label: Label, width: float, scale: float) -> Block:
    """Under a rule, in as many lines as it needs; nothing when the label has none."""
    if not label.fingerprint:
        return Block(0, [])
    size = _readable(FINE * scale)
    name = "Certificate SHA-256"
    caption = _lines((name,), WORDS, size)
    indent = face(WORDS).width(name) * size + GAP * scale
    rule = Line(((0, 0), (width, 0)), RULE)
    groups = label.fingerprint.split(" ")
    for count in (1, 2, 4, 8):
        lines = _evenly(groups, count)
        digits = _lines(lines, DIGITS, size)
        wide = max(face(DIGITS).width(line) for line in lines) * size
        if wide <= width - indent:
            body = Block(digits.height, [*caption.marks, *digits.at(indent, 0)])
        elif wide <= width:
            body = stacked([caption, digits])
        else:
            continue
        return Block(body.height + SPACE * scale, [rule, *body.at(0, SPACE * scale)])
    raise TooSmallError("the certificate's fingerprint")


def qr(text: str, room: float, dpi: int) -> QrBlock:
    """The largest code whose quiet zone is in the room too; its modules are whole dots of the printer."""
    rows = tuple(bytes(row) for row in qr_of(text).matrix)
    dot = 25.4 / dpi
    module = int(min(room / (len(rows) + 2 * QUIET_ZONE), LARGEST_QR_MM / len(rows)) / dot + 1e-6) * dot
    if module < SMALLEST_MODULE_MM:
        raise TooSmallError("its QR code")
    return QrBlock(module * len(rows), module * QUIET_ZONE, [Modules(0, 0, module, rows)])


def qr_of(text: str) -> segno.QRCode:
    return segno.make_qr(text, error=ERROR_CORRECTION)


def stacked(blocks: list[Block], gap: float = 0) -> Block:
    """One below the other."""
    marks: list[Mark] = []
    y = 0.0
    for block in blocks:
        marks += block.at(0, y)
        y += block.height + gap
    return Block(max(0.0, y - gap), marks)


# --- parts ---


def _pair(
    name: str, value: str, face_name: str, most_lines: int, indent: float, width: float, scale: float
) -> Block:
    fitted = fit(f"“{name}”", value, face_name, VALUE * scale, width - indent, most_lines)
    lines = _lines(fitted.lines, face_name, fitted.size)
    caption = Text(0, lines.marks[0].y, _readable(CAPTION * scale), WORDS, name)  # type: ignore[union-attr]
    return Block(lines.height, [caption, *lines.at(indent, 0)])


def _lines(texts: tuple[str, ...], face_name: str, size: float) -> Block:
    """Lines of text, their capitals in the middle of each line's height."""
    step = LINE_HEIGHT * size
    first = (step + CAP_HEIGHT * size) / 2
    marks: list[Mark] = [Text(0, first + step * n, size, face_name, text) for n, text in enumerate(texts)]
    return Block(step * len(texts), marks)


def _logo(side: float) -> Block:
    """The gate lodge, its left edge and its foot on those of the square."""
    unit = side / LOGO_UNITS
    dx, dy = -LOGO_LEFT * unit, (LOGO_UNITS - LOGO_FOOT - 1) * unit
    strokes = [
        Line(tuple((x * unit + dx, y * unit + dy) for x, y in points), LOGO_STROKE * unit) for points in LOGO
    ]
    return Block(side, [*strokes])


def _evenly(groups: list[str], count: int) -> tuple[str, ...]:
    per_line = -(-len(groups) // count)
    return tuple(" ".join(groups[at : at + per_line]) for at in range(0, len(groups), per_line))


def _readable(size: float) -> float:
    return max(SMALLEST_MM, size)
