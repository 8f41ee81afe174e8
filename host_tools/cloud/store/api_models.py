"""The table of personal tokens."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, ID, Base


class ApiToken(Base):
    """A token by which a person's own programs use the API. `scope`: names with spaces between."""

    __tablename__ = "api_tokens"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    token_hash: Mapped[str] = mapped_column(HASH, unique=True)
    scope: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[float]
    used_at: Mapped[float | None]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)
    reminded_at: Mapped[float | None]  # of its end (accounts/reminders.py)
