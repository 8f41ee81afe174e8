"""Telegram chats of an account: offered by a link, confirmed in the session that asked, each removable.

A link that falls into a stranger's hands offers the stranger's chat. So the page says whose chat it is, and
nothing is a factor before the person has said there that it is theirs.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import undo
from host_tools.cloud.accounts.again import count
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.factors import Factors
from host_tools.cloud.accounts.proof import SECOND
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.bus import Bus
from host_tools.cloud.clock import Clock
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.secret_box import SecretBox, new_id, token_hash
from host_tools.cloud.store.telegram_models import TelegramChat, TelegramLink

LINK_S = 600
CHATS_MAX = 5
START = "/start "  # what the app sends for a person who opens https://t.me/BOT?start=TOKEN
NO_WAY = N_("This cloud has no Telegram bot. Use an authenticator app.")
TOO_MANY = N_("An account holds %(count)s Telegram chats. Remove one first.")
OVER = N_("This link has expired. Make another.")
HELD = N_("That chat is linked already.")
# What the bot says.
GO_BACK = N_("Go back to your account and confirm there that this is you.")
LINK_OVER = N_("This link has expired, or was used. Make another on the security page of your account.")
HELLO = N_("I ask you here when somebody signs in to your Gatelodge account. Link me on its security page.")


class TelegramChats:
    """bot: its user name; "" where there is none."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        factors: Factors,
        changes: Changes,
        bus: Bus,
        clock: Clock,
        bot: str,
    ):
        self._database = database
        self._box = box
        self._factors = factors
        self._changes = changes
        self._bus = bus
        self._clock = clock
        self._bot = bot

    @property
    def possible(self) -> bool:
        return bool(self._bot)

    async def of(self, account_id: str) -> list[TelegramChat]:
        async with self._database.read() as session:
            return list(await session.scalars(chats_of(account_id)))

    async def begin(self, password: str, visit: Visit) -> None:
        """Make a link for this session; the one before is void. Raises RefusedError."""
        if not self.possible:
            raise RefusedError("", NO_WAY)
        await self._factors.again.check("link a chat", password, visit)
        if len(await self.of(visit.signed_in.id)) >= CHATS_MAX:
            raise RefusedError("", TOO_MANY, count=CHATS_MAX)
        row = TelegramLink(session_id=visit.open_session.id, id=new_id(), chat="", name="")
        row.token_hash, row.expires_at = token_hash(self._token(row)), visit.now + LINK_S
        async with self._database.write() as session:
            await self._forget(session, visit)
            session.add(row)

    async def pending(self, visit: Visit) -> TelegramLink | None:
        async with self._database.read() as session:
            row = await session.get(TelegramLink, visit.open_session.id)
        return row if row is not None and visit.now < row.expires_at else None

    def address(self, row: TelegramLink) -> str:
        return f"https://t.me/{self._bot}?start={self._token(row)}"

    async def said(self, chat: str, name: str, text: str) -> str:
        """Somebody wrote to the bot. The first chat that opens a link is the one that is offered.

        Returns what the bot says there, in the reader's language.
        """
        if not text.startswith(START):
            return _(HELLO) if text.strip() == START.strip() else ""
        async with self._database.write() as session:
            found = select(TelegramLink).where(
                TelegramLink.token_hash == token_hash(text[len(START) :].strip())
            )
            row = await session.scalar(found)
            if row is None or self._clock() >= row.expires_at or row.chat not in ("", chat):
                return _(LINK_OVER)
            row.chat, row.name = chat, name or chat
        self._bus.publish(f"telegram:{row.session_id}")
        return _(GO_BACK)

    async def finish(self, password: str, visit: Visit) -> list[str]:
        """The person says that the offered chat is theirs; every other session ends. Raises RefusedError.

        A link lasts longer than a proof: else whoever finds the session open could link a chat of theirs.
        Returns ten new recovery codes where this is the account's first second factor, else none.
        """
        await self._factors.again.check("link a chat", password, visit)
        account_id = visit.signed_in.id
        if await self.pending(visit) is None:
            raise RefusedError("", OVER)
        fresh = await self._factors.prepare(visit)
        async with self._database.write() as session:
            link = await session.get(TelegramLink, visit.open_session.id)
            if link is None or not link.chat or visit.now >= link.expires_at:
                raise RefusedError("", OVER)
            held = [row.chat for row in await session.scalars(chats_of(account_id))]
            if link.chat in held:
                raise RefusedError("", HELD)
            if len(held) >= CHATS_MAX:
                raise RefusedError("", TOO_MANY, count=CHATS_MAX)
            codes = await self._factors.chosen(session, fresh, visit)
            await count(session, (SECOND,), visit)
            row = TelegramChat(id=new_id(), account_id=account_id, chat=link.chat, name=link.name)
            row.created_at = row.used_at = visit.now
            session.add(row)
            await self._forget(session, visit)
            steps = undo.dropping(row)
            await self._changes.tell(session, "telegram_linked", row.name, visit, steps=steps)
        self._changes.wake()
        return codes

    async def remove(self, chat_id: str, password: str, visit: Visit) -> None:
        """Raises RefusedError, NotTheirsError."""
        await self._factors.again.check("unlink a chat", password, visit)
        async with self._database.write() as session:
            row = await session.get(TelegramChat, chat_id)
            if row is None or row.account_id != visit.signed_in.id:
                raise NotTheirsError
            steps = undo.restoring(row)
            await session.delete(row)
            await self._factors.dropped(session, visit)
            await self._changes.tell(session, "telegram_unlinked", row.name, visit, steps=steps)
        self._changes.wake()

    async def prune(self, now: float) -> None:
        async with self._database.write() as session:
            await session.execute(delete(TelegramLink).where(TelegramLink.expires_at < now))

    async def _forget(self, session: AsyncSession, visit: Visit) -> None:
        mine = TelegramLink.session_id == visit.open_session.id
        await session.execute(delete(TelegramLink).where(mine))

    def _token(self, row: TelegramLink) -> str:
        """64 characters of those that a deep link may hold."""
        made = self._box.keyed_hashes("telegram link", row.id)
        return next((each for each in made if token_hash(each) == row.token_hash), made[0])


def chats_of(account_id: str):
    theirs = select(TelegramChat).where(TelegramChat.account_id == account_id)
    return theirs.order_by(TelegramChat.created_at, TelegramChat.id)
