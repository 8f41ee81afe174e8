"""Recovery codes: the way in when the phone is lost or the clock is. Ten, each used once.

A code has 50 random bits in Crockford's base 32, which has no letters to be mistaken: ``7K3MQ-9QWXB``.
All ten share one salt, so that checking one takes one derivation and ten comparisons. The cost per guess
is a tenth of the password's, so that making ten costs the same; 50 bits need no more.
"""

import binascii

from gatelodge import compat
from gatelodge.contract import service_code

COUNT = 10
LENGTH = 10  # characters of 5 bits
GROUP = 5
RANDOM_BYTES = 16  # for each code, of which 50 bits are used; and for the salt
HASH_BYTES = 32
FEWEST_ITERATIONS = 1000

_ALIASES = {"I": "1", "L": "1", "O": "0"}
_SEPARATORS = " -\u2010\u2011\u2013\t"


def generate(random_bytes):
    """Return ten grouped codes made of COUNT * RANDOM_BYTES random bytes."""
    if len(random_bytes) != COUNT * RANDOM_BYTES:
        raise ValueError("%d random bytes make no ten recovery codes" % len(random_bytes))
    return [_code(random_bytes[i : i + RANDOM_BYTES]) for i in range(0, len(random_bytes), RANDOM_BYTES)]


def _code(random_bytes):
    number = int.from_bytes(random_bytes, "big")
    code = "".join([service_code.ALPHABET[(number >> 5 * i) & 31] for i in range(LENGTH)])
    return code[:GROUP] + "-" + code[GROUP:]


def cleaned(text):
    """Return the ten canonical characters of what was typed, or None when it cannot be a recovery code."""
    code = ""
    for character in text[:64].upper():
        if character not in _SEPARATORS:
            code += _ALIASES.get(character, character)
    valid = len(code) == LENGTH and all(character in service_code.ALPHABET for character in code)
    return code if valid else None


def new_record(codes, salt, password_iterations, now):
    """Return {salt, iterations, hashes, created_at} for the store; now: unix seconds."""
    iterations = max(FEWEST_ITERATIONS, password_iterations // COUNT)
    hashes = [_hashed(cleaned(code), salt, iterations) for code in codes]
    return {"salt": _hex(salt), "iterations": iterations, "hashes": hashes, "created_at": now}


def spend(record, text):
    """Return the record without the code that was typed, or None when it is none of those left. record: None
    where there are none, as after a restore that has switched two-factor on again.

    The same work for any text, and every hash is compared. The caller stores the result before it lets
    anybody in.
    """
    if record is None:
        return None
    typed = _hashed(cleaned(text) or "", binascii.unhexlify(record["salt"]), record["iterations"]).encode()
    left = [kept for kept in record["hashes"] if not compat.constant_time_equal(kept.encode(), typed)]
    if len(left) == len(record["hashes"]):
        return None
    spent = dict(record)
    spent["hashes"] = left
    return spent


def remaining(record):
    """Return how many codes are left. record: None while two-factor is off."""
    return len(record["hashes"]) if record else 0


def _hashed(code, salt, iterations):
    return _hex(compat.pbkdf2_sha256(code.encode(), salt, iterations, HASH_BYTES))


def _hex(data):
    return binascii.hexlify(data).decode()
