"""The chain of the ledger: an entry's bytes, its hash, and the head that stands for all of them. No file.

    hash = SHA-256("gatelodge ledger 1\\n" + hash of the entry before + bytes)     the first follows 32 zeros

The bytes are the entry as canonical JSON: keys sorted, no spaces, ASCII.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from host_tools import exit_codes
from host_tools.errors import ToolError

DOMAIN = b"gatelodge ledger 1\n"
NOTHING = bytes(32)  # what the first entry follows
LONGEST_BODY = 256 * 1024  # bytes; a report of eleven steps takes 4 KB
# What is entered once can never be taken out again.
SECRETS = frozenset(("service_code", "private_key", "passphrase", "label_text"))


class Entry(NamedTuple):
    sequence: int
    hash: str  # hex
    fields: dict[str, Any]


class Head(NamedTuple):
    """What stands for a whole ledger: "COUNT:HASH" as text."""

    count: int  # type: ignore[assignment]  # of the entries; tuple.count is of no use here
    hash: str  # hex; of the last entry

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """Raises ValueError."""
        count, _, found = text.strip().partition(":")
        if not count.isascii() or not count.isdecimal() or len(bytes.fromhex(found)) != len(NOTHING):
            raise ValueError("a head reads COUNT:HASH")
        return cls(int(count), found.lower())


def canonical(fields: dict[str, Any]) -> bytes:
    """Return the bytes of an entry. Raises ToolError for what no entry may hold."""
    secret = SECRETS.intersection(_names(fields))
    if secret:
        raise ToolError(f"an entry would hold the secret {min(secret)}", "leave it out", exit_codes.LEDGER)
    try:
        body = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (TypeError, ValueError) as error:
        raise ToolError(f"an entry cannot be written ({error})", "leave it out", exit_codes.LEDGER) from error
    if len(body) > LONGEST_BODY:
        wrong = f"an entry has {len(body)} bytes of at most {LONGEST_BODY}"
        raise ToolError(wrong, "shorten it", exit_codes.LEDGER)
    return body


def chained(previous: bytes, body: bytes) -> bytes:
    return hashlib.sha256(DOMAIN + previous + body).digest()


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)
