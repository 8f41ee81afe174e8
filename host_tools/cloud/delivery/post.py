"""The queue of messages. It is a table: what was promised in a transaction is sent, also after a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from gatelodge.contract.errors import StateError
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import BusyError
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message

MAIL, SMS, VOICE, TELEGRAM, PUSH = "mail", "sms", "voice", "telegram", "push"
CHANNELS = (MAIL, SMS, VOICE, TELEGRAM, PUSH)
QUEUED, SENT, GIVEN_UP = "queued", "sent", "given_up"
BATCH = 20
QUEUE_MAX = 10_000  # a mail server that is away for an hour, at the pace that sign-ups are allowed
KEPT_S = 30 * 24 * 3600  # what was sent, when and how often tried; not what it said
SEND_TIMEOUT_S = 30  # a mail server may look up our name before it answers
# RFC 5321 section 4.5.4.1 retries for days; a code is stale after ten minutes, so the early ones come
# quickly.
RETRY_AFTER_S = (5, 30, 120, 600, 3600, 4 * 3600)
IDLE_S = 60  # look again at least this often: another process may have added a message

log = logging.getLogger("cloud.delivery")


class Driver(Protocol):
    """Carries messages of one channel. `send` raises DeliveryError, or OSError from the line."""

    async def send(self, message: Message) -> None: ...


def retry_after_s(attempts: int) -> int | None:
    """Seconds until the next attempt after so many failed ones; None: give up."""
    return RETRY_AFTER_S[attempts - 1] if attempts <= len(RETRY_AFTER_S) else None


class Post:
    """`add` within a transaction, `wake` after it; `run` is the one worker.

    drivers: what carries the messages of each channel, {channel: Driver}.
    """

    def __init__(self, database: Database, drivers: Mapping[str, Driver], clock: Clock):
        self._database = database
        self._drivers = drivers
        self._clock = clock
        self._wanted = asyncio.Event()
        self._working = False

    @property
    def channels(self) -> frozenset[str]:
        """What this cloud can send by: a method whose channel is not among them is not offered."""
        return frozenset(self._drivers)

    async def add(
        self, session: AsyncSession, recipient: str, text: Text, now: float, channel: str = MAIL
    ) -> None:
        """Queue a message in the caller's transaction. Raises BusyError where too many wait.

        recipient: an address, a number in E.164, a chat; whatever the channel's driver takes.
        """
        if channel not in self._drivers:
            raise StateError(f"This cloud has no way to send by {channel}.")
        waiting = await session.scalar(select(func.count()).where(Message.state == QUEUED))
        if (waiting or 0) >= QUEUE_MAX:
            raise BusyError
        message = Message(channel=channel, recipient=recipient, subject=text.subject, body=text.body)
        message.state, message.attempts, message.due_at, message.created_at = QUEUED, 0, now, now
        session.add(message)

    def wake(self) -> None:
        self._wanted.set()

    def idle(self) -> bool:
        """Whether everything that was due has been tried."""
        return not (self._working or self._wanted.is_set())

    async def run(self) -> None:
        """Send what is due, sleep until the next is, for ever."""
        while True:
            self._wanted.clear()
            self._working = True
            for message in await self._due():
                await self._send(message)
            wait_s = await self._next_due_in_s()
            self._working = False
            await self._sleep(wait_s)

    async def prune(self, now: float) -> None:
        ended = (Message.state != QUEUED) & (Message.created_at < now - KEPT_S)
        async with self._database.write() as session:
            await session.execute(delete(Message).where(ended))

    async def _due(self) -> list[Message]:
        waiting = select(Message).where(Message.state == QUEUED, Message.due_at <= self._clock())
        async with self._database.read() as session:
            return list(await session.scalars(waiting.order_by(Message.due_at).limit(BATCH)))

    async def _next_due_in_s(self) -> float:
        async with self._database.read() as session:
            due_at = await session.scalar(select(func.min(Message.due_at)).where(Message.state == QUEUED))
        return IDLE_S if due_at is None else min(IDLE_S, max(0.0, due_at - self._clock()))

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wanted.wait(), seconds)
        except TimeoutError:
            return  # it is time for the next message

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self._driver_of(message).send(message)
        except (DeliveryError, OSError, TimeoutError) as error:
            await self._failed(message, str(error) or type(error).__name__)
            return
        except Exception as error:
            # One message that its driver chokes on must not keep all others waiting. The error may quote it.
            await self._failed(message, type(error).__name__)
            return
        await self._close(message, SENT)

    def _driver_of(self, message: Message) -> Driver:
        """A message may have waited through a change of settings."""
        if message.channel not in self._drivers:
            raise DeliveryError(f"this cloud has no way to send by {message.channel} any more")
        return self._drivers[message.channel]

    async def _failed(self, message: Message, why: str) -> None:
        attempts = message.attempts + 1
        wait_s = retry_after_s(attempts)
        log.warning("message %d was not sent (attempt %d): %s", message.id, attempts, why)
        if wait_s is None:
            await self._close(message, GIVEN_UP)
            return
        later = {"attempts": attempts, "due_at": self._clock() + wait_s}
        async with self._database.write() as session:
            await session.execute(update(Message).where(Message.id == message.id).values(**later))

    async def _close(self, message: Message, state: str) -> None:
        async with self._database.write() as session:
            await session.execute(
                update(Message).where(Message.id == message.id).values(state=state, body="")
            )
