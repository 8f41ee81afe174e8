"""One-time codes (RFC 6238: six digits, 30 s), decided without a clock or a store.

A code is good while the authenticator shows it, by our clock and what we know of its own: 30 s and no longer
(OWASP ASVS 5, 6.5.5). One whose clock is off by more tells so by two codes in a row (RFC 4226 section 7.4).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pyotp

STEP_S = 30
DIGITS = 6
RESYNC_STEPS = 10  # five minutes: how far two codes in a row, or the first code of all, move a clock
DRIFT_STEPS_MAX = 130  # over an hour: a phone whose time zone is wrong by one, set by hand
ISSUER = "Gatelodge"
SHA1, SHA256, SHA512 = "SHA1", "SHA256", "SHA512"  # as otpauth URIs name them


class Algorithm(NamedTuple):
    """name: for people. characters: of a key in base32, no shorter than the hash (RFC 2104 section 3)."""

    name: str
    digest: Callable[..., Any]
    characters: int


# SHA-1 keys have 160 bits, as RFC 4226 section 4 recommends; of the others a whole number of base32's groups.
ALGORITHMS = {
    SHA1: Algorithm("SHA-1", hashlib.sha1, 32),
    SHA256: Algorithm("SHA-256", hashlib.sha256, 56),
    SHA512: Algorithm("SHA-512", hashlib.sha512, 104),
}

# LATE and EARLY: of the step beside the present one. BEHIND and AHEAD: of a clock that is off by more.
RIGHT, LEARNED, USED, LATE, EARLY, BEHIND, AHEAD, WRONG = (
    "right", "learned", "used", "late", "early", "behind", "ahead", "wrong",
)  # fmt: skip


class State(NamedTuple):
    """What is known of an authenticator."""

    last_step: int = 0  # used up, with all before it
    drift_s: int = 0  # its clock minus ours
    stray_step: int = 0  # of the last code that was of another time; 0: none
    stray_at: float = 0.0
    stray_by: str = ""  # which sign-in or session gave it


class Outcome(NamedTuple):
    verdict: str
    state: State
    off_s: int = 0  # BEHIND, AHEAD: its clock minus ours, roughly


def new_secret(algorithm: str = SHA1) -> str:
    return pyotp.random_base32(ALGORITHMS[algorithm].characters)


def uri(secret: str, email: str, algorithm: str = SHA1) -> str:
    return _codes(secret, algorithm).provisioning_uri(name=email, issuer_name=ISSUER)


def judge(
    secret: str, code: str, state: State, by: str, now: float, algorithm: str = SHA1
) -> Outcome:
    """What a code is worth, and what is known after it.

    To say of a wrong code at what time it is right tells it to whoever guessed it. One of the past opens
    nothing any more. One of the next step is used up with being told of; of one further ahead we speak only
    after two of them.
    """
    present = _step(now + state.drift_s)
    step = _step_of(_codes(secret, algorithm), code, present, DRIFT_STEPS_MAX)
    if step is None:
        return Outcome(WRONG, state)
    away, off_s = step - present, (step - _step(now)) * STEP_S
    if step <= state.last_step and away >= -RESYNC_STEPS:
        return Outcome(USED, state)
    if away == 0:
        return Outcome(RIGHT, State(step, state.drift_s))
    strayed = state._replace(stray_step=step, stray_at=now, stray_by=by)
    if abs(away) <= RESYNC_STEPS and _in_a_row(state, strayed):
        return Outcome(LEARNED, State(step, _drift_of(state, strayed)))
    if away == 1:
        return Outcome(EARLY, strayed._replace(last_step=step))
    if away == -1:
        return Outcome(LATE, strayed)
    if away < 0:
        return Outcome(BEHIND, strayed, off_s)
    return Outcome(AHEAD if _second_of(state, strayed) else WRONG, strayed, off_s)


def first(secret: str, code: str, now: float, algorithm: str = SHA1) -> State | None:
    """What the code that proves a new authenticator tells; None where it is wrong, or too far off.

    One of the step before was typed late, more likely than not: no drift is read from it.
    """
    present = _step(now)
    step = _step_of(_codes(secret, algorithm), code, present, RESYNC_STEPS)
    if step is None:
        return None
    return State(step, 0 if step in (present, present - 1) else _least_drift(step, now))


def is_of_another(secret: str, code: str, now: float, algorithm: str) -> bool:
    """Whether an app that was given a new key made the code with another hash function than it was told.

    SHA-1 is what an app uses that was told nothing, or did not listen.
    """
    others = (each for each in ALGORITHMS if algorithm not in (each, SHA1))
    return any(first(secret, code, now, other) is not None for other in others)


def left_s(drift_s: int, now: float) -> float:
    """For how long the code that the authenticator shows is good."""
    return STEP_S - (now + drift_s) % STEP_S


def wait_s(drift_s: int, now: float) -> int:
    """Whole seconds until the authenticator shows the next code."""
    return math.ceil(left_s(drift_s, now))


def digits(text: str) -> str:
    """What a person typed, without the gap that authenticators show."""
    return "".join(text.split()).replace("-", "")[:16]


def _step(moment: float) -> int:
    return int(moment // STEP_S)


def _codes(secret: str, algorithm: str) -> pyotp.TOTP:
    return pyotp.TOTP(secret, digits=DIGITS, digest=ALGORITHMS[algorithm].digest, interval=STEP_S)


def _step_of(otp: pyotp.TOTP, code: str, present: int, steps_max: int) -> int | None:
    """The step whose code this is: the present one, or the nearest around it."""
    around = range(max(0, present - steps_max), present + steps_max + 1)
    for step in sorted(around, key=lambda each: abs(each - present)):
        if pyotp.utils.strings_equal(code, otp.generate_otp(step)):
            return step
    return None


def _in_a_row(before: State, after: State) -> bool:
    """Whether two codes of one sign-in are what a clock that ticks like ours has shown."""
    follows = before.stray_by == after.stray_by and after.stray_step == before.stray_step + 1
    return follows and 0 < after.stray_at - before.stray_at < 2 * STEP_S


def _second_of(before: State, after: State) -> bool:
    """Whether both may be codes of one phone within one sign-in, and not the same code twice."""
    return before.stray_by == after.stray_by and 0 < after.stray_step - before.stray_step <= 10


def _drift_of(before: State, after: State) -> int:
    return max(_least_drift(one.stray_step, one.stray_at) for one in (before, after))


def _least_drift(step: int, at: float) -> int:
    """Its clock minus ours, had the code been typed the moment it showed. It was typed later: its clock is
    ahead of this by as much, and a code is good for as long after it has gone."""
    return math.ceil(step * STEP_S - at)
