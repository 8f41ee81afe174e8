"""What becomes of a message, as a table and pure functions.

    queued --carried--> sent
    queued --handed---> handed --carried--> sent
                         |--unknown--> handed       the carrier does not know yet
    queued, handed --refused--> queued, later | given_up
    queued --late--> expired                        a code that nobody can use any more
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from gatelodge.contract.errors import StateError

QUEUED, HANDED, SENT, GIVEN_UP, EXPIRED = "queued", "handed", "sent", "given_up", "expired"
OPEN = (QUEUED, HANDED)
LOST = (GIVEN_UP, EXPIRED)

# RFC 5321 section 4.5.4.1 retries for days; a code is stale after ten minutes, so the early ones come
# quickly.
RETRY_AFTER_S = (5, 30, 120, 600, 3600, 4 * 3600)
ASK_EVERY_S = 3  # how a carrier fares with what it was handed: a phone rings for some twenty seconds
ASK_FOR_S = 300  # then it is taken for sent: a phone that is off is nobody's fault

ON_THE_WAY, LATE, FAILED = "on_the_way", "late", "failed"


class Row(Protocol):
    """What is decided by, of store.models.Message."""

    state: str
    attempts: int
    created_at: float
    expires_at: float | None
    why: str


class Next(NamedTuple):
    state: str
    due_at: float


def retry_after_s(attempts: int) -> int | None:
    """Seconds until the next attempt after so many failed ones; None: give up."""
    return RETRY_AFTER_S[attempts - 1] if attempts <= len(RETRY_AFTER_S) else None


def is_late(row: Row, now: float) -> bool:
    return row.state == QUEUED and row.expires_at is not None and now >= row.expires_at


def after_carried(row: Row, reference: str, now: float) -> Next:
    """The carrier took it. A reference: it can be asked what became of it."""
    _expect(row, QUEUED)
    return Next(HANDED, now + ASK_EVERY_S) if reference else Next(SENT, now)


def after_asked(row: Row, arrived: bool, now: float) -> Next:
    _expect(row, HANDED)
    over = now >= row.created_at + ASK_FOR_S
    return Next(SENT, now) if arrived or over else Next(HANDED, now + ASK_EVERY_S)


def after_refused(row: Row, permanent: bool, asked_to_wait_s: float | None, now: float) -> Next:
    """Later, or never: where it is final, was tried often enough, or would come too late to be of use."""
    _expect(row, *OPEN)
    wait_s = retry_after_s(row.attempts)
    if permanent or wait_s is None:
        return Next(GIVEN_UP, now)
    due_at = now + max(wait_s, asked_to_wait_s or 0.0)
    if row.state == HANDED:  # it is with the carrier, and only could not be asked for
        return after_asked(row, False, now)
    if row.expires_at is not None and due_at >= row.expires_at:
        return Next(GIVEN_UP, now)
    return Next(QUEUED, due_at)


def of_all(rows: Iterable[Row]) -> str:
    """How it stands with what was sent for one purpose: one that arrives is enough."""
    states = [(row.state, bool(row.why)) for row in rows]
    if states and all(state in LOST for state, _ in states):
        return FAILED
    on_the_way = [failed for state, failed in states if state not in LOST]
    return LATE if on_the_way and all(on_the_way) else ON_THE_WAY


def _expect(row: Row, *states: str) -> None:
    if row.state not in states:
        raise StateError(f"A message that is {row.state} goes nowhere.")
