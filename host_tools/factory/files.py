"""Files that are whole and on the disk, or not there."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def make_directory(path: Path) -> None:
    """Make the directory, for its owner only, with those above it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_durably(path: Path, content: bytes, mode: int) -> None:
    """Replace the file: on the disk when this returns, the old one or the new one at every moment."""
    write_pieces_durably(path, (content,), mode)


def write_pieces_durably(path: Path, pieces: Iterable[bytes], mode: int) -> None:
    """The same for what is too long to be held at once."""
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)  # a part that an interrupted run left keeps its mode otherwise
        for piece in pieces:
            _write_all(descriptor, piece)
        os.fsync(descriptor)
    except BaseException:
        part.unlink(missing_ok=True)  # it may be what has filled the disk
        raise
    finally:
        os.close(descriptor)
    part.replace(path)
    sync_directory(path.parent)


def append_durably(path: Path, content: bytes) -> None:
    """Append in one write, on the disk when this returns. Makes the file when it is not there."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        _write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        sync_directory(path.parent)


def remove_durably(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_directory(path.parent)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One process, and one thread of it, at a time."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # which unlocks


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
