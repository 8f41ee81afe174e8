"""News of what was sent for a sign-in: its page is told, and where nothing arrived another way is asked."""

from __future__ import annotations

import logging

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.second_step import SecondStep
from host_tools.cloud.accounts.visit import Absent
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import progress
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message, SignIn

log = logging.getLogger("cloud.accounts")


class FallThrough:
    def __init__(
        self, database: Database, second: SecondStep, bus: Bus, clock: Clock, channels: frozenset[str]
    ):
        self._database = database
        self._second = second
        self._bus = bus
        self._clock = clock
        self._channels = channels

    async def heard(self, message: Message) -> None:
        """The post's news (delivery/post.py). `about` is a code's `bound_to`: "sign-in METHOD ID"."""
        purpose, _, sign_in_id = message.about.rpartition(" ")
        if not purpose.startswith("sign-in "):
            return
        if message.state in progress.LOST:
            await self._fall(purpose.removeprefix("sign-in "), sign_in_id)
        self._bus.publish(f"sign-in:{sign_in_id}")

    async def _fall(self, method: str, sign_in_id: str) -> None:
        async with self._database.read() as session:
            row = await session.get(SignIn, sign_in_id)
        if row is None or row.method != method:
            return  # it is over, or asks another way already
        visit = Absent.of(row, self._clock(), self._channels)
        waiting = await self._second.waiting(visit)
        if waiting is None or waiting.progress != progress.FAILED:
            return  # another message of the same purpose may arrive
        sends = waiting.sent.sends if waiting.sent else 1
        following = signin.after_loss(method, sends, waiting.offered)
        if not following:
            return
        try:
            await self._second.choose(following, row.phone_id, visit)
        except RefusedError:
            log.info("a sign-in could not fall through to %s", following)
