"""The sign-in, as tables: which step follows which, and which second factors are open. No page decides.

    first --proved---------> signed_in          a trusted browser, or a passkey that knows its person
    first --proved_more----> challenge --right-------------------> signed_in
                              |--chosen, sent--> challenge
                              |--approved--> approved --taken----> signed_in
                              |--wrong, used--> challenge, until the tries are spent --> void
                              |--denied--> void

Where a person lets only passkeys sign in (passkeys_only.py), a passkey is the only first step that is right,
and nothing is open after it: whatever was between the steps is void.

An attempt begins when the first step was right, and is bound to the browser that took it (the shell looks it
up by that browser's secret). A pair that is not in the table cannot happen, and raises StateError; so does an
answer to another method than the one that was asked.
"""

from __future__ import annotations

from typing import NamedTuple

from gatelodge.contract.errors import StateError

FIRST, CHALLENGE, APPROVED, SIGNED_IN, VOID = "first", "challenge", "approved", "signed_in", "void"
STATES = (FIRST, CHALLENGE, APPROVED, SIGNED_IN, VOID)
WRONG, PROVED, PROVED_MORE = "wrong", "proved", "proved_more"
CHOSEN, SENT, RIGHT, USED, AGREED, DENIED, TAKEN = (
    "chosen", "sent", "right", "used", "agreed", "denied", "taken",
)  # fmt: skip
EVENTS = (WRONG, PROVED, PROVED_MORE, CHOSEN, SENT, RIGHT, USED, AGREED, DENIED, TAKEN)

TRANSITIONS = {
    (FIRST, PROVED): SIGNED_IN,
    (FIRST, PROVED_MORE): CHALLENGE,
    (FIRST, WRONG): FIRST,
    (CHALLENGE, CHOSEN): CHALLENGE,
    (CHALLENGE, SENT): CHALLENGE,
    (CHALLENGE, RIGHT): SIGNED_IN,
    (CHALLENGE, WRONG): CHALLENGE,
    (CHALLENGE, USED): CHALLENGE,
    (CHALLENGE, AGREED): APPROVED,
    (CHALLENGE, DENIED): VOID,
    (APPROVED, DENIED): VOID,
    (APPROVED, TAKEN): SIGNED_IN,
}
BETWEEN = (CHALLENGE, APPROVED)
TRIES = 5  # then the first step is asked again
ASKED_S = 600  # for an answer from elsewhere, as for a code: OWASP ASVS 5, 6.5.5
ATTEMPT_S = 900  # a code that was sent is valid for 10 minutes; one may be sent again

# How a first step was taken. Strong: two factors in one, the device and what unlocks it.
PASSWORD, PASSKEY, OUTSIDE = "password", "passkey", "outside"
STRONG = (PASSKEY,)

TYPED, SIGNED, ELSEWHERE = "typed", "signed", "elsewhere"
# Which events answer a method: a code is typed, a passkey signs (used: its counter went back), the rest is
# agreed to somewhere else.
ANSWERS = {TYPED: (RIGHT, WRONG, USED), SIGNED: (RIGHT, WRONG, USED), ELSEWHERE: (AGREED, WRONG)}


class Holdings(NamedTuple):
    """What an account holds, seen from the browser that signs in. Counts; zero is "none"."""

    authenticators: int = 0
    recovery_codes: int = 0  # unused ones
    phones: int = 0  # verified ones
    callable_phones: int = 0  # those of them that this cloud can call
    passkeys: int = 0
    telegram: int = 0  # linked chats
    trusted: int = 0  # other browsers that are trusted and signed in: an open page of theirs can be asked
    email: int = 1  # confirmed, or there were no account
    passkeys_only: int = 0  # its person's own setting, or the operator's rule


class Method(NamedTuple):
    name: str
    needs: str  # the field of Holdings that must not be zero
    answer: str  # a key of ANSWERS
    channel: str  # of delivery, by which something is sent; "" where nothing is
    alone: bool  # may be all that is open; else it is offered only beside one that may
    chosen: bool  # a person has set it up: with one of these, two-factor is on
    asked_by: tuple[str, ...]  # rows of the table in host_tools/cloud/README.md


# In the order in which they are offered; the first that is open is asked.
METHODS = (
    Method("authenticator", "authenticators", TYPED, "", True, True, ("K10", "M1", "N4", "H3", "H7", "H8")),
    Method("passkey", "passkeys", SIGNED, "", True, True, ("G3",)),
    Method("telegram", "telegram", ELSEWHERE, "telegram", True, True, ("H1", "H2")),
    Method("telegram_code", "telegram", TYPED, "telegram", True, True, ("H1", "H2")),
    Method("sms", "phones", TYPED, "sms", True, True, ("M2", "M5", "N4", "N5", "H5")),
    Method("push", "trusted", ELSEWHERE, "push", True, False, ("A1", "A2", "A7")),
    Method("mail", "email", TYPED, "mail", True, False, ("A1", "A2", "A6")),
    Method("voice", "callable_phones", TYPED, "voice", False, False, ("H4", "H5")),
    Method("recovery", "recovery_codes", TYPED, "", False, False, ("K14", "M4", "M5")),
)
BY_NAME = {method.name: method for method in METHODS}
# Whoever reads the mail can set a new password. Where something was chosen, the mail must not be the second
# factor as well (G7).
UNTIL_CHOSEN = ("mail",)


BY_PHONE = ("sms", "voice")
CALLS_MAX = 3  # that did not arrive; then a text message goes instead (H4)
# What is asked where nothing arrives, the first that is open. The other methods leave it to the person.
FOLLOWING = {
    "voice": ("sms",),
    "telegram": ("authenticator", "passkey", "sms", "push", "mail"),
    "telegram_code": ("authenticator", "passkey", "sms", "push", "mail"),
}


class Attempt(NamedTuple):
    state: str
    method: str  # that is asked; "" before and after a challenge
    tries: int
    expires_at: float


def two_factor(holdings: Holdings) -> bool:
    """Whether the person has set up a second factor of any kind."""
    return any(method.chosen and getattr(holdings, method.needs) for method in METHODS)


def open_methods(holdings: Holdings) -> tuple[str, ...]:
    """The second factors that this account and browser may use, the one to ask first.

    None where only passkeys sign in: each is both steps.
    """
    if holdings.passkeys_only:
        return ()
    chosen = two_factor(holdings)
    held = [
        method
        for method in METHODS
        if getattr(holdings, method.needs) and not (chosen and method.name in UNTIL_CHOSEN)
    ]
    beside = any(method.alone for method in held)
    return tuple(method.name for method in held if method.alone or beside)


def instead(method: str, sends: int) -> str:
    """What is sent where one more is asked for, after so many."""
    return "sms" if method == "voice" and sends >= CALLS_MAX else method


def after_loss(method: str, sends: int, offered: tuple[str, ...]) -> str:
    """What follows by itself where nothing has arrived; "" where the person is asked."""
    if method == "voice" and sends < CALLS_MAX:
        return ""
    return next((name for name in FOLLOWING.get(method, ()) if name in offered), "")


def begin(now: float) -> Attempt:
    return Attempt(FIRST, "", 0, now + ATTEMPT_S)


def first_event(proved: bool, how: str, trusted: bool, passkeys_only: bool) -> str:
    """What a first step comes to. `trusted`: this browser is, for this account."""
    if not proved or (passkeys_only and how not in STRONG):
        return WRONG
    return PROVED if trusted or how in STRONG else PROVED_MORE


def step(
    attempt: Attempt, event: str, now: float, method: str = "", offered: tuple[str, ...] = ()
) -> Attempt:
    """The attempt after the event. `method`: whose event it is; `offered`: open_methods() at this moment.

    An attempt that is too old or out of tries is VOID, whatever the event was, and so is one between the
    steps where nothing is open.
    """
    if attempt.state == VOID or now >= attempt.expires_at:
        return attempt._replace(state=VOID)
    following = TRANSITIONS.get((attempt.state, event))
    if following is None:
        raise StateError(f"A sign-in at {attempt.state!r} knows no {event!r}.")
    if not offered and (attempt.state in BETWEEN or following in BETWEEN):
        return attempt._replace(state=VOID)
    if attempt.state == CHALLENGE or following == CHALLENGE:
        return _challenged(attempt, event, following, method, offered)
    return attempt._replace(state=following)


def _challenged(
    attempt: Attempt, event: str, following: str, method: str, offered: tuple[str, ...]
) -> Attempt:
    if event == DENIED:
        return attempt._replace(state=following)
    if method not in offered:
        raise StateError(f"{method!r} is not open to this sign-in.")
    if event in (PROVED_MORE, CHOSEN):
        return attempt._replace(state=following, method=method)
    if method != attempt.method or (event != SENT and event not in ANSWERS[BY_NAME[method].answer]):
        raise StateError(f"{event!r} of {method!r} does not answer {attempt.method!r}.")
    tries = attempt.tries + 1 if event in (WRONG, USED) else attempt.tries
    return attempt._replace(state=VOID if tries >= TRIES else following, tries=tries)
