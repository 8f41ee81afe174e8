"""The writers of one process take turns, in the order in which they came.

Both databases let one write at a time. SQLite has no order among those who wait, so that one who asks seldom
would starve beside many who ask often; on PostgreSQL each of them would hold a connection meanwhile, which a
page may need. Between processes the database decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import OperationalError


class Turns:
    def __init__(self, patience_s: float):
        self._patience_s = patience_s
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[float]:
        """Yields when the database must have let it begin, by the loop's time.

        Raises OperationalError, as the database would, where the others have not ended in time.
        """
        deadline = asyncio.get_running_loop().time() + self._patience_s
        try:
            async with asyncio.timeout_at(deadline):
                await self._lock.acquire()
        except TimeoutError as error:
            raise OperationalError("BEGIN", None, TimeoutError("database is locked")) from error
        try:
            yield deadline
        finally:
            self._lock.release()
