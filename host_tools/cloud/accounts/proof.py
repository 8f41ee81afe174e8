"""Proving once more who one is: what each sensitive action takes, which ways are open, how long they count.

A full proof is what a sign-in in a new browser takes (OWASP ASVS 5, 7.5.1): a first step, and where a
second factor is set up, that as well. A passkey is both. Each part counts for a few minutes in its session.
Where the first step alone is missing, the action's own form asks for the password; for the rest there is a
page (pages/proof.py). Pure; proving.py and again.py are the shell.
"""

from __future__ import annotations

from typing import NamedTuple

PROVED_S = 300

FIRST, SECOND = "first", "second"  # the parts of a proof
BOTH = (FIRST, SECOND)
ONE, FULL = "one factor", "full"  # how much an action takes

# What changes who gets in, takes data out, or gives a router away: in full. What only ends sessions opens
# nothing, and whoever sees a stranger must be quick: one factor (7.5.2). Registering a router and restarting
# one ask nothing: the first its owner agrees to on the router's own page, the second opens nothing.
ACTIONS = {
    "add an authenticator": FULL,
    "remove an authenticator": FULL,
    "make recovery codes": FULL,
    "add a phone number": FULL,
    "remove a phone number": FULL,
    "add a passkey": FULL,
    "remove a passkey": FULL,
    "sign in with passkeys only": FULL,
    "sign in in any way": FULL,
    "link a chat": FULL,
    "unlink a chat": FULL,
    "change the password": FULL,
    "change the e-mail": FULL,
    "connect an account elsewhere": FULL,
    "disconnect an account elsewhere": FULL,
    "make a token": FULL,
    "manage applications": FULL,
    "take the data": FULL,
    "delete the account": FULL,
    "release a router": FULL,
    "undo a change": FULL,  # of an account without a password (undo.py)
    "undo a router's change": FULL,
    "end a session": ONE,
    "remove a browser": ONE,
}

SIGNED, ELSEWHERE, TYPED = "signed", "elsewhere", "typed"
PASSKEY, PASSWORD, OUTSIDE, MAIL = "passkey", "password", "outside", "mail"
AUTHENTICATOR, SMS, TELEGRAM, RECOVERY = "authenticator", "sms", "telegram_code", "recovery"


class Held(NamedTuple):
    """What an account has. Counts; zero is "none"."""

    password: int = 0
    passkeys: int = 0
    outside: int = 0  # accounts elsewhere whose provider asks its person again when it is told to
    authenticators: int = 0
    phones: int = 0
    chats: int = 0
    recovery_codes: int = 0  # unused ones
    email: int = 1
    passkeys_only: int = 0  # as signin.Holdings

    @property
    def two_factor(self) -> bool:
        """As signin.two_factor()."""
        return bool(self.authenticators or self.phones or self.chats or self.passkeys)


class Proved(NamedTuple):
    """When each part was proved in a session; None where it never was."""

    first_at: float | None = None
    second_at: float | None = None

    def parts(self, now: float) -> tuple[str, ...]:
        at = {FIRST: self.first_at, SECOND: self.second_at}
        return tuple(part for part in BOTH if is_proved(at[part], now))


class Way(NamedTuple):
    name: str
    parts: tuple[str, ...]  # that it proves
    needs: str  # the field of Held that must not be zero
    answer: str
    channel: str = ""  # of delivery, by which its code is sent
    closed_by: tuple[str, ...] = ()  # whoever has one of these uses that


# In the order in which they are offered. A thief of a session may be reading the mail as well: as everywhere,
# a mailed code is a first step only, and only of who has no password and no passkey.
WAYS = (
    Way(PASSKEY, BOTH, "passkeys", SIGNED),
    Way(PASSWORD, (FIRST,), "password", TYPED),
    Way(OUTSIDE, (FIRST,), "outside", ELSEWHERE),
    Way(MAIL, (FIRST,), "email", TYPED, "mail", closed_by=("password", "passkeys")),
    Way(AUTHENTICATOR, (SECOND,), "authenticators", TYPED),
    Way(SMS, (SECOND,), "phones", TYPED, "sms"),
    Way(TELEGRAM, (SECOND,), "chats", TYPED, "telegram"),
    Way(RECOVERY, (SECOND,), "recovery_codes", TYPED),
)
BY_NAME = {way.name: way for way in WAYS}


def missing(action: str, two_factor: bool, proved: Proved, now: float) -> tuple[str, ...]:
    """The parts that the action still takes."""
    done = proved.parts(now)
    if ACTIONS[action] == ONE:
        return () if done else (FIRST,)
    return tuple(part for part in (BOTH if two_factor else (FIRST,)) if part not in done)


def open_ways(held: Held, part: str, channels: frozenset[str]) -> tuple[str, ...]:
    """Those that prove the part. Where only passkeys sign in, nothing else proves who it is."""
    return tuple(
        way.name
        for way in WAYS
        if part in way.parts
        and getattr(held, way.needs)
        and (way.name == PASSKEY or not held.passkeys_only)
        and (not way.channel or way.channel in channels)
        and not any(getattr(held, name) for name in way.closed_by)
    )


def is_proved(proved_at: float | None, now: float) -> bool:
    return proved_at is not None and proved_at <= now < proved_at + PROVED_S
