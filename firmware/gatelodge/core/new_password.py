"""Whether a text may become the owner's password, and how strong it looks.

Policy (NIST SP 800-63B section 3.1.1.2): 8 to 128 characters of any kind, no composition rules, common ones
refused.
"""

from gatelodge.contract import common_passwords
from gatelodge.contract.errors import ValueRangeError
from gatelodge.core import commonest, password

# What is loaded while a password is chosen, and may be unloaded after it.
MODULES = ("gatelodge.core.new_password", "gatelodge.core.commonest", "gatelodge.contract.common_passwords")

# A guesser tries runs of neighbours first, forwards and backwards.
_RUNS = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm qwertzuiop azertyuiop"
_LOOK_ALIKES = ("0o", "1i", "3e", "4a", "5s", "7t", "@a", "$s", "!i", "|l")

FEWEST_SURPRISES = 5  # parts that do not follow from those before; under it a text is guessed in minutes
_WORD_BITS = 9  # about 500 common words; capitals and look-alikes are tried with each
_STRENGTH_BITS = (36, 50, 64)  # up to here 1, 2, 3; then 4


def refusal(text):
    """Return password.TOO_SHORT, TOO_LONG, CONTROL or COMMON when the text may not become one, else None."""
    if len(text) < password.SHORTEST:
        return password.TOO_SHORT
    if len(text) > password.LONGEST:
        return password.TOO_LONG
    try:
        text = password.normalised(text)
    except ValueRangeError:
        return password.CONTROL
    is_common = _measure(text)[0] < FEWEST_SURPRISES or commonest.holds(text.lower())
    return password.COMMON if is_common else None


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
