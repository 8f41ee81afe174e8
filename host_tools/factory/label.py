"""The label on a router's underside: its serial number, its service code, and both as a QR code."""

import io
from pathlib import Path

import segno
from gatelodge.contract import service_code

from host_tools.factory.files import write_durably
from host_tools.factory.records import UnitRecord

# A label is scratched and printed small: level Q repairs a quarter of it.
ERROR_CORRECTION = "q"
QUIET_ZONE = 4  # modules, ISO/IEC 18004 section 6.3.8
MODULE = 4  # user units of the SVG
MARGIN, LINE = 12, 22


def terminal_label(unit: UnitRecord) -> str:
    """Return the label as text for a terminal: dark on light whatever the theme, two modules a character."""
    out = io.StringIO()
    _qr(unit).terminal(out, border=2, compact=True)
    return f"{out.getvalue()}\n  Serial number  {unit.serial_number}\n  Service code   {unit.grouped_code}\n"


def label_svg(unit: UnitRecord) -> str:
    """Return the label as a picture, with the texts as text."""
    qr = _qr(unit)
    path, side = _modules(qr), (qr.symbol_size(border=QUIET_ZONE)[0]) * MODULE
    width, height = side + 2 * MARGIN + 300, side + 2 * MARGIN
    texts = (
        (unit.model, "600"),
        ("Serial number", "400"),
        (unit.serial_number, "600"),
        ("Service code", "400"),
        (service_code.format_grouped(unit.service_code), "600"),
    )
    lines = "".join(
        f'<text x="{side + 2 * MARGIN}" y="{2 * MARGIN + LINE * (number + 1)}" font-weight="{weight}">{_escape(text)}</text>'
        for number, (text, weight) in enumerate(texts)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" rx="12" fill="#fff"/>'
        f'<g transform="translate({MARGIN} {MARGIN}) scale({MODULE})"><path d="{path}" fill="#000"/></g>'
        f'<g font-family="system-ui, sans-serif" font-size="16" fill="#000">{lines}</g></svg>\n'
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


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
