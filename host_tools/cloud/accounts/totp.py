"""One-time codes (RFC 6238: SHA-1, six digits, 30 s), decided without a clock or a store."""

from __future__ import annotations

import math
from typing import NamedTuple

import pyotp

STEP_S = 30
DIGITS = 6
TOLERANCE_STEPS = (
    1  # RFC 6238 section 5.2: one step for the way from the phone to here, and as much for its clock
)
DRIFT_STEPS_MAX = 130  # over an hour: a phone whose time zone is wrong by one, set by hand
ISSUER = "Gatelodge"

RIGHT, USED, WRONG = "right", "used", "wrong"


class Match(NamedTuple):
    verdict: str
    step: int  # the step that matched; 0 when none did


def new_secret() -> str:
    return pyotp.random_base32(32)  # 160 bits, as RFC 4226 section 4 recommends


def uri(secret: str, email: str) -> str:
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def match(secret: str, code: str, last_step: int, now: float) -> Match:
    """Which step's code this is. Steps up to `last_step` have been used, or lie before one that was."""
    present = int(now) // STEP_S
    found = WRONG, 0
    for step in range(present - TOLERANCE_STEPS, present + TOLERANCE_STEPS + 1):
        if pyotp.utils.strings_equal(code, pyotp.TOTP(secret).generate_otp(step)):
            found = (RIGHT if step > last_step else USED), step
    return Match(*found)


def drift_steps(secret: str, code: str, now: float) -> int:
    """By how many steps the phone's clock is off, if this is its code: behind is negative; 0 where it is not.

    To say so tells whoever typed it that the code is right at another time. One of the past opens nothing any
    more; one of the future would: the caller speaks only after two of those in a row.
    """
    present = int(now) // STEP_S
    for away in range(TOLERANCE_STEPS + 1, DRIFT_STEPS_MAX + 1):
        for step in (present - away, present + away):
            if pyotp.utils.strings_equal(code, pyotp.TOTP(secret).generate_otp(step)):
                return step - present
    return 0


def wait_s(now: float) -> int:
    """Seconds until the authenticator shows the next code."""
    return math.ceil(STEP_S - now % STEP_S)


def digits(text: str) -> str:
    """What a person typed, without the gap that authenticators show."""
    return "".join(text.split()).replace("-", "")[:16]
