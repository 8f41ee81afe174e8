"""Tables of the OpenID provider. Codes, tokens and clients' secrets are hashes; signing keys are sealed."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from host_tools.cloud.store.models import HASH, ID, Base

CLIENT_ID = String(40)
SCOPE = String(200)
THUMBPRINT = String(43)  # RFC 7638, SHA-256 in base64url; "": bound to no key


class OidcClient(Base):
    """An application that may ask who somebody is. Addresses are one a line."""

    __tablename__ = "oidc_clients"
    id: Mapped[str] = mapped_column(CLIENT_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    secret_hash: Mapped[str] = mapped_column(HASH)  # "": it has none
    jwks: Mapped[str] = mapped_column(Text, server_default="")  # its public keys (RFC 7517); "": it has none
    grants: Mapped[str] = mapped_column(String(100), server_default="")  # what it may use (oidc/clients.py)
    dpop_bound: Mapped[bool] = mapped_column(server_default=false())  # its tokens always are (RFC 9449)
    pushed_only: Mapped[bool] = mapped_column(server_default=false())  # its requests always are (RFC 9126)
    # An exception to what is asked of every other (oidc/described.py): a key, pushed requests, bound tokens.
    plain: Mapped[bool] = mapped_column(server_default=false())
    # Its logout_uri is called in the internet alone: staff named it, no operator (oidc/registrar.py).
    public_only: Mapped[bool] = mapped_column(server_default=false())
    redirect_uris: Mapped[str] = mapped_column(Text)
    after_logout_uris: Mapped[str] = mapped_column(Text)
    logout_uri: Mapped[str] = mapped_column(String(400))  # told when a session is over; "": not told
    scope: Mapped[str] = mapped_column(SCOPE)
    ours: Mapped[bool]  # a part of Gatelodge: nobody is asked whether it may know the account
    created_at: Mapped[float]
    used_at: Mapped[float | None]  # when it came to a token last, within a minute
    disabled_at: Mapped[float | None]  # while it is, it gets nothing

    @property
    def public(self) -> bool:
        """It can prove nothing: whoever names it may be anybody."""
        return not self.secret_hash and not self.jwks


class OidcConsent(Base):
    """What an account has agreed that an application may know."""

    __tablename__ = "oidc_consents"
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("oidc_clients.id", ondelete="CASCADE"), primary_key=True
    )
    scope: Mapped[str] = mapped_column(SCOPE)
    given_at: Mapped[float]
    used_at: Mapped[float]


class OidcCode(Base):
    """An authorization code. It stays until it expires, so that a second use is seen."""

    __tablename__ = "oidc_codes"
    code_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("oidc_clients.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    session_id: Mapped[str] = mapped_column(ID)
    family: Mapped[str] = mapped_column(ID)  # of the tokens that come of it
    redirect_uri: Mapped[str] = mapped_column(String(400))
    scope: Mapped[str] = mapped_column(SCOPE)
    nonce: Mapped[str] = mapped_column(String(200))
    challenge: Mapped[str] = mapped_column(String(43))  # RFC 7636, S256
    jkt: Mapped[str] = mapped_column(THUMBPRINT, server_default="")  # whose key alone may bring it
    signed_in_at: Mapped[float]
    used: Mapped[bool]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class OidcToken(Base):
    """An access or a refresh token. A used refresh token stays: whoever brings it again has a copy."""

    __tablename__ = "oidc_tokens"
    token_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    family: Mapped[str] = mapped_column(ID, index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("oidc_clients.id", ondelete="CASCADE"))
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[str] = mapped_column(ID)  # "": it outlives the browser's session
    scope: Mapped[str] = mapped_column(SCOPE)
    jkt: Mapped[str] = mapped_column(THUMBPRINT, server_default="")  # whose key alone may bring it
    signed_in_at: Mapped[float]
    used: Mapped[bool]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class OidcDevice(Base):
    """Something that waits for its owner to enter a code elsewhere (RFC 8628)."""

    __tablename__ = "oidc_devices"
    device_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    user_code_hash: Mapped[str] = mapped_column(HASH, unique=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("oidc_clients.id", ondelete="CASCADE"))
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    scope: Mapped[str] = mapped_column(SCOPE)
    state: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(64))
    signed_in_at: Mapped[float]
    asked_at: Mapped[float]
    interval_s: Mapped[float]
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class OidcPushed(Base):
    """What an application asks, told us beforehand (RFC 9126), for one browser and one answer."""

    __tablename__ = "oidc_pushed"
    uri_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("oidc_clients.id", ondelete="CASCADE"))
    query: Mapped[str] = mapped_column(Text)
    browser_hash: Mapped[str] = mapped_column(HASH)  # of the first that brought it; "" until then
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class OidcSpent(Base):
    """A signed proof that was taken: it is taken once (oidc/spent.py)."""

    __tablename__ = "oidc_spent"
    proof_hash: Mapped[str] = mapped_column(HASH, primary_key=True)
    expires_at: Mapped[float] = mapped_column(Float(53), index=True)


class OidcLogin(Base):
    """A session of ours by which an application was told who somebody is.

    No foreign key: the row outlives the session until the application has heard of its end.
    """

    __tablename__ = "oidc_logins"
    session_id: Mapped[str] = mapped_column(ID, primary_key=True)
    client_id: Mapped[str] = mapped_column(
        ForeignKey("oidc_clients.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[str] = mapped_column(ID)
    attempts: Mapped[int]
    due_at: Mapped[float] = mapped_column(Float(53), index=True)


class OidcKey(Base):
    """A signing key (RFC 7517), sealed. Published before it signs, and as long as what it signed is valid."""

    __tablename__ = "oidc_keys"
    kid: Mapped[str] = mapped_column(HASH, primary_key=True)
    private: Mapped[bytes]
    created_at: Mapped[float]
