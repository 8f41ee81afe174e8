"""The label as text for a terminal."""

import io

from host_tools.factory.label.blocks import qr_of
from host_tools.factory.records import UnitRecord


def terminal_label(unit: UnitRecord) -> str:
    """Return the label as text: dark on light whatever the theme, two modules a character."""
    out = io.StringIO()
    qr_of(unit.label_text).terminal(out, border=2, compact=True)
    return f"{out.getvalue()}\n  Serial number  {unit.serial_number}\n  Service code   {unit.grouped_code}\n"
