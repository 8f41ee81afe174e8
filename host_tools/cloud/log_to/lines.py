"""What the process writes to its log, as messages that wait to be sent: bounded, and from any thread."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from host_tools.cloud.log_to.syslog import DAEMON, ERROR, INFO, MESSAGE_MAX, WARNING, Message
from host_tools.cloud.store.outage import OncePerOutage

# Of some 200 bytes, MESSAGE_MAX characters at most: the log of hours; of a trouble the beginning is kept.
LINES_MAX = 2000
BATCH = 100  # of them are acknowledged together; so many may come twice after a connection that broke
SEVERITIES = ((logging.ERROR, ERROR), (logging.WARNING, WARNING), (logging.NOTSET, INFO))


class Lines(logging.Handler):
    """`taken` is called whenever a line came, in the thread that wrote it."""

    def __init__(self, taken: Callable[[], None]):
        super().__init__(logging.INFO)
        self.addFilter(OncePerOutage())
        self._taken = taken
        self._waiting: deque[Message] = deque()
        self._left_out = 0
        self._guard = threading.Lock()  # logging's own lock is held by handle() alone, not by who reads

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._take(_message(record))
            self._taken()
        except Exception:
            self.handleError(record)  # as every handler of logging does: says so on stderr

    def _take(self, message: Message) -> None:
        with self._guard:
            if len(self._waiting) < LINES_MAX:
                self._waiting.append(message)
            else:
                self._left_out += 1

    def next(self) -> list[Message]:
        """The next ones to be sent, BATCH at most. They stay until `sent()`: a connection may break under
        them."""
        with self._guard:
            if not self._waiting and self._left_out:
                self._waiting.append(_missing(self._left_out))
                self._left_out = 0
            return list(itertools.islice(self._waiting, BATCH))

    def sent(self, count: int) -> None:
        with self._guard:
            for _ in range(count):
                self._waiting.popleft()

    def __len__(self) -> int:
        return len(self._waiting) + self._left_out


def _message(record: logging.LogRecord) -> Message:
    severity = next(each for level, each in SEVERITIES if record.levelno >= level)
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    return Message(DAEMON, severity, record.created, record.name, _lines(text[:MESSAGE_MAX])[:MESSAGE_MAX])


def _lines(text: str) -> str:
    """Without what would speak to the terminal that shows it; a trace keeps its lines."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _missing(count: int) -> Message:
    text = f"{count} lines were left out: the log's system was away for too long"
    return Message(DAEMON, WARNING, time.time(), "cloud.log_to", text)
