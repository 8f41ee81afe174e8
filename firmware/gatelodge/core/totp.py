"""One-time codes: HOTP (RFC 4226) counted by time (RFC 6238), as every authenticator app computes them.

SHA-1, 6 digits, 30 s: what apps assume when told nothing. A *step* is unix seconds // 30. A step is used
once: matching never returns one at or before the last used, and the caller stores the match before it
lets anybody in (RFC 6238 section 5.2).
"""

import struct
from collections import namedtuple

from gatelodge import compat
from gatelodge.core import base32

DIGITS = 6
STEP_S = 30
SECRET_BYTES = 20  # RFC 4226 section 4, R6 recommends 160 bits
TOLERANCE_STEPS = 1  # either side; RFC 6238 section 5.2 recommends one step for the network and the typist
EXPLAINED_STEPS = 10  # either side: five minutes. A phone whose clock is farther off is off in other ways too
NEVER = -1  # last_step of an authenticator that has not been used

WRONG = "wrong"  # no such code near now
USED = "used"  # the very code that was used last

# step: the matched step or None; reason: None, WRONG or USED; wait_s: for USED, seconds until the app shows
# the next code (0 when it already does); drift_steps: what to remember of this authenticator's clock.
Answer = namedtuple("Answer", ("step", "reason", "wait_s", "drift_steps"))


def hotp(secret, counter):
    """Return the six digits of RFC 4226 section 5.3 for the secret (bytes) and the counter."""
    mac = compat.hmac_sha1(secret, struct.pack(">Q", counter))
    offset = mac[19] & 15
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return "%06d" % (number % 1000000)


def step_at(now):
    """Return the step that unix seconds `now` falls in."""
    return int(now) // STEP_S


def match(secret, code, now, last_step, drift_steps, tolerance=TOLERANCE_STEPS):
    """Return the step whose code this is, or None: within the tolerance of the expected one, after last_step.

    Every candidate is computed whatever matched before, so that the time taken tells nothing.
    """
    expected = step_at(now) + drift_steps
    typed = code.encode()
    found = None
    for step in range(max(expected - tolerance, 0), expected + tolerance + 1):
        same = compat.constant_time_equal(hotp(secret, step).encode(), typed)
        if same and step > last_step and found is None:
            found = step
    return found


def learned_drift(step, now):
    """Return the drift_steps to remember after a match: how far the authenticator's clock is ahead.

    Never more than the tolerance, so that an authenticator whose clock is right always stays inside the
    window, however late its owner typed the last time.
    """
    return max(-TOLERANCE_STEPS, min(TOLERANCE_STEPS, step - step_at(now)))


def check(secret, code, now, last_step, drift_steps):
    """Return the Answer for a code: the step to store, or why there is none."""
    step = match(secret, code, now, last_step, drift_steps)
    if step is not None:
        return Answer(step, None, 0, learned_drift(step, now))
    if last_step != NEVER and compat.constant_time_equal(hotp(secret, last_step).encode(), code.encode()):
        return Answer(None, USED, next_code_in_s(now, last_step, drift_steps), drift_steps)
    return Answer(None, WRONG, 0, drift_steps)


def steps_off(secret, code, now, last_step):
    """Return how many steps from now a code stands that `check` called WRONG, or None: ahead when positive.

    Only to explain a refusal. The nearest is taken, and none that may have been used.
    """
    typed = code.encode()
    found = None
    for off in sorted(range(-EXPLAINED_STEPS, EXPLAINED_STEPS + 1), key=abs):
        step = step_at(now) + off
        unused = step > max(last_step, 0)
        if unused and compat.constant_time_equal(hotp(secret, step).encode(), typed) and found is None:
            found = off
    return found


def next_code_in_s(now, last_step, drift_steps):
    """Return whole seconds until the app shows a code after last_step, 0 when it does already.

    A drift behind is not counted: it may as well be an owner who types late, with the next code on the phone.
    """
    return max(0, (last_step + 1 - max(drift_steps, 0)) * STEP_S - int(now))


def cleaned(text):
    """Return the six digits typed with or without spaces ("123 456"), or None for anything else."""
    if len(text) > 16:
        return None
    digits = text.replace(" ", "").replace("\u00a0", "").replace("-", "")
    return digits if len(digits) == DIGITS and _all_digits(digits) else None


def _all_digits(text):
    """Not isdigit(), which lets the digits of other scripts through."""
    return all(character in "0123456789" for character in text)


def uri(secret, issuer, account):
    """Return the otpauth URI for the QR code, with the defaults left out as apps expect them.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format. Issuer and account: letters, digits
    and hyphens only.
    """
    return "otpauth://totp/%s:%s?secret=%s&issuer=%s" % (issuer, account, base32.encode(secret), issuer)
