"""What a router tells support of itself: these rows are all that is let through, at both ends.

A report is "report" messages, one for each section in the order of SECTIONS, and as many as it takes for the
log. The router checks each before it sends it, the cloud again when it comes: what no row names is dropped.
No row has a place for a key, a code, a hash, a cookie or a name that somebody has given. The only free text
is the log's and the last error's; core/discretion.py goes over it, on the router.
"""

from gatelodge.contract.errors import MessageError
from gatelodge.contract.messages import (
    check_rows,
    flag,
    integer,
    nullable,
    number,
    one_of,
    record,
    text,
    token,
)

COMMAND = "diagnostics"
LOG = "log"
LINE_LIMIT = 300  # characters of a line of the log
LINES_LIMIT = 100  # of one message
LOG_BYTES = 12 * 1024  # of all the lines that are sent, as JSON
MESSAGES_LIMIT = 16  # of one report: of 40 that a router may send at once (devices/session.py)

_BYTES = integer(0, 2**53)
_KB = integer(0, 2**40)
_COUNT = integer(0, 10_000)
_LOAD = number(0, 10_000)
_SECONDS = integer(0, 2**40)
_ADDRESS_CHARACTERS = "0123456789abcdefABCDEF.:/"


def listed(most, check_item):
    """A list of at most so many, each as check_item has it."""

    def check_list(name, value):
        if not isinstance(value, list) or len(value) > most:
            raise MessageError("%s is not a list of at most %d" % (name, most))
        return [check_item(name, item) for item in value]

    return check_list


def address(name, value):
    """An IP address, or "" for none."""
    if not all(each in _ADDRESS_CHARACTERS for each in text(64)(name, value)):
        raise MessageError("%s is not an address" % name)
    return value


_INTERFACE = record(
    ("name", token(16)),
    ("role", one_of("wan", "lan", "other")),
    ("address", address),
    ("up", flag),
    ("rx_bytes", _BYTES),
    ("tx_bytes", _BYTES),
)

# (section, rows of (field, check)), in the order in which they are sent and shown.
SECTIONS = (
    (
        "router",
        (
            ("model", text(64)),
            ("board", token(64)),
            ("firmware", text(64)),
            ("slot", nullable(token(8))),
            ("interpreter", text(64)),
            ("kernel", text(64)),
            ("uptime_s", _SECONDS),
        ),
    ),
    (
        "clock",
        (
            ("now", _SECONDS),  # unix s, as the router has it
            ("state", one_of("unset", "synced", "proven")),
            ("source", text(16)),  # of core/clock.py: "sntp", "cloud", "two codes", ...
            ("doubtful", flag),
        ),
    ),
    (
        "machine",
        (
            ("load_1", _LOAD),
            ("load_5", _LOAD),
            ("load_15", _LOAD),
            ("memory_total_kb", _KB),
            ("memory_available_kb", _KB),
            ("heap_used_kb", nullable(_KB)),
            ("heap_total_kb", nullable(_KB)),
            ("storage_total_kb", nullable(_KB)),
            ("storage_free_kb", nullable(_KB)),
        ),
    ),
    (
        "internet",
        (
            ("up", flag),
            ("route", flag),
            ("speed_mbit", nullable(integer(0, 10_000_000))),
            ("addresses", listed(8, address)),
            ("gateways", listed(4, address)),
            ("name_servers", listed(8, address)),
        ),
    ),
    (
        "home",
        (
            ("interfaces", listed(16, _INTERFACE)),
            ("neighbours", _COUNT),  # how many, not who
            ("reachable", _COUNT),
        ),
    ),
    (
        "cloud",
        (
            ("state", one_of("connecting", "online", "offline")),
            ("since", _SECONDS),
            ("last_error", nullable(text(200))),
            ("releasing", flag),
        ),
    ),
    (
        "settings",  # how many there are of each, and whether; nothing of what they hold
        (
            ("password", flag),
            ("authenticators", _COUNT),
            ("recovery_codes", _COUNT),
            ("trusted_browsers", _COUNT),
            ("api_tokens", _COUNT),
            ("sign_ins", _COUNT),
        ),
    ),
    (LOG, (("lines", listed(LINES_LIMIT, text(LINE_LIMIT))),)),
)


def check(section, value):
    """The section's fields by its rows, and no other. Raises MessageError."""
    for name, rows in SECTIONS:
        if name == section:
            return check_rows(name, rows, value)
    raise MessageError("a report has no such section")
