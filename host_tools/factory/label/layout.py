"""Where everything on a label stands: `lay_out(label, width, height, dpi)` returns a Drawing.

    wide                                     upright
    +------------------------------------+   +------------------+
    | (logo) Model                       |   | (logo) Model     |
    | ---------------------------------- |   | ---------------- |
    | QR    Service code                 |   |        QR        |
    | QR    0123-4567-89AB-CDEF-9        |   | Service code     |
    | QR    Serial number  GL2647000001  |   | 0123-4567-...    |
    | QR    Set up at      https://...   |   | Serial number    |
    | ---------------------------------- |   | ---------------- |
    | Certificate SHA-256  3f0a 77c1 ... |   | Certificate ...  |
    +------------------------------------+   +------------------+

The service code is the largest: it is what an owner types. Everything is tried at the size that suits the
label, and smaller until it fits.
"""

from host_tools.factory.label import blocks
from host_tools.factory.label.blocks import REFERENCE, Block, stacked
from host_tools.factory.label.content import Label
from host_tools.factory.label.drawing import Drawing, Mark
from host_tools.factory.label.fitting import STEP, TooSmallError

MARGIN = 2.2  # mm at scale 1
SMALLEST_MARGIN_MM = 1.2  # printers and cutters are as far off as that
LARGEST_SCALE, SMALLEST_SCALE = 1.8, 0.5
WIDEST_QR = 0.42  # of the label's width
UPRIGHT_BELOW = 1.15  # width over height
UPRIGHT_REFERENCE = 46.0  # mm: the width of an upright label whose scale is 1
MOST_LEADING = 1.1  # mm at scale 1: lines further apart belong together no more


def lay_out(label: Label, width: float, height: float, dpi: int) -> Drawing:
    """Return the label's drawing. Raises ToolError when the label is too small for what it shall say."""
    is_upright = width / height < UPRIGHT_BELOW
    arrange = _upright if is_upright else _wide
    wanted = width / UPRIGHT_REFERENCE if is_upright else max(width / REFERENCE[0], height / REFERENCE[1])
    scale = min(LARGEST_SCALE, wanted)
    while True:
        try:
            marks = arrange(label, width, height, dpi, scale)
            break
        except TooSmallError:
            scale *= STEP
            if scale < SMALLEST_SCALE:
                raise
    return Drawing(width, height, tuple(marks), f"Label of the router {label.serial_number}")


def _wide(label: Label, width: float, height: float, dpi: int, scale: float) -> list[Mark]:
    margin = _margin(scale)
    head, foot, room = _head_and_foot(label, width, height, scale)
    qr = blocks.qr(label.qr_text, min(room, WIDEST_QR * width), dpi)
    left = max(margin, qr.quiet)
    x = left + qr.side + max(qr.quiet, 1.6 * scale)
    column = _spread(blocks.column(label, width - margin - x, scale), room, qr.side, scale)
    middle = margin + head.height + room / 2
    return [
        *head.at(margin, margin),
        *qr.at(left, middle - qr.side / 2),
        *column.at(x, middle - column.height / 2),
        *foot.at(margin, height - margin - foot.height),
    ]


def _upright(label: Label, width: float, height: float, dpi: int, scale: float) -> list[Mark]:
    margin = _margin(scale)
    head, foot, room = _head_and_foot(label, width, height, scale)
    column = stacked(blocks.column(label, width - 2 * margin, scale), 0.5 * MOST_LEADING * scale)
    qr = blocks.qr(label.qr_text, min(room - column.height - blocks.SPACE * scale, width), dpi)
    gap = (room - column.height - qr.side) / 3  # above the code, between the two, below the texts
    gap = min(gap, 2 * qr.quiet)
    top = margin + head.height + (room - column.height - qr.side - gap) / 2
    return [
        *head.at(margin, margin),
        *qr.at((width - qr.side) / 2, top),
        *column.at(margin, top + qr.side + gap),
        *foot.at(margin, height - margin - foot.height),
    ]


def _head_and_foot(label: Label, width: float, height: float, scale: float) -> tuple[Block, Block, float]:
    """Both, and the height that is left between their rules."""
    margin = _margin(scale)
    head = blocks.head(label, width - 2 * margin, scale)
    foot = blocks.fingerprint(label, width - 2 * margin, scale)
    return head, foot, height - 2 * margin - head.height - foot.height


def _spread(parts: list[Block], room: float, wanted: float, scale: float) -> Block:
    """Stack the parts, spread to the wanted height as far as they belong together. Raises TooSmallError."""
    tight = stacked(parts)
    if tight.height + 2 * blocks.SPACE * scale > room:
        raise TooSmallError("its texts")
    gap = (wanted - tight.height) / (len(parts) - 1)
    return stacked(parts, max(0.0, min(gap, MOST_LEADING * scale)))


def _margin(scale: float) -> float:
    return max(SMALLEST_MARGIN_MM, MARGIN * scale)
