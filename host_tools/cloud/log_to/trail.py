"""The events of accounts (accounts/events.py), read from the database after they were committed.

So each is sent that came to be, also from another process and a verb of an operator, and none that was
rolled back. Writers are alone (store/database.py): ids grow in the order of commits. How far it was sent is a
file of the data directory: a restart, and hours without the log's system, lose nothing. Whoever receives may
see one twice, after a crash or from two processes of one database, and knows it by its id.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import bindparam, func, select

from host_tools.cloud import files
from host_tools.cloud.accounts.events import ABOUT, KINDS
from host_tools.cloud.log_to.syslog import AUTHPRIV, NOTICE, Message
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.glance import Glance
from host_tools.cloud.store.models import Event

SENT = "log.sent"  # the id of the last event that was handed over
BATCH = 200
AFTER = Glance(select(Event).where(Event.id > bindparam("sent")).order_by(Event.id).limit(BATCH))


class Trail:
    def __init__(self, data: Path, database: Database):
        self._path = data / SENT
        self._database = database
        self._sent = _number(self._path)

    async def begin(self) -> None:
        """A database of a backup, or one whose old events were all dropped, gives numbers again."""
        async with self._database.read() as session:
            newest = await session.scalar(select(func.max(Event.id)))
        self._sent = min(self._sent, newest or 0)

    async def waiting(self) -> list[tuple[int, Message]]:
        """The next events with their ids, the oldest first; BATCH at most."""
        rows = await self._database.glance(AFTER, sent=self._sent)
        return [(event.id, told(event)) for (event,) in rows]

    def sent(self, event_id: int) -> None:
        self._sent = event_id
        self._path.write_text(f"{event_id}\n", "ascii")  # torn or old, it only makes some come again


def told(event: Event) -> Message:
    """Without the names that people gave things, and without the browser: who, what, when, from where."""
    known = event.about if event.about in ABOUT.get(event.kind, {}) else ""
    data = {"id": str(event.id), "kind": event.kind, "account": event.account_id, "address": event.address}
    text = KINDS.get(event.kind, event.kind)  # a kind of a newer release beside this one
    return Message(AUTHPRIV, NOTICE, event.at, event.kind, text, data | {"about": known})


def _number(path: Path) -> int:
    """0, from the beginning, where the file is missing or torn."""
    try:
        files.touch_secret(path)
        return int(path.read_text("ascii"))
    except ValueError:
        return 0
