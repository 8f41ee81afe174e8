"""Tables of passkeys (WebAuthn). Nothing in them is a secret: a passkey's own key never leaves its device."""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, ID, Base

OPEN = {"open": True}  # bytes that are no secret: nothing seals them (store/key_ring.py)


class Passkey(Base):
    """A credential of one account (WebAuthn level 3, section 4, "credential record")."""

    __tablename__ = "passkeys"
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    credential_hash: Mapped[str] = mapped_column(HASH, unique=True)  # an id has up to 1023 bytes
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, info=OPEN)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, info=OPEN)  # COSE (RFC 9052)
    sign_count: Mapped[int] = mapped_column(BigInteger)  # 32 bits without a sign; 0: the device counts none
    synced: Mapped[bool]  # kept by more than one device
    created_at: Mapped[float]
    used_at: Mapped[float]
    doubted_at: Mapped[float | None]  # when its counter last went back: there may be a copy of it


class SpentChallenge(Base):
    """A challenge that was answered: it is answered once (accounts/challenges.py)."""

    __tablename__ = "spent_challenges"
    challenge_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)
