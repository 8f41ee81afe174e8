"""JSON texts that are the same bytes on every interpreter. Pure; what to import is compat.json.

RFC 8259, and these rules: keys are sorted, nothing is spaced, non-ASCII is written as it is, control
characters as \\u00xx (but \\n, \\r, \\t). Whole floats below 2**53 are exact. Other floats are rounded to
FLOAT_DIGITS significant digits: reading such a text and writing it again gives the same text. There is no nan
and no infinity.
"""

import math

FLOAT_DIGITS = 14  # a double has 15.9; MicroPython's parser is off by up to two units in the last place
_EXACT_BELOW = 2**53  # whole numbers under it are exact in a double and in both parsers
_PLAIN_EXPONENTS = range(-5, 16)  # written without an exponent, like Python's repr


def dumps(value, string):
    """`value` as JSON text. `string(text)` quotes and escapes as above: each interpreter has its fastest way.

    Raises ValueError for nan and infinity, TypeError for what JSON has no form of.
    """
    if isinstance(value, str):
        return string(value)
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dict):
        members = [_key(key, string) + ":" + dumps(value[key], string) for key in sorted(value)]
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([dumps(item, string) for item in value]) + "]"
    raise TypeError(f"JSON has no form for a {type(value).__name__}")


def _key(key, string):
    if not isinstance(key, str):
        raise TypeError("the keys of a JSON object are text")
    return string(key)


def _float(value):
    if not math.isfinite(value):
        raise ValueError("JSON has no nan and no infinity")
    sign = "-" if value < 0 else ""
    value = abs(value)
    if value < _EXACT_BELOW and value == int(value):
        return f"{sign if value else ''}{int(value)}.0"
    digits, exponent = _rounded(value)
    return sign + _decimal(digits, exponent)


def _rounded(value):
    """(digits, exponent): `value` is 0.DIGITS x 10**(exponent + 1), rounded half to even.

    In whole numbers, because the two interpreters' own float formatting differs in the last digits.
    """
    fraction, power = math.frexp(value)
    mantissa, power = int(fraction * 2**53), power - 53
    exponent = int(math.floor(math.log10(value)))
    while True:
        above, below = _scaled(mantissa, power, FLOAT_DIGITS - 1 - exponent)
        quotient, rest = divmod(above, below)
        if 2 * rest > below or (2 * rest == below and quotient & 1):
            quotient += 1
        if quotient >= 10**FLOAT_DIGITS:
            exponent += 1
        elif quotient < 10 ** (FLOAT_DIGITS - 1):
            exponent -= 1
        else:
            return str(quotient).rstrip("0"), exponent


def _scaled(mantissa, power, tens):
    """mantissa * 2**power * 10**tens as a fraction of two whole numbers."""
    above = mantissa * (2**power if power > 0 else 1) * (10**tens if tens > 0 else 1)
    below = (2**-power if power < 0 else 1) * (10**-tens if tens < 0 else 1)
    return above, below


def _decimal(digits, exponent):
    if exponent not in _PLAIN_EXPONENTS:
        rest = "." + digits[1:] if len(digits) > 1 else ""
        return f"{digits[0]}{rest}e{exponent}"
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1]
    return whole + "0" * (exponent + 1 - len(whole)) + "." + (digits[exponent + 1 :] or "0")


def without_surrogates(text):
    """Replaces escaped surrogate pairs by the character they stand for (RFC 8259 section 7).

    MicroPython would make two invalid characters of them. A lone half stands for nothing: ValueError.
    """
    parts, start, at = [], 0, text.find("\\")
    while at >= 0:
        if text[at : at + 4].lower() in _HALVES:
            parts.append(text[start:at])
            parts.append(_pair(text, at))
            start = at + 12
            at = text.find("\\", start)
        else:
            at = text.find("\\", at + 2)  # one escape, whichever: what it escapes starts no other
    return "".join(parts) + text[start:]


_HALVES = tuple("\\ud" + digit for digit in "89abcdef")


def _pair(text, at):
    try:
        high, low = int(text[at + 2 : at + 6], 16), int(text[at + 8 : at + 12], 16)
    except ValueError:
        high = low = 0
    if text[at + 6 : at + 8] != "\\u" or not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        raise ValueError("half a surrogate pair stands for no character")
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
