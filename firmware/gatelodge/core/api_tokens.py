"""Personal tokens of the API: their form, what they may be good for, and how long. Pure.

    glr_ | 64 hex digits of 32 random bytes | 8 hex digits of the CRC-32 of what stands before

The prefix and the checksum are there for scanners, which find a token that leaked into a repository or a log
without asking a router. Only the SHA-256 is kept: 256 random bits need no slow hash.
"""

import binascii

from gatelodge import compat
from gatelodge.core import sessions

PREFIX = "glr_"
_BODY = len(PREFIX) + 2 * sessions.TOKEN_BYTES
LENGTH = _BODY + 8
ID_LENGTH = 8  # hex digits of the hash, public

MOST = 16
DAY_S = 86400

# What a token may be good for; what each means stands in web/scopes.py. Nothing that changes who gets in.
SCOPES = (
    "status:read",
    "devices:read",
    "internet:read",
    "cloud:read",
    "history:read",
    "log:read",
    "router:restart",
)

# What may be chosen -> days. None: it ends when it is revoked.
LIFETIMES = {"30": 30, "90": 90, "365": 365, "none": None}
DEFAULT_LIFETIME = "90"


def new_token(random_bytes):
    """Return the text of a token made of 32 random bytes."""
    body = PREFIX + sessions.new_token(random_bytes)
    return body + checksum(body)


def checksum(body):
    return "%08x" % (binascii.crc32(body.encode()) & 0xFFFFFFFF)


def is_whole(text):
    """Whether it has the form of a token. What has not is no guess: it is refused before it is hashed."""
    return len(text) == LENGTH and text.startswith(PREFIX) and text[_BODY:] == checksum(text[:_BODY])


def hashed(token):
    """Return what is kept of a token, as hex digits."""
    return binascii.hexlify(compat.sha256(token.encode())).decode()


def scopes_of(text):
    """Return the scopes of a text that names them with spaces between (RFC 6749 section 3.3), in the order of
    SCOPES, each once; None when it names none, or one that there is not."""
    named = text.split()
    if not named or any(name not in SCOPES for name in named):
        return None
    return [scope for scope in SCOPES if scope in named]


def ends_at(lifetime, now):
    """Return the unix second at which a token made now ends, or None for never. KeyError: no such choice."""
    days = LIFETIMES[lifetime]
    return None if days is None else int(now) + days * DAY_S


def is_over(row, now, is_clock_set):
    """Whether a token of the store has ended. A clock that is not set cannot tell, and believes none that
    ends.

    row: as store_keys.API_TOKEN describes it."""
    expires_at = row["expires_at"]
    return expires_at is not None and (not is_clock_set or expires_at <= now)


def is_worth_writing(row, now):
    """Whether a use is to be written down. Once a day: a script may ask each second, and flash wears."""
    last = row["last_used_at"]
    return last is None or not 0 <= now - last < DAY_S
