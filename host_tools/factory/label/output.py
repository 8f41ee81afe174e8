"""A label as the bytes of a file, and into one. It shows the service code: its owner alone may read it."""

import os
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.label.drawing import Drawing
from host_tools.factory.label.pdf import pdf
from host_tools.factory.label.png import png
from host_tools.factory.label.svg import svg

SUFFIXES = (".pdf", ".png", ".svg")
MODE = 0o600


def render(drawings: list[Drawing], suffix: str, dpi: int) -> bytes:
    """Return the pages in the format of the suffix. Raises ToolError."""
    if suffix == ".pdf":
        return pdf(drawings)
    if suffix not in SUFFIXES:
        remedy = f"give it a name that ends in {', '.join(SUFFIXES)}"
        raise ToolError(f"a label cannot be a file of the kind {suffix!r}", remedy, exit_codes.USAGE)
    if len(drawings) > 1:
        raise ToolError(f"{len(drawings)} pages do not go into one {suffix}", "take .pdf", exit_codes.USAGE)
    return png(drawings[0], dpi) if suffix == ".png" else svg(drawings[0]).encode()


def write(path: Path, data: bytes) -> None:
    """Write the file anew under its own name: no copy, no part of it stays elsewhere. Raises ToolError."""
    try:
        path.unlink(missing_ok=True)
        # O_EXCL: whoever may write into the directory cannot put a link in the way meanwhile.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, MODE)
                file.write(data)
                file.flush()
                os.fsync(descriptor)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        remedy = "name a file in a directory that you may write to"
        wrong = f"the label {path} is not written ({error.strerror})"
        raise ToolError(wrong, remedy, exit_codes.PRINTER) from error
