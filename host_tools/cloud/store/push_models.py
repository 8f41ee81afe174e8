"""Tables of Web Push: what browsers have subscribed, and keys that are made once and kept sealed."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, ID, Base


class PushSubscription(Base):
    """One browser's subscription at its maker's push service.

    sealed: {"endpoint", "keys": {"p256dh", "auth"}} in JSON; whoever has it can write to the browser.
    """

    __tablename__ = "push_subscriptions"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    browser_hash: Mapped[str] = mapped_column(HASH)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[float]


class KeptSecret(Base):
    """A key of the cloud's own, sealed."""

    __tablename__ = "kept_secrets"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


_BROWSER = (PushSubscription.account_id, PushSubscription.browser_hash)
Index("ix_push_subscriptions_account", *_BROWSER, unique=True)
