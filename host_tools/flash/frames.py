"""The bytes between a host and the stub on a board. Pure: both ends, for the transfer and for its tests.

To the board, a frame:

    12 bytes   base 64 of: command + 8 * round (1), block number (2), bytes that follow (2), CRC-32 (4)
    n bytes    nothing, or an escape byte and the escaped payload

The CRC covers the first five of these bytes and the payload before it was escaped. A board takes Ctrl-C for
an interruption wherever it stands, and a REPL without a binary stdin turns a return into a newline: so
neither occurs in a frame. A byte that must not occur is sent as the escape byte, which each frame chooses as
its rarest one, and the byte xor 64.

To the host, a line of base 64 (it survives a REPL that turns newlines into \\r\\n):

    answer (1), round (1), next wanted block (2), what the answer tells, CRC-32 of all that (4)
"""

import binascii
import struct
from typing import NamedTuple

SMALL_BLOCK, LARGE_BLOCK = 4096, 8192  # bytes of content per frame; the last one is shorter
ROUNDS = 32
DEFLATE_BITS = 13  # the window for a block: a large one whole

STORED, DEFLATED, SEEK, FINISH, SPEED = range(5)  # commands
# Answers. HELLO tells the length of what an earlier try has left (4); SOUGHT the SHA-256 of the blocks before
# the wanted one; DONE the SHA-256 of the nonce and the whole file; WRONG_HASH nothing.
HELLO, TAKEN, REFUSED, SOUGHT, DONE, WRONG_HASH = b"HTRSDX"

CTRL_C, RETURN = 0x03, 0x0D
BINARY = frozenset({CTRL_C})
TEXT_ONLY = frozenset({CTRL_C, RETURN})
_FLIP = 64

_HEADER = struct.Struct(">BHHI")
_ANSWER = struct.Struct(">BBH")
HEADER_SIZE = 12


class Answer(NamedTuple):
    kind: int
    round: int
    wanted: int
    told: bytes


class Frame(NamedTuple):
    command: int
    round: int
    block: int
    payload: bytes


def frame(command: int, round_: int, block: int, payload: bytes, forbidden: frozenset[int]) -> bytes:
    """Return a frame's bytes, none of which is forbidden."""
    escaped = escape(payload, forbidden) if payload else b""
    start = struct.pack(">BHH", command + 8 * (round_ % ROUNDS), block, len(escaped))
    checksum = binascii.crc32(payload, binascii.crc32(start))
    return binascii.b2a_base64(start + struct.pack(">I", checksum), newline=False) + escaped


def escape(payload: bytes, forbidden: frozenset[int]) -> bytes:
    """Return the escape byte and the payload without forbidden bytes."""
    unfit = forbidden | {byte ^ _FLIP for byte in forbidden}
    counts = [payload.count(bytes([byte])) for byte in range(256)]
    mark = min((byte for byte in range(256) if byte not in unfit), key=lambda byte: counts[byte])
    out = payload.replace(bytes([mark]), bytes([mark, mark ^ _FLIP]))
    for byte in forbidden:
        out = out.replace(bytes([byte]), bytes([mark, byte ^ _FLIP]))
    return bytes([mark]) + out


def unescape(data: bytes) -> bytes:
    """Return the payload. Raises ValueError when it was not escaped."""
    first, *rest = data[1:].split(data[:1])
    if not all(rest):
        raise ValueError("an escape byte without its byte")
    return first + b"".join(bytes([part[0] ^ _FLIP]) + part[1:] for part in rest)


def parse_header(header: bytes) -> tuple[int, int, int, int, int]:
    """Return (command, round, block, size, checksum). Raises ValueError when the line is out of step."""
    try:
        first, block, size, checksum = _HEADER.unpack(binascii.a2b_base64(header))
    except struct.error as error:
        raise ValueError("not a header") from error
    return first % 8, first // 8, block, size, checksum


def read_frame(header: bytes, escaped: bytes) -> Frame | None:
    """Return the frame; None when it was damaged. Raises ValueError as `parse_header` and `unescape` do."""
    command, round_, block, size, checksum = parse_header(header)
    payload = unescape(escaped) if size else b""
    start = struct.pack(">BHH", command + 8 * round_, block, size)
    if binascii.crc32(payload, binascii.crc32(start)) != checksum:
        return None
    return Frame(command, round_, block, payload)


def answer(kind: int, round_: int, wanted: int, told: bytes = b"") -> bytes:
    """Return an answer's line."""
    data = _ANSWER.pack(kind, round_, wanted) + told
    return binascii.b2a_base64(data + struct.pack(">I", binascii.crc32(data)))


def parse_answer(line: bytes) -> Answer | None:
    """Return the answer of a line; None when the line is something else or was damaged."""
    try:
        data = binascii.a2b_base64(line.strip(), strict_mode=True)
    except ValueError:
        return None
    body, checksum = data[:-4], data[-4:]
    if len(body) < _ANSWER.size or struct.pack(">I", binascii.crc32(body)) != checksum:
        return None
    kind, round_, wanted = _ANSWER.unpack(body[: _ANSWER.size])
    return Answer(kind, round_, wanted, body[_ANSWER.size :])
