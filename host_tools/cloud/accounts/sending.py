"""What a sign-in's challenge sends when it is asked: a code by the method's channel, or a ring."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.cloud.accounts import costs, letters, signin
from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.attempts import Waiting, bound_to, locked, stepped
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.places import Places
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.delivery.post import MAIL, VOICE, Post
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.store.database import Database


class Sending:
    def __init__(self, database: Database, sent_codes: Codes, post: Post, bus: Bus, places: Places, url: str):
        self._database = database
        self._codes = sent_codes
        self._post = post
        self._bus = bus
        self._places = places
        self._url = url

    async def send(self, waiting: Waiting, visit: Visit) -> None:
        """Raises RefusedError where too many were sent, or none can be."""
        method = signin.BY_NAME[waiting.row.method]
        if method.answer == signin.ELSEWHERE:
            self._bus.publish(f"account:{waiting.row.account_id}")
        elif method.channel:
            await self._send_code(waiting, method, visit)

    async def _send_code(self, waiting: Waiting, method: signin.Method, visit: Visit) -> None:
        row, recipient = waiting.row, waiting.recipient
        await self._codes.allow(bound_to(row), row.account_id, recipient, visit)
        async with self._database.write() as session:
            row = await locked(session, visit)
            await stepped(session, row, signin.SENT, method.name, visit)
            await costs.spend(session, row.account_id, method.channel, visit.now)
            text_of = self._text_of(method.channel, visit)
            await self._codes.send(session, bound_to(row), method.channel, recipient, text_of, visit.now)
            note(session, row.account_id, "code_sent", visit, method.name)
        self.wake()

    def wake(self) -> None:
        """After a transaction in which something was to be sent."""
        self._post.wake()

    def _text_of(self, channel: str, visit: Visit) -> Callable[[str], Text]:
        if channel != MAIL:
            return letters.calling if channel == VOICE else letters.short_code
        place, browser = self._places.of(visit.address), browser_words(visit.user_agent)
        return lambda code: letters.sign_in_code(code, place, browser, self._url)
