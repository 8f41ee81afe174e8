"""Tables of changes on routers that their owners can undo. What undoes them is on the routers alone."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import ID, Base

OF_ACCOUNT = "accounts.id"


class RouterUndo(Base):
    """A run of changes on a router, for the account that had it then. Its states: routers/undos.py."""

    __tablename__ = "router_undos"
    __table_args__ = (UniqueConstraint("serial_number", "undo_id", "account_id", name="uq_router_undos"),)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="CASCADE"), index=True)
    serial_number: Mapped[str] = mapped_column(ForeignKey("routers.serial_number"), index=True)
    undo_id: Mapped[str] = mapped_column(String(64))  # the router's name for it
    state: Mapped[str] = mapped_column(String(10))
    command_id: Mapped[str | None] = mapped_column(ID, unique=True)
    tries: Mapped[int]
    ends_at: Mapped[float] = mapped_column(Float(53), index=True)


class RouterChange(Base):
    """One of the run, as the router told it."""

    __tablename__ = "router_changes"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    undo: Mapped[str] = mapped_column(ForeignKey("router_undos.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey(OF_ACCOUNT, ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(64))
    browser: Mapped[str] = mapped_column(String(64))
    at: Mapped[float] = mapped_column(Float(53))  # by the router's clock; unset, when it was told
