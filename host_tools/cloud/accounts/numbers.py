"""Phone numbers as people write them, with their country's prefix (M2, N5). Pure."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_

NO_NUMBER = N_("That is no phone number. Write it with its country's prefix, for example +32 470 12 34 56.")
NO_PREFIX = N_("Begin with the country's prefix, for example +32.")
NOT_REACHED = N_("That number takes no text messages, or charges whoever writes to it. Use another.")
TEXT_MAX = 60
# What may be texted. Premium numbers would let a stranger earn on every message.
TYPES = (
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,  # North America tells no difference
    PhoneNumberType.FIXED_LINE,  # many are read out
    PhoneNumberType.VOIP,
    PhoneNumberType.PERSONAL_NUMBER,
)


def canonical(text: str) -> str:
    """E.164: "+32470123456". Raises RefusedError on the field `number`."""
    trimmed = " ".join(text.split())[:TEXT_MAX]
    if trimmed.startswith("00"):
        trimmed = "+" + trimmed[2:]
    if not trimmed.startswith("+"):
        raise RefusedError("number", NO_PREFIX)
    try:
        number = phonenumbers.parse(trimmed, None)
    except NumberParseException as error:
        raise RefusedError("number", NO_NUMBER) from error
    if not phonenumbers.is_valid_number(number):
        raise RefusedError("number", NO_NUMBER)
    if number.extension or phonenumbers.number_type(number) not in TYPES:
        raise RefusedError("number", NOT_REACHED)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def readable(number: str) -> str:
    """As it is written at home: "+32 470 12 34 56"."""
    return phonenumbers.format_number(phonenumbers.parse(number, None), PhoneNumberFormat.INTERNATIONAL)


def hinted(number: str) -> str:
    """Enough to know one's own by, for whoever has only entered the password."""
    return "••• " + number[-2:]
