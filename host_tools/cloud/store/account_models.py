"""Tables of changes to an account that wait for somebody to prove who they are."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, ID, Base


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
