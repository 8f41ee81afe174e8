"""The stub as it crosses the line: small, and run only when it arrived whole."""

import binascii
import re
import zlib
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError

SOURCE = Path(__file__).with_name("board_stub.txt")
SPEED_MARK = "#SPEED"
WINDOW_BITS = 10  # of the deflated stub: 1 KB of a small board's memory

# A line damages code as it damages anything: what did not arrive to its last bit is not run.
_GUARDED = """import io,deflate
from binascii import *
F={path!r}
B={block}
s=a2b_base64("{packed}")
if crc32(s+F.encode(),B)=={checksum}:exec(deflate.DeflateIO(io.BytesIO(s),deflate.RAW,{bits}).read())
"""


def program(path: str, block: int, with_speed: bool = False) -> str:
    """Return the program that takes a file to this path. `with_speed`: on a console with `line_speed`."""
    if not re.fullmatch(r"[A-Za-z0-9_./+-]{1,200}", path):
        raise ToolError(
            f"a file cannot be sent to {path!r}", "use letters, digits and ._/+- only", exit_codes.USAGE
        )
    packed = deflated(squeezed(SOURCE.read_text(encoding="utf-8"), with_speed).encode())
    return _GUARDED.format(
        path=path,
        block=block,
        packed=binascii.b2a_base64(packed, newline=False).decode(),
        checksum=binascii.crc32(packed + path.encode(), block),
        bits=WINDOW_BITS,
    )


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS, 9)
    return packer.compress(data) + packer.flush()


def squeezed(source: str, with_speed: bool) -> str:
    """Return the source without comments and blank lines, indented by single spaces."""
    if with_speed:
        source = source.replace(SPEED_MARK, "")
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(re.sub("^ +", lambda spaces: " " * (len(spaces[0]) // 4), line) for line in lines)
