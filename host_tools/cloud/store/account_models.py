"""Tables of changes to an account that wait for somebody to prove who they are."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import EMAIL, HASH, ID, Base


class PasswordReset(Base):
    """Somebody forgot a password: a code for the browser that asked, a link for any.

    There is a row whether or not there is an account, so that nobody can tell. `account_id` is None where
    there is none: its code and its link are right for nobody.
    """

    __tablename__ = "password_resets"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    browser_hash: Mapped[str] = mapped_column(HASH, unique=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(HASH)
    link_hash: Mapped[str] = mapped_column(HASH, unique=True)
    tries: Mapped[int]
    proved: Mapped[bool]  # the code was right: this browser may set the password
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class EmailChange(Base):
    """Another e-mail that was asked for: both addresses have to agree. One for each account."""

    __tablename__ = "email_changes"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[str] = mapped_column(EMAIL)
    session_id: Mapped[str] = mapped_column(ID)  # that asked, and outlives the change
    old_hash: Mapped[str] = mapped_column(HASH, unique=True)  # of the link to the old address
    new_hash: Mapped[str] = mapped_column(HASH, unique=True)
    old_agreed_at: Mapped[float | None]
    new_agreed_at: Mapped[float | None]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class Undo(Base):
    """A change of what opens an account that can be undone for some days, by a link of the mail about it."""

    __tablename__ = "undos"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(HASH, unique=True)
    kind: Mapped[str] = mapped_column(String(40))  # of events.KINDS
    about: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(200))  # that was valid before the change
    steps: Mapped[bytes] = mapped_column(LargeBinary)  # sealed JSON (accounts/undo.py)
    made_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class WaitingChange(Base):
    """A grave change that takes effect later, and that its person can stop (accounts/waiting.py)."""

    __tablename__ = "waiting_changes"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    token_hash: Mapped[str] = mapped_column(HASH, unique=True)  # of the link that stops it
    reason: Mapped[str] = mapped_column(String(200))
    asked_at: Mapped[float]
    due_at: Mapped[float] = mapped_column(Float(53), index=True)
