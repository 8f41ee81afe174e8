"""Proving once more who one is before something sensitive: which ways are open, and how long it counts.

The form asks for the password. Whoever has none, or does not know it, proves it in one of these ways; then
the session counts as proved for a few minutes, and no form asks again. Pure; proving.py is the shell.
"""

from __future__ import annotations

from typing import NamedTuple

PROVED_S = 300

SIGNED, ELSEWHERE, TYPED = "signed", "elsewhere", "typed"
PASSKEY, OUTSIDE, AUTHENTICATOR, MAIL = "passkey", "outside", "authenticator", "mail"


class Held(NamedTuple):
    """What an account has. Counts; zero is "none"."""

    password: int = 0
    passkeys: int = 0
    outside: int = 0  # accounts elsewhere whose provider asks its person again when it is told to
    authenticators: int = 0
    elsewhere: int = 0  # phone numbers and chats: second factors by which nothing is proved here
    email: int = 1


class Way(NamedTuple):
    name: str
    needs: str  # the field of Held that must not be zero
    answer: str
    closed_by: tuple[str, ...] = ()  # whoever has one of these uses that


# In the order in which they are offered. A thief of a session may be reading the mail as well: a mailed code
# counts only where there is nothing that such a thief has not. Where no way is open, a new password by mail
# leads on: it asks for the second factor.
WAYS = (
    Way(PASSKEY, "passkeys", SIGNED),
    Way(OUTSIDE, "outside", ELSEWHERE),
    Way(AUTHENTICATOR, "authenticators", TYPED, closed_by=("password",)),
    Way(MAIL, "email", TYPED, closed_by=("password", "passkeys", "authenticators", "elsewhere")),
)


def open_ways(held: Held) -> tuple[str, ...]:
    """Beside the password."""
    return tuple(
        way.name
        for way in WAYS
        if getattr(held, way.needs) and not any(getattr(held, name) for name in way.closed_by)
    )


def is_proved(proved_at: float | None, now: float) -> bool:
    return proved_at is not None and proved_at <= now < proved_at + PROVED_S
