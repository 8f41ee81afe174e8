"""The owner's password: which text is which one, and how it is kept. new_password.py says which are accepted.

Kept as PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2), which the router's native library computes.

Which text is which password (after RFC 8265 section 4.2.2, OpaqueString): case matters, spaces count, also at
the ends; a space of another script counts as an ordinary one; control characters are refused. Composed and
decomposed accents are **not** made equal, since MicroPython has no Unicode tables; browsers send what
the keyboard makes, which is composed on every system that we know.
"""

import binascii

from gatelodge import compat
from gatelodge.contract.errors import StateError, ValueRangeError

SHORTEST = 8
LONGEST = 128

# Why a text may not become a password.
TOO_SHORT = "password_too_short"
TOO_LONG = "password_too_long"
CONTROL = "password_has_control_characters"
COMMON = "password_is_common"

ALGORITHM = "pbkdf2-sha256"
SALT_BYTES = 16
HASH_BYTES = 32
TARGET_MS = 300  # what a sign-in may cost the router, and each offline guess its guesser
FEWEST_ITERATIONS = 10000  # however slow the router: a stolen flash must not be cheap to search
MOST_ITERATIONS = 2000000
PROBE_MS = 40  # shorter is lost in the noise of the clock

# Unicode's space separators, category Zs.
_FOREIGN_SPACES = (0xA0, 0x1680, 0x202F, 0x205F, 0x3000) + tuple(range(0x2000, 0x200B))


def normalised(text):
    """Return the text as it is hashed. Raises ValueRangeError for control characters."""
    characters = []
    for character in text:
        if ord(character) < 32 or ord(character) == 127:
            raise ValueRangeError("A password has no control characters. Type it again.")
        characters.append(" " if ord(character) in _FOREIGN_SPACES else character)
    return "".join(characters)


def new_record(text, salt, iterations):
    """Return {algorithm, salt, iterations, hash} for the store; salt: 16 random bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has %d bytes, not %d" % (SALT_BYTES, len(salt)))
    digest = compat.pbkdf2_sha256(normalised(text).encode(), salt, iterations, HASH_BYTES)
    return {"algorithm": ALGORITHM, "salt": _hex(salt), "iterations": iterations, "hash": _hex(digest)}


def verify(record, text):
    """Return whether the text is the password. The work is that of the record, whatever the text."""
    if record["algorithm"] != ALGORITHM:
        raise StateError("The password is kept by %r, which is unknown here." % record["algorithm"])
    try:
        typed = normalised(text[: LONGEST + 1])
    except ValueRangeError:
        typed = ""  # never a password, and costs as much
    salt = binascii.unhexlify(record["salt"])
    digest = compat.pbkdf2_sha256(typed.encode(), salt, record["iterations"], HASH_BYTES)
    return compat.constant_time_equal(digest, binascii.unhexlify(record["hash"]))


def is_record(value):
    """Whether these are the members of a record (of the right types) that `verify` can take."""
    try:
        sizes = len(binascii.unhexlify(value["salt"])), len(binascii.unhexlify(value["hash"]))
    except ValueError:
        return False
    is_cost = 1 <= value["iterations"] <= MOST_ITERATIONS
    return value["algorithm"] == ALGORITHM and sizes == (SALT_BYTES, HASH_BYTES) and is_cost


def is_outgrown(record, iterations):
    """Whether a hash at this cost is so much dearer than the record's that it is worth making anew.

    A fifth, because no two measurements agree; and never less, whatever this one found."""
    return iterations > record["iterations"] * 6 // 5


def calibrated_iterations(cost_ms, target_ms=TARGET_MS):
    """Return how many iterations take about target_ms here.

    cost_ms(iterations): does them, and returns the milliseconds that it took.
    """
    iterations = 1000
    took_ms = cost_ms(iterations)
    while took_ms < PROBE_MS and iterations < MOST_ITERATIONS:
        iterations *= 4
        took_ms = cost_ms(iterations)
    fitting = iterations * target_ms // max(took_ms, 1)
    return max(FEWEST_ITERATIONS, min(MOST_ITERATIONS, fitting // 1000 * 1000))


def _hex(data):
    return binascii.hexlify(data).decode()
