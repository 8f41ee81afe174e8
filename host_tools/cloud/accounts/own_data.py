"""A person's own data: taken along, and deleted (G8). Both ask for the password."""

from __future__ import annotations

from host_tools.cloud.accounts import export
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import DELETION, WaitingChanges
from host_tools.cloud.store.database import Database


class OwnData:
    def __init__(self, database: Database, factors: Factors, changes: Changes, waiting: WaitingChanges):
        self._database = database
        self._factors = factors
        self._changes = changes
        self._waiting = waiting

    async def export(self, password: str, visit: Visit) -> bytes:
        """A zip file. It is told by mail: whoever has it knows a lot. Raises RefusedError."""
        await self._factors.again.check("take the data", password, visit)
        async with self._database.write() as session:
            await self._changes.tell(session, "data_exported", "", visit)
        self._changes.wake()
        async with self._database.read() as session:
            return await export.archive(session, visit.signed_in)

    async def ask_deletion(self, password: str, visit: Visit) -> None:
        """In 14 days everything is gone. Raises RefusedError."""
        await self._factors.again.check("delete the account", password, visit)
        await self._waiting.ask(visit.signed_in.id, DELETION, "", visit)
