"""Tables of the help centre: what people ask of support, and what support answers."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import ID, Base

OF_ACCOUNT = "accounts.id"
OF_REQUEST = "help_requests.id"


class HelpRequest(Base):
    """What somebody wants help with. Its states: help/states.py."""

    __tablename__ = "help_requests"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="CASCADE"), index=True)
    serial_number: Mapped[str | None] = mapped_column(ForeignKey("routers.serial_number"))
    subject: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), index=True)
    opened_at: Mapped[float]
    changed_at: Mapped[float] = mapped_column(Float(53), index=True)


class HelpMessage(Base):
    """What its person or support wrote. `account_id` is the person's in both."""

    __tablename__ = "help_messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey(OF_REQUEST, ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="CASCADE"))
    by_support: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[float]


class HelpFile(Base):
    """What came with a message."""

    __tablename__ = "help_files"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey(OF_REQUEST, ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(ForeignKey("help_messages.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]  # bytes
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class HelpReport(Base):
    """Diagnostics of a router that its owner asked for with a message. Its states: help/diagnostics.py."""

    __tablename__ = "help_reports"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    command_id: Mapped[str] = mapped_column(ID, unique=True)  # of the present try
    request_id: Mapped[str] = mapped_column(ForeignKey(OF_REQUEST, ondelete="CASCADE"), index=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("help_messages.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="CASCADE"), index=True)
    serial_number: Mapped[str] = mapped_column(ForeignKey("routers.serial_number"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(300))  # why there is none
    tries: Mapped[int]
    asked_at: Mapped[float]
    ends_at: Mapped[float] = mapped_column(Float(53), index=True)  # of waiting for it; then of a draft
    file_id: Mapped[str | None] = mapped_column(ForeignKey("help_files.id", ondelete="SET NULL"))
    draft: Mapped[bool]  # its person alone sees it (help/drafts.py)


class HelpNote(Base):
    """What support keeps for itself. It names no account: the person's export does not find it."""

    __tablename__ = "help_notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey(OF_REQUEST, ondelete="CASCADE"), index=True)
    staff_id: Mapped[str | None] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="SET NULL"))
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[float]
