"""Messages of syslog (RFC 5424) and their frames (RFC 5425). Pure: values in, bytes out."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import NamedTuple

DAEMON, AUTHPRIV = 3, 10  # facilities: RFC 5424 section 6.2.1
ERROR, WARNING, NOTICE, INFO = 3, 4, 5, 6  # severities, the same section
MESSAGE_MAX = 8192  # bytes: what every receiver should take (RFC 5425 section 4.3.1)
NOTHING = "-"  # NILVALUE
BOM = b"\xef\xbb\xbf"
# An enterprise of our own is not registered: 32473 is the number that IANA keeps for examples (RFC 5612).
EVENT_ID = "event@32473"
ESCAPED = re.compile(r'([\\"\]])')


class Sender(NamedTuple):
    """Who speaks: the same for every message of a process."""

    host: str
    process: str
    app: str = "gatelodge-cloud"


class Message(NamedTuple):
    facility: int
    severity: int
    at: float  # seconds since 1970
    kind: str  # MSGID
    text: str
    data: Mapping[str, str] = {}


def encoded(message: Message, sender: Sender) -> bytes:
    """SYSLOG-MSG, of MESSAGE_MAX bytes at most: a longer text is cut between two characters."""
    head = " ".join(
        (
            f"<{message.facility * 8 + message.severity}>1",
            timestamp(message.at),
            name(sender.host, 255),
            name(sender.app, 48),
            name(sender.process, 128),
            name(message.kind, 32),
            structured(message.data),
        )
    ).encode()
    text = message.text.encode()
    text = text if message.text.isascii() else BOM + text
    return head + b" " + _cut(text, MESSAGE_MAX - len(head) - 1)


def framed(message: bytes) -> bytes:
    """With its length before it (RFC 5425 section 4.3): a line feed within forges no other message."""
    return b"%d %b" % (len(message), message)


def timestamp(at: float) -> str:
    """RFC 5424 section 6.2.3, in UTC, to the millisecond."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def name(text: str, characters: int) -> str:
    """PRINTUSASCII: what is none becomes "?"."""
    kept = "".join(each if "!" <= each <= "~" else "?" for each in text[:characters])
    return kept or NOTHING


def structured(data: Mapping[str, str]) -> str:
    """One SD-ELEMENT (section 6.3); what is empty is left out."""
    values = [f' {key}="{ESCAPED.sub(_BACKSLASH, _plain(value))}"' for key, value in data.items() if value]
    return f"[{EVENT_ID}{''.join(values)}]" if values else NOTHING


_BACKSLASH = r"\\\1"


def _plain(text: str) -> str:
    """Without control characters: a receiver may show it on a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _cut(text: bytes, size: int) -> bytes:
    return text if len(text) <= size else text[:size].decode(errors="ignore").encode()
