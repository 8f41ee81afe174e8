"""What is said about a person, by scope (OpenID Connect Core 1.0 section 5.4), and what an ID token says."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from host_tools.cloud.accounts.emails import on_the_wire
from host_tools.cloud.languages.text import N_
from host_tools.cloud.store.models import Account

ID_TOKEN_S = 600

# scope -> what the person reads when an application asks for it.
SCOPE_WORDS = {
    "openid": N_("that it is you"),
    "profile": N_("your name"),
    "email": N_("your e-mail address"),
    "offline_access": N_("all of this while you are away, until you end it here"),
}


def about(account: Account, scope: tuple[str, ...]) -> dict[str, Any]:
    """The userinfo claims."""
    claims: dict[str, Any] = {"sub": account.id}
    if "profile" in scope:
        claims |= {
            "name": account.name,
            "given_name": account.first_name,
            "family_name": account.last_name,
        }
    if "email" in scope:
        # An account begins with a confirmed one. An application may know no other script (RFC 5322).
        claims |= {"email": on_the_wire(account.email) or account.email, "email_verified": True}
    return claims


def id_token(
    issuer: str, account: Account, client_id: str, now: float, signed_in_at: float, **more: str
) -> dict[str, Any]:
    """Section 2. `more`: nonce, sid and at_hash, where there is one."""
    claims = {
        "iss": issuer,
        "sub": account.id,
        "aud": client_id,
        "iat": int(now),
        "exp": int(now) + ID_TOKEN_S,
        "auth_time": int(signed_in_at),
    }
    return claims | {name: value for name, value in more.items() if value}


def at_hash(access_token: str) -> str:
    """Section 3.1.3.6: the left half of the token's SHA-256."""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()
