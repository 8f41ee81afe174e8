"""The service code: the secret on a router's label that lets its owner register it.

Sixteen characters of Crockford's base 32 carry 80 random bits; a seventeenth checks them.
Written in groups: ``7K3M-9QWX-2B4N-T8RC-V``. Crockford's alphabet leaves out I, L, O and U;
when read, I and L count as 1 and O as 0, and case, spaces and hyphens do not matter.

The check character comes from the same alphabet, so that a label holds no odd signs. It is
the sum over GF(32) of each character times its own weight, the powers of the field's
generator. Every weight is different and none is zero, so **any** single wrong character and
**any** two exchanged characters are found, not only neighbours.
"""

from gatelodge.contract.catalogue import N_
from gatelodge.contract.errors import ServiceCodeError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # https://www.crockford.com/base32.html
RANDOM_BYTES = 10  # 80 bits: guessing one of a million codes takes 2**60 tries
DATA_CHARACTERS = 16
LENGTH = DATA_CHARACTERS + 1
GROUP = 4

_ALIASES = {"I": "1", "L": "1", "O": "0"}
_SEPARATORS = " -\u2010\u2011\u2013\t"  # people paste typographic hyphens
_FIELD_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1, primitive over GF(2)


def generate(random_bytes):
    """Return the canonical 17-character code made of 10 random bytes."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError("a service code takes %d random bytes, not %d" % (RANDOM_BYTES, len(random_bytes)))
    number = int.from_bytes(random_bytes, "big")
    data = ""
    for shift in range(5 * (DATA_CHARACTERS - 1), -1, -5):
        data += ALPHABET[(number >> shift) & 31]
    return data + check_character(data)


def parse(text):
    """Return the canonical code for what a person typed.

    Raises ServiceCodeError, whose text is fit for the page, on a wrong length, a character
    that no code holds, or a check character that does not match.
    """
    code = ""
    # A bound before the loop: the text comes from a form. No honest code is longer than this.
    for character in text[:64].upper():
        if character in _SEPARATORS:
            continue
        character = _ALIASES.get(character, character)
        if character not in ALPHABET:
            raise ServiceCodeError(N_("A service code has no %s. Check the label."), repr(character))
        code += character
    if len(code) != LENGTH:
        text = N_("A service code has %d characters, this has %d. Check the label.")
        raise ServiceCodeError(text, LENGTH, len(code))
    if check_character(code[:DATA_CHARACTERS]) != code[DATA_CHARACTERS]:
        raise ServiceCodeError(N_("One of these characters is wrong, or two are exchanged. Check the label."))
    return code


def format_grouped(code):
    """Return the canonical code as printed on the label, in groups of four."""
    return "-".join(code[i : i + GROUP] for i in range(0, LENGTH, GROUP))


def check_character(data):
    """Return the character that completes 16 canonical ones."""
    total = 0
    weight = 1
    for character in data:
        weight = _multiply(weight, 2)
        total ^= _multiply(weight, ALPHABET.index(character))
    return ALPHABET[total]


def _multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 32:
            a ^= _FIELD_POLYNOMIAL
        b >>= 1
    return product
