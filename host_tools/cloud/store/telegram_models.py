"""Tables of Telegram: chats that are second factors, and links that are about to make one."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, ID, Base

CHAT = String(20)  # a number of up to 52 bits; in a group it is negative, and no group is taken


class TelegramChat(Base):
    """A private chat with our bot, that its person has confirmed in the account."""

    __tablename__ = "telegram_chats"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    chat: Mapped[str] = mapped_column(CHAT)
    name: Mapped[str] = mapped_column(String(80))  # as Telegram has it: whoever has the chat may change it
    created_at: Mapped[float]
    used_at: Mapped[float]


class TelegramLink(Base):
    """A link that one session was given: whoever opens it in Telegram offers a chat to that session.

    The token is made of the id by a keyed hash: the page can show it again, the table cannot.
    """

    __tablename__ = "telegram_links"
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(ID)
    token_hash: Mapped[str] = mapped_column(HASH, unique=True)
    chat: Mapped[str] = mapped_column(CHAT)  # "" until somebody has opened it
    name: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


Index("ix_telegram_chats_account", TelegramChat.account_id, TelegramChat.chat, unique=True)
