"""A sign-in that is agreed to in a chat: by the button with the number that the new browser shows."""

from __future__ import annotations

import json
import secrets

from gatelodge.contract.errors import StateError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import letters, signin
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Absent
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery.texts import leading
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account, SignIn
from host_tools.cloud.store.telegram_models import TelegramChat

METHOD = "telegram"
CHOICES = 3
AGREED = N_("The other browser goes on by itself.")
OVER = N_("This sign-in is over. If it was yours, begin it again.")
DENIED = N_("That sign-in is over. Whoever it was knows your password: choose a new one now.")
MISSED = N_(
    "That is not the number that the other browser shows: the sign-in is over. If it was yours, begin it "
    "again. If it was not, somebody knows your password:"
)


def buttons(row: SignIn) -> str:
    """A message's `extra` (delivery/telegram.py): three numbers, one of them right, and "It was not me".

    A blind yes is wrong twice of three times, and ends the sign-in.
    """
    numbers = {row.number}
    while len(numbers) < CHOICES:
        numbers.add(f"{secrets.randbelow(90) + 10}")
    choices = [[number, f"yes {row.id} {number}"] for number in sorted(numbers)]
    return json.dumps({"buttons": [choices, [[_("It was not me"), f"no {row.id}"]]]})


class ChatAnswers:
    def __init__(self, database: Database, bus: Bus, clock: Clock, url: str):
        self._database = database
        self._bus = bus
        self._clock = clock
        self._url = url

    async def pressed(self, chat: str, _name: str, data: str) -> str:
        """What a button holds was pressed in the chat. Returns what the bot says there."""
        verb, rest = _split(data)
        sign_in_id, number = _split(rest)
        async with self._database.write() as session:
            row, held = await self._found(session, chat, sign_in_id)
            if row is None or held is None or verb not in ("yes", "no"):
                return _(OVER)
            right = verb == "yes" and secrets.compare_digest(row.number.encode(), number.encode())
            account = await session.get_one(Account, row.account_id)
            if not self._step(row, signin.AGREED if right else signin.DENIED):
                return _(OVER)
            if right:
                held.used_at = self._clock()
            else:
                self._note(session, row)
        self._bus.publish(f"sign-in:{row.id}")
        with letters.to(account):
            if right:
                return _(AGREED)
            over = MISSED if verb == "yes" else DENIED
            return leading(_(over), f"{self._url}/security/password")

    async def _found(
        self, session: AsyncSession, chat: str, sign_in_id: str
    ) -> tuple[SignIn | None, TelegramChat | None]:
        """The sign-in that asks by Telegram, and this chat, if it is its account's."""
        row = await session.get(SignIn, sign_in_id[:32])
        if row is None or row.method != METHOD:
            return None, None
        mine = (TelegramChat.account_id == row.account_id, TelegramChat.chat == chat)
        return row, await session.scalar(select(TelegramChat).where(*mine))

    def _step(self, row: SignIn, event: str) -> bool:
        if self._clock() >= row.asked_at + signin.ASKED_S:
            return False
        before = signin.Attempt(row.state, row.method, row.tries, row.expires_at)
        try:
            after = signin.step(before, event, self._clock(), METHOD, (METHOD,))
        except StateError:
            return False
        row.state, row.method, row.tries, row.expires_at = after
        return before.state != signin.VOID and self._clock() < before.expires_at

    def _note(self, session: AsyncSession, row: SignIn) -> None:
        visit = Absent("", "", "Telegram", self._clock())
        note(session, row.account_id, "sign_in_denied", visit, row.browser)


def _split(text: str) -> tuple[str, str]:
    first, _space, rest = text.partition(" ")
    return first, rest
