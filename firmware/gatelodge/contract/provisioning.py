"""The serial bench: what the factory asks a blank router, and what the router answers.

The host runs `print(bench.exchange(sealed text))` in the router's raw REPL; the sealed text holds a
verb and its request, the sealed answer `{"ok": {...}}` or `{"error": "one sentence"}`. A seal is a
CRC-32: a serial line has no other, and one flipped bit in an address would make a router that
never finds its cloud. Verbs are the rows of VERBS; their order is the table TRANSITIONS. Both ends
check both directions here.

    BLANK --make_key--> KEYED --write_identity--> IDENTIFIED --self_test--> TESTED --lock--> LOCKED

`identify` and `make_key` change nothing that is already there, so a bench that was interrupted
starts over and finds the same key, and the same service code for the same serial number.

The label's QR code holds text, not a URL: `GATELODGE:1:<serial number>:<service code>`. All of it
is in QR's alphanumeric set, so the code stays small; a phone shows it, the portal's page reads it.
"""

import binascii
from collections import namedtuple

from gatelodge.contract import service_code
from gatelodge.contract.errors import BenchError, ServiceCodeError, StateError
from gatelodge.contract.stages import BLANK, IDENTIFIED, KEYED, LOCKED, STATES, TESTED

ORGANIZATION = "Gatelodge"  # O of the certificate's subject

# --- serial numbers: GL, two digits of the year, ISO week, six digits that count up -----------------

SERIAL_NUMBER_LENGTH = 12


def serial_number(year, week, count):
    """Return the serial number of a factory's `count`-th router, e.g. GL2647000001."""
    if not (1 <= week <= 53 and 1 <= count <= 999999):
        raise StateError(
            "a serial number has a week of 1..53 and a count of 1..999999: start a new factory directory"
        )
    return "GL%02d%02d%06d" % (year % 100, week, count)


def is_serial_number(text):
    # Not isdigit(): it takes the digits of every script.
    return len(text) == SERIAL_NUMBER_LENGTH and text[:2] == "GL" and all(c in "0123456789" for c in text[2:])


# --- the label ------------------------------------------------------------------------------------

_LABEL = "GATELODGE:1:"


def label_text(serial, code):
    """Return what the label's QR code holds. `code` is canonical."""
    return _LABEL + serial + ":" + code


def parse_label(text):
    """Return (serial number, canonical service code). Raises ServiceCodeError, fit for a page."""
    parts = text.strip()[:64].upper().split(":")
    if len(parts) != 4 or parts[0] + ":" + parts[1] + ":" != _LABEL or not is_serial_number(parts[2]):
        raise ServiceCodeError("This is not a Gatelodge label. Scan the square on the router's underside.")
    return parts[2], service_code.parse(parts[3])


# --- what goes over the line ----------------------------------------------------------------------


class DamagedError(BenchError):
    """The line changed the text: send it again."""


def seal(text):
    """Return the text behind the 8 hex digits of its CRC-32."""
    return "%08x %s" % (binascii.crc32(text.encode()), text)


def unseal(sealed):
    """Return the text. Raises DamagedError when it is not the one that was sealed."""
    text = sealed[9:]
    if seal(text) != sealed:
        raise DamagedError("the text was damaged on the serial line: check the cable, send it again")
    return text


# --- the kinds of a field: each returns a check(name, value) that raises BenchError -----------------


def text(longest=64):
    """A string of at most so many characters."""

    def check_text(name, value):
        if not isinstance(value, str) or len(value) > longest:
            raise BenchError("%s is not text of at most %d characters" % (name, longest))

    return check_text


def number(lowest=0, highest=2**53):
    """A number, whole or not."""

    def check_number(name, value):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
            raise BenchError("%s is not a number from %d to %d" % (name, lowest, highest))

    return check_number


def flag(name, value):
    if not isinstance(value, bool):
        raise BenchError("%s is not true or false" % name)


def base64(name, value):
    """DER or a point, at most 3 KB of it."""
    text(4096)(name, value)
    if not value or any(c not in _BASE64 for c in value):
        raise BenchError("%s is not base 64" % name)


def serial(name, value):
    if not isinstance(value, str) or not is_serial_number(value):
        raise BenchError("%s is not a serial number such as GL2647000001" % name)


def record(fields):
    """A JSON object of exactly these (name, check) rows."""

    def check_record(name, value):
        if not isinstance(value, dict):
            raise BenchError("%s is not a JSON object" % name)
        known = [field for field, _ in fields]
        for field in value:
            if field not in known:
                raise BenchError(
                    "%s has no field %s: use one version on both ends" % (name, repr(field)[:40])
                )
        for field, check in fields:
            if field not in value:
                raise BenchError("%s lacks %s: use one version on both ends" % (name, field))
            check(name + ": " + field, value[field])

    return check_record


def list_of(most, check):
    """At most so many values, each of which passes the check."""

    def check_list(name, value):
        if not isinstance(value, (list, tuple)) or len(value) > most:
            raise BenchError("%s is not a list of at most %d" % (name, most))
        for item in value:
            check(name, item)

    return check_list


def pair(first, second):
    """A list of two values."""

    def check_pair(name, value):
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise BenchError("%s is not a list of two" % name)
        first(name, value[0])
        second(name, value[1])

    return check_pair


_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

# --- verbs: name, request rows, reply rows, summary ---------------------------------------------------

Verb = namedtuple("Verb", "name request reply summary")

HOST = text(253)  # the longest DNS name
PORT = number(1, 65535)
CLOUD = (("host", HOST), ("port", PORT), ("server_name", HOST))
# limit is text because it says which side: "at most 500", "at least 16384".
CHECK = (("name", text()), ("value", number(-(2**53))), ("unit", text(16)), ("limit", text()), ("ok", flag))

VERBS = (
    Verb(
        "identify",
        (),
        (
            ("model", text()),
            ("board", text()),
            ("firmware", text()),
            ("mac", text(17)),  # empty when the board has no Ethernet address
            ("serial_number", text(12)),  # empty until write_identity
            ("state", text(16)),
            ("flash_mb", number()),
        ),
        "say what this router is and how far it is provisioned",
    ),
    Verb("make_key", (), (("public_key", base64),), "make the device key, once, and answer its public point"),
    Verb(
        "certificate_request",
        (("serial_number", serial),),
        (("csr", base64),),
        "answer a PKCS#10 request for the device key",
    ),
    Verb(
        "write_identity",
        (
            ("serial_number", serial),
            ("device_certificate", base64),
            ("admin_certificate", base64),
            ("factory_ca", base64),
            ("cloud_ca", base64),
            ("cloud", record(CLOUD)),
            ("ntp", list_of(8, pair(HOST, PORT))),
            ("time", number(1)),  # unix seconds: the bench's clock
        ),
        # fingerprint: SHA-256 of the device certificate's DER, in hex.
        (("service_code", text(service_code.LENGTH)), ("fingerprint", text(64))),
        "check and keep the identity, set the clock, make the service code",
    ),
    Verb(
        "set_time",
        (("time", number(1)),),  # unix seconds: the bench's clock
        (("set", flag),),
        "set the clock, which a router without a battery loses with its power",
    ),
    Verb(
        "self_test",
        (),
        (("passed", flag), ("checks", list_of(32, record(CHECK)))),
        "measure the parts that an owner will depend on",
    ),
    Verb(
        "flash_target",
        (),
        (
            ("path", text(128)),  # where a bundle is received
            ("release_key", text(130)),  # board.json's
            ("mpy_version", number()),
            ("slot", text(1)),  # the one that runs
            ("firmware", text()),
        ),
        "say what firmware this router takes, and where",
    ),
    Verb(
        "install",
        (),
        (("slot", text(1)), ("firmware", text())),
        "check the received bundle, unpack it into the other slot, start that on trial",
    ),
    Verb("lock", (), (("locked", flag),), "lock the console for good and restart"),
)

# (state, verb) -> the state after it succeeded. A missing key is a call out of turn.
TRANSITIONS = {
    (BLANK, "identify"): BLANK,
    (KEYED, "identify"): KEYED,
    (IDENTIFIED, "identify"): IDENTIFIED,
    (TESTED, "identify"): TESTED,
    (BLANK, "make_key"): KEYED,
    (KEYED, "make_key"): KEYED,
    (IDENTIFIED, "make_key"): IDENTIFIED,
    (TESTED, "make_key"): TESTED,
    (KEYED, "certificate_request"): KEYED,
    (IDENTIFIED, "certificate_request"): IDENTIFIED,
    (TESTED, "certificate_request"): TESTED,
    (KEYED, "write_identity"): IDENTIFIED,
    (IDENTIFIED, "write_identity"): IDENTIFIED,
    (TESTED, "write_identity"): IDENTIFIED,
    (IDENTIFIED, "self_test"): TESTED,  # IDENTIFIED again when a check fails
    (TESTED, "self_test"): TESTED,
    (TESTED, "lock"): LOCKED,
}
# Time and firmware may come whenever before the lock. After a restart a tested router is an identified one.
for _state in STATES[:-1]:
    for _verb in ("set_time", "flash_target", "install"):
        TRANSITIONS[(_state, _verb)] = _state


def next_state(state, verb):
    """Return the state after the verb. Raises BenchError when it is out of turn."""
    if (state, verb) not in TRANSITIONS:
        raise BenchError("%s does not fit a router that is %s: follow the order of the bench" % (verb, state))
    return TRANSITIONS[(state, verb)]


def find_verb(name):
    for verb in VERBS:
        if verb.name == name:
            return verb
    raise BenchError("there is no bench verb %s: use the firmware's own host tools" % repr(name)[:40])


def check_request(verb, request):
    """Return the request when it has exactly the verb's fields. Raises BenchError."""
    record(verb.request)(verb.name, request)
    return request


def check_reply(verb, reply):
    """Return the reply when it has exactly the verb's fields. Raises BenchError."""
    record(verb.reply)("the answer to " + verb.name, reply)
    return reply
