"""The table of accounts elsewhere. Nothing in it is a secret: a provider is asked anew at every sign-in."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import EMAIL, ID, Base


class OutsideLink(Base):
    """An account of a provider that opens an account of ours. `subject` is the provider's name for it."""

    __tablename__ = "outside_links"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(30))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(EMAIL)  # as the provider told it then: for its owner to know it by
    created_at: Mapped[float]
    used_at: Mapped[float]


Index("ix_outside_links_subject", OutsideLink.provider, OutsideLink.subject, unique=True)
