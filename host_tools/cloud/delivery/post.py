"""Messages on their way: what was promised in a transaction is sent, also after a restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from sqlalchemy import delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.errors import BusyError, RefusedError
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import progress
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.progress import LOST, OPEN, QUEUED, Next
from host_tools.cloud.delivery.queue import Queue
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message
from host_tools.cloud.store.outage import is_away
from host_tools.cloud.tasks import AGAIN_S

MAIL, SMS, VOICE, TELEGRAM, PUSH = "mail", "sms", "voice", "telegram", "push"
CHANNELS = (MAIL, SMS, VOICE, TELEGRAM, PUSH)
QUEUE_MAX = 10_000  # a mail server that is away for an hour, at the pace that sign-ups are allowed
KEPT_S = 30 * 24 * 3600  # what was sent, when and how often tried; not what it said
SEND_TIMEOUT_S = 30  # a mail server may look up our name before it answers
NOTE_AGAIN_S = 1  # a lease that ends meanwhile is another lane's, or another process's
IDLE_S = 60  # look again at least this often: another process may have added a message
NO_WAY = N_("This cloud cannot send that now. Use another way.")

log = logging.getLogger("cloud.delivery")
News = Callable[[Message], Awaitable[None]]


class Driver(Protocol):
    """Carries messages. Both raise DeliveryError, or OSError from the line.

    at_once: how many it carries at a time. In turn where it is 1.
    """

    at_once: int

    async def send(self, message: Message) -> str:
        """Hand it over. Returns the carrier's name of it, by which `arrived` can ask; "" where none can."""
        ...

    async def arrived(self, message: Message) -> bool:
        """Whether what was handed over has arrived; False: not known yet."""
        ...


class Post:
    """`add` within a transaction, `wake` after it; `run` is the worker.

    drivers: what carries the messages of each channel, {channel: Driver}.
    news: told of every message for a purpose (`about`) whose state has changed.
    """

    def __init__(self, database: Database, drivers: Mapping[str, Driver], clock: Clock):
        self._database = database
        self._queue = Queue(database)
        self._drivers = drivers
        self._clock = clock
        self._lanes: list[Lane] = []
        self._wanted = True  # the first look has not been taken
        self._ending = False
        self.news: News | None = None

    @property
    def channels(self) -> frozenset[str]:
        """What this cloud can send by: a method whose channel is not among them is not offered."""
        return frozenset(self._drivers)

    async def add(
        self,
        session: AsyncSession,
        recipient: str,
        text: Text,
        now: float,
        channel: str = MAIL,
        *,
        about: str = "",
        expires_at: float | None = None,
    ) -> None:
        """Queue a message in the caller's transaction. Raises BusyError where too many wait, RefusedError
        where there is no way to send it.

        recipient: an address, a number in E.164, a chat; whatever the channel's driver takes.
        about: the purpose, by which its state is asked for. expires_at: later it is not sent any more.
        """
        if channel not in self._drivers:
            raise RefusedError("", NO_WAY)
        waiting = await session.scalar(select(func.count()).where(Message.state.in_(OPEN)))
        if (waiting or 0) >= QUEUE_MAX:
            raise BusyError
        message = Message(channel=channel, recipient=recipient, subject=text.subject, body=text.body)
        message.extra, message.reference, message.why = text.extra, "", ""
        message.state, message.attempts, message.due_at, message.created_at = QUEUED, 0, now, now
        message.about, message.expires_at = about, expires_at
        session.add(message)

    def wake(self) -> None:
        self._wanted = not self._lanes
        for lane in self._lanes:
            lane.wake()

    def idle(self) -> bool:
        """Whether everything that was due has been tried."""
        return not self._wanted and all(lane.asleep for lane in self._lanes)

    async def run(self) -> None:
        """Send what is due, sleep until the next is, for ever. A slow carrier delays its own channels."""
        if self._ending:
            return
        self._lanes = [
            Lane(driver, channels, self._queue, self._clock, self._tell)
            for driver, channels in self._routes()
            for _ in range(driver.at_once)
        ]
        self._wanted = False
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run(), name=f"post: {lane.channels}")

    async def finish(self) -> None:
        """Take nothing more from the queue; until what carriers have been handed is noted down."""
        self._ending = True
        await asyncio.gather(*(lane.finish() for lane in self._lanes))

    async def prune(self, now: float) -> None:
        ended = Message.state.not_in(OPEN) & (Message.created_at < now - KEPT_S)
        async with self._database.write() as session:
            await session.execute(delete(Message).where(ended))

    def _routes(self) -> list[tuple[Driver, tuple[str, ...]]]:
        """Each driver once, with what it carries; and, to give it up, what nothing carries any more."""
        drivers = {id(driver): driver for driver in self._drivers.values()}
        routes: list[tuple[Driver, tuple[str, ...]]] = [
            (driver, tuple(channel for channel in CHANNELS if self._drivers.get(channel) is driver))
            for driver in drivers.values()
        ]
        without = tuple(channel for channel in CHANNELS if channel not in self._drivers)
        return [*routes, (NoWay(), without)] if without else routes

    async def _tell(self, message: Message) -> None:
        if self.news is not None and message.about:
            await self.news(message)


class NoWay:
    """For messages that waited through a change of settings."""

    at_once = 1

    async def send(self, message: Message) -> str:
        raise DeliveryError(f"this cloud has no way to send by {message.channel} any more", permanent=True)

    async def arrived(self, message: Message) -> bool:
        return True


class Lane:
    """One message at a time, of some channels, until it is cancelled."""

    def __init__(
        self, driver: Driver, channels: tuple[str, ...], queue: Queue, clock: Clock, tell: News
    ) -> None:
        self.channels = channels
        self._driver = driver
        self._queue = queue
        self._clock = clock
        self._tell = tell
        self._wanted = asyncio.Event()
        self._working = True
        self._ending = False
        self._hands_free = asyncio.Event()
        self._hands_free.set()

    @property
    def asleep(self) -> bool:
        return not (self._working or self._wanted.is_set())

    def wake(self) -> None:
        self._wanted.set()

    async def finish(self) -> None:
        self._ending = True
        await self._hands_free.wait()

    async def run(self) -> None:
        while not self._ending:
            try:
                await self._turn()
            except Exception:
                # The other lanes are in the middle of sending: what is broken off there would be sent again.
                log.exception("a lane of %s failed, and begins again in %d s", self.channels, AGAIN_S)
                await asyncio.sleep(AGAIN_S)

    async def _turn(self) -> None:
        """Everything that is due, then sleep until more may be."""
        self._wanted.clear()
        self._working = True
        while await self._carried_one():
            pass
        due_at = await self._queue.next_due_at(self.channels)
        self._working = False
        await self._sleep(IDLE_S if due_at is None else min(IDLE_S, max(0.0, due_at - self._clock())))

    async def _carried_one(self) -> bool:
        if self._ending:
            return False
        self._hands_free.clear()
        try:
            message = await self._queue.claim(self.channels, self._clock())
            if message is not None:
                await self._carry(message)
            return message is not None
        finally:
            self._hands_free.set()

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wanted.wait(), seconds)
        except TimeoutError:
            return  # it is time for the next message

    async def _carry(self, message: Message) -> None:
        if message.state in LOST:
            log.warning("message %d was not sent: its time is over", message.id)
            await self._tell(message)
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                after, reference = await self._try(message)
        except DeliveryError as error:
            await self._refused(message, error)
        except (OSError, TimeoutError) as error:
            await self._refused(message, DeliveryError(type(error).__name__))
        except Exception as error:
            # One message that its driver chokes on must not keep all others waiting. The error may quote it.
            await self._refused(message, DeliveryError(type(error).__name__))
        else:
            await self._settle(message, after, reference)

    async def _try(self, message: Message) -> tuple[Next, str]:
        if message.state == QUEUED:
            reference = await self._driver.send(message)
            return progress.after_carried(message, reference, self._clock()), reference
        return progress.after_asked(message, await self._driver.arrived(message), self._clock()), ""

    async def _refused(self, message: Message, error: DeliveryError) -> None:
        log.warning("message %d was not sent (attempt %d): %s", message.id, message.attempts, error)
        after = progress.after_refused(message, error.permanent, error.retry_after_s, self._clock())
        await self._settle(message, after, why=str(error))

    async def _settle(self, message: Message, after: Next, reference: str = "", why: str = "") -> None:
        if not await self._noted_down(message, after, reference, why):
            log.warning("message %d was settled by another process", message.id)
            return
        if after.state == message.state and not why:
            return  # nothing new
        message.state = after.state
        await self._tell(message)

    async def _noted_down(self, message: Message, after: Next, reference: str, why: str) -> bool:
        """However long the database is away: this lane alone knows that it was sent."""
        while True:
            try:
                return await self._queue.settle(message, after, reference, why)
            except DBAPIError as error:
                if not is_away(error):
                    raise
            await asyncio.sleep(NOTE_AGAIN_S)
