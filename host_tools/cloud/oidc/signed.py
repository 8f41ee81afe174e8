"""What an application has signed: read within bounds, by signatures of key pairs alone (RFC 7515, RFC 8725).

A proof of possession brings its own key; a client's assertion is checked against those that were registered.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeyFlexible
from joserfc.jws import JWSRegistry

HEADER_MAX, PAYLOAD_MAX = 1024, 4096  # bytes; a header holds a key of an elliptic curve, and little else
JTI_MAX = 200
# What reading tokens and keys may raise: a header may be any JSON.
SPOILT = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Unproved(Exception):  # noqa: N818 - it is an answer about the other side
    """Why a signed token is not taken. The text holds nothing of it."""


def unchecked(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims of whatever somebody sent, before any signature is checked. Raises Unproved."""
    if len(token) > HEADER_MAX + PAYLOAD_MAX or not token.isascii():
        raise Unproved("it is too long, or no text of a token")
    try:
        found = jws.extract_compact(token.encode(), registry=_registry(()))
        claims = json.loads(found.payload)
    except SPOILT as error:
        raise Unproved("it is no signed token") from error
    header: object = found.headers()  # whatever JSON was sent
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Unproved("its header and its claims are objects")
    return header, claims


def verified(token: str, key: KeyFlexible, algorithms: Collection[str]) -> Mapping[str, Any]:
    """The claims, if the key signed them by one of the algorithms. Raises Unproved."""
    try:
        return jwt.decode(token, key, registry=_registry(algorithms)).claims
    except SPOILT as error:
        raise Unproved("its signature is wrong") from error


def seconds(value: object) -> float:
    """A time as JSON has it; NaN of anything else, which lies neither before nor after any time."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:
        return math.nan


def is_name(value: object) -> bool:
    """What tells one token from all others."""
    return isinstance(value, str) and 0 < len(value) <= JTI_MAX and value.isprintable()


def first_fault(faults: Mapping[str, bool]) -> None:
    """Raises Unproved with the first sentence that is true."""
    for text, broken in faults.items():
        if broken:
            raise Unproved(text)


def _registry(algorithms: Collection[str]) -> JWSRegistry:
    """Headers that nobody knows are overlooked (RFC 7515 section 4); `crit` is not."""
    registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
    registry.max_header_length, registry.max_payload_length = HEADER_MAX, PAYLOAD_MAX
    return registry
