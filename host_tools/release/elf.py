"""Which shared libraries a program asks for: just enough of ELF (64-bit, little-endian) to know.

Source: System V gABI, chapter 5, "Program Header" and "Dynamic Section".
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NULL, DT_NEEDED, DT_STRTAB = 0, 1, 5


class Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size: int


class Links(NamedTuple):
    """The loader's path ("" for a library or a static program) and the libraries' names."""

    interpreter: str
    needed: tuple[str, ...]


def links(data: bytes) -> Links:
    """Read the links of one file. Raises ValueError when it is no 64-bit little-endian ELF."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    segments = list(_segments(data))
    interpreter = ""
    needed: tuple[str, ...] = ()
    for segment in segments:
        if segment.kind == PT_INTERP:
            interpreter = _text(data, segment.offset)
        elif segment.kind == PT_DYNAMIC:
            needed = _needed(data, segments, segment)
    return Links(interpreter, needed)


def _segments(data: bytes) -> Iterator[Segment]:
    (table,) = struct.unpack_from("<Q", data, 0x20)
    entry_size, count = struct.unpack_from("<HH", data, 0x36)
    for index in range(count):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, table + index * entry_size)
        yield Segment(kind, offset, address, size)


def _needed(data: bytes, segments: list[Segment], dynamic: Segment) -> tuple[str, ...]:
    entries = list(struct.iter_unpack("<qQ", data[dynamic.offset : dynamic.offset + dynamic.size]))
    strings = next((value for tag, value in entries if tag == DT_STRTAB), 0)
    offset = _file_offset(segments, strings)
    return tuple(_text(data, offset + value) for tag, value in entries if tag == DT_NEEDED)


def _file_offset(segments: list[Segment], address: int) -> int:
    for segment in segments:
        if segment.kind == PT_LOAD and segment.address <= address < segment.address + segment.size:
            return segment.offset + address - segment.address
    raise ValueError(f"address {address:#x} is in no segment")


def _text(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode("ascii")
