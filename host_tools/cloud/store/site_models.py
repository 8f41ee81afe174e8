"""The table of who is signed in at our sites that have an address of their own."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, Base


class SiteSession(Base):
    """A browser that is signed in at the help centre's or the portal's own address (sites/sessions.py)."""

    __tablename__ = "site_sessions"
    token_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(40))  # which of them
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    account_session: Mapped[str] = mapped_column(HASH, index=True)  # the claim sid of whom it was told by
    acted_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)
    proved_at: Mapped[float | None]  # when the account has asked its person again
