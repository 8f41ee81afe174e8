"""Lines for the journal of systemd: each with its priority, and without a time, for the journal has one."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import IO

# By the level: those of syslog, in the way that sd-daemon(3) writes them.
PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


def is_journal(stream: IO[str], environment: Mapping[str, str]) -> bool:
    """Whether the stream is the journal's own, and was not led elsewhere since (systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a descriptor
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class Prioritised(logging.Formatter):
    """As another formatter writes it, with the priority at each line of it."""

    def __init__(self, inner: logging.Formatter):
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        priority = PRIORITIES.get(record.levelno, PRIORITIES[logging.INFO])
        return "\n".join(f"<{priority}>{line}" for line in self._inner.format(record).splitlines())
