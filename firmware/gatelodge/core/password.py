"""The owner's password: what is accepted, how strong it looks, how it is kept.

Policy (NIST SP 800-63B section 3.1.1.2): 8 to 128 characters of any kind, no composition rules, common ones
refused. Kept as PBKDF2-HMAC-SHA256 (RFC 8018 section 5.2), which the router's native library computes.

Which text is which password (after RFC 8265 section 4.2.2, OpaqueString): case matters, spaces count, also at
the ends; a space of another script counts as an ordinary one; control characters are refused. Composed and
decomposed accents are **not** made equal, since MicroPython has no Unicode tables; browsers send what
the keyboard makes, which is composed on every system that we know.
"""

import binascii

from gatelodge import compat
from gatelodge.contract import common_passwords
from gatelodge.contract.errors import StateError, ValueRangeError
from gatelodge.core import commonest

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

# A guesser tries runs of neighbours first, forwards and backwards.
_RUNS = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm qwertzuiop azertyuiop"
_LOOK_ALIKES = ("0o", "1i", "3e", "4a", "5s", "7t", "@a", "$s", "!i", "|l")

FEWEST_SURPRISES = 5  # parts that do not follow from those before; under it a text is guessed in minutes
_WORD_BITS = 9  # about 500 common words; capitals and look-alikes are tried with each
_STRENGTH_BITS = (36, 50, 64)  # up to here 1, 2, 3; then 4


def normalised(text):
    """Return the text as it is hashed. Raises ValueRangeError for control characters."""
    characters = []
    for character in text:
        if ord(character) < 32 or ord(character) == 127:
            raise ValueRangeError("A password has no control characters. Type it again.")
        characters.append(" " if ord(character) in _FOREIGN_SPACES else character)
    return "".join(characters)


def refusal(text):
    """Return TOO_SHORT, TOO_LONG, CONTROL or COMMON when the text may not become a password, else None."""
    if len(text) < SHORTEST:
        return TOO_SHORT
    if len(text) > LONGEST:
        return TOO_LONG
    try:
        text = normalised(text)
    except ValueRangeError:
        return CONTROL
    is_common = _measure(text)[0] < FEWEST_SURPRISES or commonest.holds(text.lower())
    return COMMON if is_common else None


def strength(text):
    """Return 0 (refused) to 4 (strong), for the meter: an estimate of how long guessing takes."""
    if refusal(text) is not None:
        return 0
    bits = _measure(text)[1]
    return 1 + sum([bits >= limit for limit in _STRENGTH_BITS])


def _measure(text):
    """Return (surprises, bits): parts that a guesser cannot foresee, and what they are worth."""
    raw = _first_of_repetition(text.lower())
    plain = raw
    for pair in _LOOK_ALIKES:
        plain = plain.replace(pair[0], pair[1])
    surprises = bits = at = 0
    while at < len(raw):
        length = max(_word_at(raw, at), _word_at(plain, at), _year_at(raw, at))
        if length:
            bits += _WORD_BITS
        elif not _follows(raw, at):
            bits += _character_bits(raw[at])
        else:
            at += 1
            continue
        surprises += 1
        at += length or 1
    return surprises, bits


def _first_of_repetition(text):
    """Return "abc" for "abcabcabc", and any other text as it is."""
    for length in range(1, len(text) // 2 + 1):
        times = -(-len(text) // length)
        if (text[:length] * times)[: len(text)] == text:
            return text[:length]
    return text


def _word_at(text, at):
    """Return the length of the longest common word that starts here, or 0."""
    for length in range(min(common_passwords.LONGEST, len(text) - at), 3, -1):
        word = text[at : at + length]
        if " " not in word and " " + word + " " in common_passwords.WORDS:
            return length
    return 0


def _year_at(text, at):
    """Return 4 when a year of the last or this century stands here, else 0."""
    year = text[at : at + 4]
    digits = len(year) == 4 and all(character in "0123456789" for character in year)
    return 4 if digits and year[:2] in ("19", "20") else 0


def _follows(text, at):
    """Whether the character repeats the one before, or goes on with a run of neighbours."""
    if at and text[at] == text[at - 1]:
        return True
    run = text[at - 2 : at + 1] if at >= 2 else ""
    backwards = "".join(reversed(run))
    return len(run) == 3 and " " not in run and (run in _RUNS or backwards in _RUNS)


def _character_bits(character):
    if character in "0123456789":
        return 3
    return 4 if "a" <= character <= "z" else 5


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
