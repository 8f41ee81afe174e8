"""What a sign-in's challenge sends when it is asked: a code, a question in a chat, or a ring."""

from __future__ import annotations

from collections.abc import Callable

from host_tools.cloud.accounts import chat_answers, costs, letters, signin
from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.attempts import Waiting, bound_to, locked, stepped
from host_tools.cloud.accounts.codes import Codes
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.places import Places
from host_tools.cloud.accounts.pushes import told_browsers
from host_tools.cloud.accounts.telegram import chats_of
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.delivery.post import MAIL, NO_WAY, PUSH, TELEGRAM, VOICE, Post
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
        with letters.to(waiting.account):
            if method.channel == PUSH:
                self._bus.publish(f"account:{waiting.row.account_id}")  # open pages say it at once
                await self._push(waiting, visit)
            elif method.channel:
                await self._send_messages(waiting, method, visit)

    def wake(self) -> None:
        """After a transaction in which something was to be sent."""
        self._post.wake()

    async def _send_messages(self, waiting: Waiting, method: signin.Method, visit: Visit) -> None:
        row, recipients = waiting.row, await self._recipients(waiting, method)
        if not recipients or method.channel not in self._post.channels:
            raise RefusedError("", NO_WAY)
        await self._codes.allow(bound_to(row), row.account_id, recipients[0], visit)
        async with self._database.write() as session:
            row = await locked(session, visit)
            await stepped(session, row, signin.SENT, method.name, visit)
            await costs.spend(session, row.account_id, method.channel, visit.now)
            about = (session, bound_to(row), method.channel, recipients)
            if method.answer == signin.ELSEWHERE:
                question = letters.chat_question(*self._whence(visit), chat_answers.buttons(row))
                await self._codes.ask(*about, question, visit.now)
            else:
                await self._codes.send(*about, self._text_of(method.channel, visit), visit.now)
            note(session, row.account_id, "code_sent", visit, method.name)
        self.wake()

    async def _push(self, waiting: Waiting, visit: Visit) -> None:
        """The browsers that are told while no page is open."""
        row = waiting.row
        async with self._database.read() as session:
            ids = await told_browsers(session, row.account_id, visit)
        if not ids or PUSH not in self._post.channels:
            return
        await self._codes.allow(bound_to(row), row.account_id, row.account_id, visit)
        question = letters.push_question(*self._whence(visit), row.id)
        async with self._database.write() as session:
            await stepped(session, await locked(session, visit), signin.SENT, row.method, visit)
            await self._codes.ask(session, bound_to(row), PUSH, ids, question, visit.now)
        self.wake()

    async def _recipients(self, waiting: Waiting, method: signin.Method) -> list[str]:
        """Every chat (H2), or the one address or number."""
        if method.channel != TELEGRAM:
            return [waiting.recipient]
        async with self._database.read() as session:
            return [row.chat for row in await session.scalars(chats_of(waiting.row.account_id))]

    def _text_of(self, channel: str, visit: Visit) -> Callable[[str], Text]:
        if channel == VOICE:
            return letters.calling
        if channel != MAIL:
            return letters.short_code
        place, browser = self._whence(visit)
        return lambda code: letters.sign_in_code(code, place, browser, self._url)

    def _whence(self, visit: Visit) -> tuple[str, str]:
        return self._places.of(visit.address), browser_words(visit.user_agent)
