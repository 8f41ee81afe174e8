"""A database that is away: its server restarts or cannot be reached, or its disk takes nothing.

Whoever asks is told to come back (pages/failures.py), and what runs in the background begins again. The log
has a line when that begins and one when it is over: every page, task and router fails of it, and none of them
has more to tell.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

# A transaction takes milliseconds. A server that took a statement and says nothing keeps a page so long;
# whoever comes after it waits less, until there was an answer.
PATIENCE_S, PATIENCE_AWAY_S = 15, 3
PATIENCE_LONG_S = 1800  # one that goes through a whole fleet or table; each statement has a limit of its own
TOLD_EVERY_S = 60  # a disk that is full now and then tells so no oftener
WAIT_TOLD_EVERY_S = 1
REASON_MAX = 200

# SQLite's result codes (https://www.sqlite.org/rescode.html). A damaged file is none of them: that stays.
UNREACHABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR})
UNWRITABLE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
PRIMARY = 0xFF  # the rest of a code says why
# PostgreSQL, appendix A: connections, resources, the operator's intervention, the system beneath; who we are.
CLASSES = ("08", "53", "57P", "58", "28")
UNWRITABLE_STATES = ("25006", "53100")  # a standby, or a server set read-only; its disk is full

log = logging.getLogger("cloud.store")


def is_away(error: BaseException | None) -> bool:
    """Whether the database cannot be used for now, whatever it is asked."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    known = state.startswith(CLASSES) or state in UNWRITABLE_STATES
    return error.connection_invalidated or known or _code(error) in UNREACHABLE | UNWRITABLE


def _only_writes(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in UNWRITABLE_STATES or _code(error) in UNWRITABLE


def _code(error: DBAPIError) -> int:
    return getattr(error.orig, "sqlite_errorcode", 0) & PRIMARY


class Outage:
    """Of one database: `watch` its transactions, each within its time."""

    def __init__(self, *, patient: bool):
        """patient: wait as long as it takes; of a file there is nobody who may have gone."""
        self._patient = patient
        self._since: float | None = None
        self._only_writes = False
        self._failures = 0
        self._told_at = self._wait_told_at = float("-inf")
        self._told = False

    @property
    def lasts(self) -> bool:
        return self._since is not None

    @asynccontextmanager
    async def watch(self, *, writes: bool = False, long: bool = False) -> AsyncIterator[None]:
        """Raises OperationalError where it took too long."""
        try:
            async with asyncio.timeout(self._patience_s(long)) as within:
                yield
        except TimeoutError as error:
            if not within.expired():
                raise  # whose own it is
            late = OperationalError("", None, TimeoutError("no answer in time"), connection_invalidated=True)
            self.note(late)
            raise late from error
        except DBAPIError as error:
            self.note(error)
            raise
        self.answered(writes=writes)

    def note(self, error: BaseException) -> None:
        if not isinstance(error, DBAPIError) or not is_away(error):
            return
        self._failures += 1
        if self._since is not None:
            self._only_writes &= _only_writes(error)
            return
        now = time.monotonic()
        self._since, self._only_writes = now, _only_writes(error)
        self._told = now >= self._told_at + TOLD_EVERY_S
        if self._told:
            self._told_at = now
            log.error("the database cannot be used: %s", _reason(error))

    def answered(self, *, writes: bool) -> None:
        if self._since is None or (self._only_writes and not writes):
            return
        lasted_s, self._since = time.monotonic() - self._since, None
        if self._told:
            log.warning("the database answers again: %d failed in %d s", self._failures, lasted_s)
        self._failures = 0

    def tells_of_a_wait(self) -> bool:
        """Whether the log is to hear of one who waited too long: of the first, and then now and again."""
        now = time.monotonic()
        if self.lasts or now < self._wait_told_at + WAIT_TOLD_EVERY_S:
            return False
        self._wait_told_at = now
        return True

    def _patience_s(self, long: bool) -> float | None:
        if self._patient:
            return None
        if long:
            return PATIENCE_LONG_S
        return PATIENCE_AWAY_S if self.lasts else PATIENCE_S


class OncePerOutage(logging.Filter):
    """Of a handler: leaves out what failed for no other reason than a database that is away."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and is_away(record.exc_info[1]))


def _reason(error: DBAPIError) -> str:
    """The driver's words, which hold no value of a row: those are of other errors."""
    text = str(error.orig) or type(error.orig).__name__
    return " ".join(text.split())[:REASON_MAX]
