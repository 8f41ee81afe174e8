"""A secret that somebody replaces in its file while we run: read again when the file has changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from host_tools.cloud.delivery.given import read_private
from host_tools.errors import ToolError

Stamp = tuple[int, int, int]
log = logging.getLogger("cloud.delivery")


class KeptSecret:
    """path: "" where the secret came from the environment, and stays.

    fits: whether a text can be such a secret. What does not fit, or cannot be read, leaves the one of before,
    and is told once.
    """

    def __init__(self, value: str, path: str, fits: Callable[[str], bool]):
        self._value = value
        self._path = Path(path) if path else None
        self._fits = fits
        self._seen = self._stamp()

    def current(self) -> str:
        """One stat() call where nothing has changed."""
        stamp = self._stamp()
        if self._path is not None and stamp != self._seen:
            self._seen = stamp
            self._value = self._read(self._path) or self._value
        return self._value

    def _read(self, path: Path) -> str:
        try:
            text = read_private(path, "mend it")
        except ToolError as error:
            log.warning("%s: the one of before is used", error)
            return ""
        if not self._fits(text):
            log.warning("what stands in %s is no such secret: the one of before is used", path)
            return ""
        log.info("%s has changed, and is used from now on", path)
        return text

    def _stamp(self) -> Stamp | None:
        try:
            found = os.stat(self._path) if self._path else None
        except OSError:
            return None  # between two files
        return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None
