"""Stolen passwords as a file: seven bytes of each SHA-1, five of them stored, in order.

    16 bytes      MAGIC, and how many there are (big-endian)
    65,537 * 8    for each first two bytes: how many digests are before it; the last: how many there are
    5 * count     bytes 2 to 6 of each digest

The digests are spread evenly, so a guess by proportion lands near: a few looks within the share of its two
bytes. With a billion passwords, one sound password of 70 million is taken for one of them.
"""

from __future__ import annotations

import asyncio
import mmap
import struct
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError

MAGIC = b"GLBREACH"
HEAD = struct.Struct(">8sQ")
SHARES = 1 << 16
OFFSET = struct.Struct(">Q")
TABLE_AT = HEAD.size
ENTRIES_AT = TABLE_AT + (SHARES + 1) * OFFSET.size
ENTRY = 5
KEY = 2 + ENTRY  # what is kept of a digest
GUESSES = 8  # by proportion; of a file that is not spread evenly the rest is halved
VALUES = 1 << (8 * ENTRY)


class DigestFile:
    """Mapped, not read: the system keeps in memory what is looked at."""

    def __init__(self, path: Path):
        """Raises ToolError."""
        self._path = path
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise self._fault(f"cannot be read ({error})") from error
        if len(self._map) < ENTRIES_AT or self._map[: len(MAGIC)] != MAGIC:
            raise self._fault("is no file of breached passwords")
        _, self.count = HEAD.unpack_from(self._map)
        if len(self._map) != ENTRIES_AT + ENTRY * self.count or self._before(SHARES) != self.count:
            raise self._fault("is damaged, or was not finished")

    async def knows(self, digest: str) -> bool:
        """In a thread: what is not in memory yet is waited for."""
        return await asyncio.to_thread(self.has, bytes.fromhex(digest))

    def has(self, digest: bytes) -> bool:
        share, wanted = int.from_bytes(digest[:2], "big"), int.from_bytes(digest[2:KEY], "big")
        low, high = self._before(share), min(self._before(share + 1), self.count)
        least, most = 0, VALUES  # what is at low or later is least or more, and before high less than most
        looks = 0
        while low < high:
            share_of = (wanted - least) / (most - least) if looks < GUESSES else 0.5
            middle = min(low + int(share_of * (high - low)), high - 1)
            looks += 1
            found = self._entry(middle)
            if found == wanted:
                return True
            if found < wanted:
                low, least = middle + 1, found + 1
            else:
                high, most = middle, found
        return False

    def close(self) -> None:
        self._map.close()

    def _before(self, share: int) -> int:
        return OFFSET.unpack_from(self._map, TABLE_AT + share * OFFSET.size)[0]

    def _entry(self, index: int) -> int:
        at = ENTRIES_AT + index * ENTRY
        return int.from_bytes(self._map[at : at + ENTRY], "big")

    def _fault(self, what: str) -> ToolError:
        remedy = "make it with 'gatelodge cloud breached-passwords'"
        return ToolError(f"{self._path} {what}", remedy, exit_codes.CLOUD_DID_NOT_START)
