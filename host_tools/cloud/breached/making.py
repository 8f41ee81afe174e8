"""A file of stolen passwords (digest_file.py), of sorted `SHA1:count` lines: one pass, in bounded memory."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from host_tools import exit_codes
from host_tools.cloud.breached.digest_file import (
    ENTRIES_AT,
    HEAD,
    KEY,
    MAGIC,
    OFFSET,
    SHARES,
)
from host_tools.errors import ToolError

DIGEST = 40
TOLD_EVERY = 1 << 17


def make(
    sources: Iterable[Path], path: Path, at_least: int, told: Callable[[int], None] = lambda _: None
) -> int:
    """Write the whole file, or none. Returns how many passwords it holds. Raises ToolError.

    at_least: how often a password was seen. told: hears from time to time how many there are so far.
    """
    new = path.with_name(path.name + ".new")
    try:
        with ExitStack() as opened, new.open("wb") as file:
            lines = [_keys(source, opened.enter_context(source.open("rb")), at_least) for source in sources]
            file.seek(ENTRIES_AT)
            befores, count = [0] * (SHARES + 1), 0
            for key in _without_twins(heapq.merge(*lines)):
                file.write(key[2:])
                count += 1
                befores[int.from_bytes(key[:2], "big") + 1] += 1
                if count % TOLD_EVERY == 0:
                    told(count)
            _write_head(file, befores, count)
        os.replace(new, path)
    except OSError as error:
        remedy = "name files that can be read, and a place that can be written to"
        raise ToolError(f"{error.filename or path}: {error.strerror}", remedy, exit_codes.FAILED) from error
    finally:
        new.unlink(missing_ok=True)
    return count


def _write_head(file, befores: list[int], count: int) -> None:
    file.seek(0)
    file.write(HEAD.pack(MAGIC, count))
    before = 0
    for share in befores:
        before += share
        file.write(OFFSET.pack(before))
    file.flush()
    os.fsync(file.fileno())


def _keys(path: Path, lines: Iterable[bytes], at_least: int) -> Iterator[bytes]:
    """The head of each digest. Raises ToolError where a line is none, or out of order."""
    before = ""
    for number, line in enumerate(lines, 1):
        digest, _, seen = line.decode("ascii", "replace").partition(":")
        digest = digest.upper()
        try:
            key = bytes.fromhex(digest[: 2 * KEY])
            times = int(seen)
        except ValueError:
            key, times = b"", 0
        if len(digest) != DIGEST or len(key) != KEY:
            raise _fault(path, number, "is not a SHA-1, a colon and a count")
        if digest < before:
            raise _fault(path, number, "is out of order")
        before = digest
        if times >= at_least:
            yield key


def _fault(path: Path, number: int, what: str) -> ToolError:
    remedy = "take the download that is ordered by hash"
    return ToolError(f"{path}:{number}: the line {what}", remedy, exit_codes.FAILED)


def _without_twins(keys: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for key in keys:
        if key != before:
            yield key
        before = key
