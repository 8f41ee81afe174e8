"""Where things are in the repository, and how a built thing gets its name only when it is whole."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
BOARDS = ROOT / "boards"
BUILD = ROOT / "build"

PACKAGES_NEED_MB = 1000  # what fetching and unpacking a board's packages takes, at its peak


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that it is there with all of its bytes or as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="." + path.name + "-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def whole_folder(path: Path, fill: Callable[[Path], None]) -> Path:
    """Return the folder, filled first when it is not there yet. A half-filled one is never seen."""
    if path.is_dir():
        return path
    with scratch(path.parent) as temporary:
        filled = temporary / path.name
        filled.mkdir()
        fill(filled)
        try:
            filled.rename(path)
        except OSError:
            # Somebody else was faster with the same content; anything else is a fault.
            if not path.is_dir():
                raise
    return path


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A folder for half-made things on the same file system; gone when the block ends, however it ends."""
    parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=parent, prefix=".half-made-"))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def keep_newest(parent: Path, pattern: str, count: int) -> None:
    """Remove all but the newest folders of one kind."""
    folders = sorted(parent.glob(pattern), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[count:]:
        shutil.rmtree(folder, ignore_errors=True)


def need_space(parent: Path, megabytes: int) -> None:
    parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(parent).free // 1_000_000
    if free < megabytes:
        raise ToolError(
            f"the disk that holds {parent} has {free} MB left, and {megabytes} MB are needed",
            f"free {megabytes - free} MB and try again",
            exit_codes.DISK_FULL,
        )
