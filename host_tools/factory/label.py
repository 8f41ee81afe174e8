"""The label on a router's underside: its serial number, its service code, and both as a QR code."""

import io
from pathlib import Path

import segno

from host_tools.factory.files import write_durably
from host_tools.factory.records import UnitRecord

# A label is scratched and printed small: level Q repairs a quarter of it.
ERROR_CORRECTION = "q"
QUIET_ZONE = 4  # modules, ISO/IEC 18004 section 6.3.8
MODULE = 4  # user units of the SVG
MARGIN, LINE, TEXT_WIDTH = 12, 22, 300

SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">
<rect width="{width}" height="{height}" rx="12" fill="#fff"/>
<path transform="translate({margin} {margin}) scale({module})" d="{path}" fill="#000"/>
<g font-family="system-ui, sans-serif" font-size="16" fill="#000">
{texts}
</g>
</svg>
"""
TEXT = '<text x="{x}" y="{y}" font-weight="{weight}">{text}</text>'


def terminal_label(unit: UnitRecord) -> str:
    """Return the label as text for a terminal: dark on light whatever the theme, two modules a character."""
    out = io.StringIO()
    _qr(unit).terminal(out, border=2, compact=True)
    return f"{out.getvalue()}\n  Serial number  {unit.serial_number}\n  Service code   {unit.grouped_code}\n"


def label_svg(unit: UnitRecord) -> str:
    """Return the label as a picture, with the texts as text."""
    qr = _qr(unit)
    side = int(qr.symbol_size(border=QUIET_ZONE)[0]) * MODULE
    return SVG.format(
        width=side + 2 * MARGIN + TEXT_WIDTH,
        height=side + 2 * MARGIN,
        margin=MARGIN,
        module=MODULE,
        path=_modules(qr),
        texts=_texts(unit, x=side + 2 * MARGIN),
    )


def write_label(unit: UnitRecord, path: Path) -> None:
    """Write the SVG, readable by its owner only: it shows the service code."""
    write_durably(path, label_svg(unit).encode(), 0o600)


def _qr(unit: UnitRecord) -> segno.QRCode:
    return segno.make_qr(unit.label_text, error=ERROR_CORRECTION)


def _modules(qr: segno.QRCode) -> str:
    """Return the dark modules as one path, a row's neighbours joined."""
    steps = []
    for y, row in enumerate(qr.matrix_iter(border=QUIET_ZONE)):
        start = None
        for x, dark in enumerate([*row, 0]):
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                steps.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
                start = None
    return "".join(steps)


def _texts(unit: UnitRecord, x: int) -> str:
    lines = (
        (unit.model, 600),
        ("Serial number", 400),
        (unit.serial_number, 600),
        ("Service code", 400),
        (unit.grouped_code, 600),
    )
    rows = [
        (2 * MARGIN + LINE * number, weight, _escape(text)) for number, (text, weight) in enumerate(lines, 1)
    ]
    return "\n".join(TEXT.format(x=x, y=y, weight=weight, text=text) for y, weight, text in rows)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
