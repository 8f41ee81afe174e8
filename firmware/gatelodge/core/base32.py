"""Base 32 of RFC 4648 section 6: the form in which authenticator apps take a secret.

Not Crockford's alphabet (contract/service_code.py): apps accept only this one.
"""

from gatelodge.contract.errors import ValueRangeError

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
GROUP = 4  # characters, as people type them


def encode(data):
    """Return the text of the bytes, without padding: `=` is awkward in an otpauth URI."""
    bits = 8 * len(data)
    spare = -bits % 5
    number = int.from_bytes(data, "big") << spare
    return "".join([ALPHABET[(number >> shift) & 31] for shift in range(bits + spare - 5, -1, -5)])


def decode(text):
    """Return the bytes of what encode made or a person typed: case, spaces, hyphens and padding are free.

    Raises ValueRangeError on a foreign character, an impossible length or spare bits that are not zero.
    """
    text = text.replace(" ", "").replace("-", "").upper().rstrip("=")
    number = 0
    for character in text:
        value = ALPHABET.find(character)
        if value < 0:
            raise ValueRangeError("A key has only letters and the digits 2 to 7. Copy it again.")
        number = number << 5 | value
    spare = 5 * len(text) % 8
    if spare >= 5 or number & ((1 << spare) - 1):
        raise ValueRangeError("This key is not whole. Copy it again.")
    return (number >> spare).to_bytes(5 * len(text) // 8, "big")


def grouped(text):
    """Return the text in groups of four, for reading aloud and typing."""
    return " ".join([text[i : i + GROUP] for i in range(0, len(text), GROUP)])
