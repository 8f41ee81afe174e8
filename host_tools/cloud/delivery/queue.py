"""The queue's table: what is due, claimed by one worker of one process, and what became of it.

A claim is a lease: its message is due again when the lease ends, should the worker have died. Whoever
settles it later than that changes nothing. So a message is sent twice only where a process died between
its sending and its noting down, which no queue can exclude.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select, update

from host_tools.cloud.delivery.progress import EXPIRED, OPEN, QUEUED, Next, is_late
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message

LEASE_S = 120  # four times as long as a sending may take (post.py)
WHY_MAX = 120


class Queue:
    def __init__(self, database: Database):
        self._database = database

    async def claim(self, channels: Collection[str], now: float) -> Message | None:
        """One that is due, nobody else's until the lease ends; EXPIRED where it has come too late."""
        if await self.next_due_at(channels, now) is None:
            return None  # the usual case takes no lock
        due = _open(channels).where(Message.due_at <= now).order_by(Message.due_at, Message.id).limit(1)
        async with self._database.write() as session:
            row = await session.scalar(due.with_for_update(skip_locked=True))
            if row is None:
                return None
            if is_late(row, now):
                row.state, row.body, row.extra = EXPIRED, "", ""
                return row
            row.due_at = now + LEASE_S
            row.attempts += row.state == QUEUED
            return row

    async def settle(self, claimed: Message, after: Next, reference: str = "", why: str = "") -> bool:
        """Note down what became of it, and forget what it said when it needs no more saying.

        False where the lease has ended, and somebody else has it.
        """
        mine = (Message.id == claimed.id, Message.state == claimed.state, Message.due_at == claimed.due_at)
        values = {"state": after.state, "due_at": after.due_at, "why": why[:WHY_MAX]}
        if reference:
            values["reference"] = reference
        if after.state != QUEUED:
            values |= {"body": "", "extra": ""}
        async with self._database.write() as session:
            changed = update(Message).where(*mine).values(**values).returning(Message.id)
            return await session.scalar(changed) is not None

    async def next_due_at(self, channels: Collection[str], until: float | None = None) -> float | None:
        """When the next is due; with `until`, only if it is by then."""
        first = select(func.min(Message.due_at)).where(Message.channel.in_(channels), Message.state.in_(OPEN))
        async with self._database.read() as session:
            due_at = await session.scalar(first)
        return due_at if due_at is not None and (until is None or due_at <= until) else None


def _open(channels: Collection[str]):
    return select(Message).where(Message.channel.in_(channels), Message.state.in_(OPEN))


def for_purpose(about: str, since: float):
    """What was sent for one purpose from that moment on (`about`: Message.about)."""
    return select(Message).where(Message.about == about, Message.created_at >= since)
