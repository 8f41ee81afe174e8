"""The outbox of development: messages stay here, on a page that only this computer can open."""

from __future__ import annotations

from sqlalchemy import delete, select

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message, OutboxMessage

SHOWN_MAX = 100
KEPT_MAX = 1000


class Outbox:
    at_once = 1  # in turn: the page shows the newest first

    def __init__(self, database: Database):
        self._database = database

    async def send(self, message: Message) -> str:
        copied = ("channel", "recipient", "subject", "body", "created_at")
        async with self._database.write() as session:
            session.add(OutboxMessage(**{name: getattr(message, name) for name in copied}))
            newest = select(OutboxMessage.id).order_by(OutboxMessage.id.desc()).limit(KEPT_MAX)
            await session.execute(delete(OutboxMessage).where(OutboxMessage.id.not_in(newest)))
        return ""

    async def arrived(self, message: Message) -> bool:
        return True

    async def messages(self) -> list[OutboxMessage]:
        """The newest first."""
        async with self._database.read() as session:
            newest = select(OutboxMessage).order_by(OutboxMessage.id.desc()).limit(SHOWN_MAX)
            return list(await session.scalars(newest))
