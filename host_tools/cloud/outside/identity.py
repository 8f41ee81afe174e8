"""What a provider says of a person, and whether to believe it: pure (OpenID Connect Core 1.0, 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from host_tools.cloud.accounts.emails import check_email, normal

LEEWAY_S = 60  # between two clocks
SUBJECT_MAX = 255  # section 2: an issuer gives no longer one


class Unbelievable(Exception):  # noqa: N818 - it is an answer about the other side
    """Why the answer of a provider is not taken. The text holds nothing of the answer."""


class Identity(NamedTuple):
    """`verified`: the provider says that the e-mail is the person's own."""

    provider: str
    subject: str
    email: str
    verified: bool
    first_name: str
    last_name: str
    signed_in_at: float | None = None  # there, where the provider says so (`auth_time`)


def check(claims: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now: float) -> None:
    """Raises Unbelievable. The signature was checked before."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires = claims.get("exp")
    issued = claims.get("iat")
    given = claims.get("nonce")
    faults = {
        "it is of another issuer": claims.get("iss") != issuer,
        "it is for another client": client_id not in audiences,
        "it is for several, and not by us": len(audiences) > 1 and claims.get("azp") != client_id,
        "it is by another client": claims.get("azp", client_id) != client_id,
        "it has expired": not (isinstance(expires, int | float) and now <= expires + LEEWAY_S),
        "it is of the future": not (isinstance(issued, int | float) and issued <= now + LEEWAY_S),
        "it answers another question": not isinstance(given, str) or not _same(given, nonce),
        "it names nobody": not _is_subject(claims.get("sub")),
    }
    for text, broken in faults.items():
        if broken:
            raise Unbelievable(text)


def of_claims(provider: str, claims: Mapping[str, Any]) -> Identity:
    """Only a true `email_verified` counts: "true" as a text is what some send, and means the same."""
    said = claims.get("email_verified")
    verified = said is True or said == "true"
    first = _text(claims.get("given_name")) or _text(claims.get("name")).partition(" ")[0]
    last = _text(claims.get("family_name")) or _text(claims.get("name")).partition(" ")[2]
    email = _email(claims.get("email"))
    at = claims.get("auth_time")
    signed_in_at = float(at) if isinstance(at, int | float) and not isinstance(at, bool) else None
    return Identity(provider, claims["sub"], email, verified and bool(email), first, last, signed_in_at)


def asked_again(identity: Identity, since: float, now: float) -> bool:
    """Whether its person has signed in there since we asked for it, and not long ago (section 2: auth_time).

    A provider may ignore `prompt` and `max_age`: then it says when it asked last, or nothing.
    """
    at = identity.signed_in_at
    return at is not None and since - LEEWAY_S <= at <= now + LEEWAY_S


def of_facebook(provider: str, person: Mapping[str, Any]) -> Identity:
    """Facebook's Graph API does not say whether an e-mail was verified: then it was not."""
    subject = person.get("id")
    if not isinstance(subject, str) or not _is_subject(subject):
        raise Unbelievable("it names nobody")
    email = _email(person.get("email"))
    first, last = _text(person.get("first_name")), _text(person.get("last_name"))
    return Identity(provider, subject, email, False, first, last)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _is_subject(value: object) -> bool:
    """Section 2: letters of ASCII. What is no text could be the same text for two people."""
    return (
        isinstance(value, str) and 0 < len(value) <= SUBJECT_MAX and value.isascii() and value.isprintable()
    )


def _email(value: object) -> str:
    """One address as our own forms take it, or none."""
    email = normal(value.strip()) if isinstance(value, str) else ""
    return "" if check_email(email) else email


def _text(value: object, longest: int = 79) -> str:
    """A claim as our forms would take it; anything else is none."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= longest and text.isprintable() else ""
