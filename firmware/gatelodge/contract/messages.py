"""Every phone-home message, one row each: who sends it and what it holds.

A message is a JSON object in one WebSocket text frame: {"type": ..., fields}. Both ends check what
they send and what they receive against the rows below. To let either end be updated first:

- a field that no row names is dropped, not refused: a newer peer may send more;
- a field that may be null may be left out, and is null then;
- a type that no row names is an error: whoever adds a type asks for a new SUBPROTOCOL, or sends it
  only to a peer that showed (in hello or welcome) that it knows it. A command is no new type: an
  unknown command's name is answered with a result that says so.
"""

from gatelodge.contract.errors import MessageError

PATH = "/link"
SUBPROTOCOL = "gatelodge.1"

ROUTER = "router"
CLOUD = "cloud"
BOTH = (ROUTER, CLOUD)

SIZE_LIMIT = 16384  # bytes of one message; the largest honest one, a command with its args, is under 2 KB
DEPTH_LIMIT = 4  # objects and lists inside args and value
_TOKEN_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-"


def text(longest, shortest=0):
    """A string of so many characters."""

    def check_text(name, value):
        if not isinstance(value, str):
            raise MessageError("%s is not text" % name)
        if not shortest <= len(value) <= longest:
            raise MessageError("%s has %d characters, not %d to %d" % (name, len(value), shortest, longest))
        return value

    return check_text


def token(longest):
    """A name or an id: letters, digits, and . _ : - (safe in a log line and in a URL)."""
    check_length = text(longest, 1)

    def check_token(name, value):
        if not all(c in _TOKEN_CHARACTERS for c in check_length(name, value)):
            raise MessageError("%s has a character that no id has" % name)
        return value

    return check_token


def number(lowest, highest):
    """A number, whole or not. NaN is in no range."""

    def check_number(name, value):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise MessageError("%s is not a number" % name)
        if not lowest <= value <= highest:
            raise MessageError("%s is not between %s and %s" % (name, lowest, highest))
        return value

    return check_number


def integer(lowest, highest):
    check_range = number(lowest, highest)

    def check_integer(name, value):
        if isinstance(check_range(name, value), float):
            raise MessageError("%s is not a whole number" % name)
        return value

    return check_integer


def flag(name, value):
    if value is not True and value is not False:
        raise MessageError("%s is neither true nor false" % name)
    return value


def one_of(*choices):
    def check_choice(name, value):
        if value not in choices:
            raise MessageError("%s is not one of %s" % (name, ", ".join(choices)))
        return value

    return check_choice


def digits(count):
    def check_digits(name, value):
        if not isinstance(value, str) or len(value) != count or not all(c in "0123456789" for c in value):
            raise MessageError("%s is not %d digits" % (name, count))
        return value

    return check_digits


def plain(name, value):
    """Any JSON object, at most DEPTH_LIMIT deep. Its size is bounded by the message's."""
    if not isinstance(value, dict):
        raise MessageError("%s is not an object" % name)
    _check_depth(name, value, DEPTH_LIMIT)
    return value


def _check_depth(name, value, left):
    if not isinstance(value, (dict, list)):
        return
    if not left:
        raise MessageError("%s is nested deeper than %d" % (name, DEPTH_LIMIT))
    for item in value.values() if isinstance(value, dict) else value:
        _check_depth(name, item, left - 1)


def record(*rows):
    """An object of rows (field, check)."""

    def check_record(name, value):
        if not isinstance(value, dict):
            raise MessageError("%s is not an object" % name)
        return check_rows(name, rows, value)

    return check_record


class nullable:
    """A field that may be null or left out. A class, so that `check_rows` can tell it apart."""

    def __init__(self, check_present):
        self.check_present = check_present

    def __call__(self, name, value):
        return None if value is None else self.check_present(name, value)


def check_rows(name, rows, fields):
    """The fields that the rows name, each checked; `name` is what the object is called in an error."""
    checked = {}
    for field, check_value in rows:
        path = name + "." + field
        if field not in fields and not isinstance(check_value, nullable):
            raise MessageError("%s is missing" % path)
        checked[field] = check_value(path, fields.get(field))
    return checked


# Types that came after "gatelodge.1". A router sends one only to a cloud whose welcome takes it.
YOUNGER = ("release", "invite", "notice", "uninvite")
# Commands that came after it, and that a page offers only where they are known. Hello tells.
YOUNGER_COMMANDS = ("diagnostics", "undo")

# What the owner of a router is told of by the cloud, and not on the router's own page alone: kind -> what has
# happened there. A router may know kinds that its cloud does not.
NOTICES = {
    "new_browser": "somebody signed in with a browser, on a device, that the history did not have",
    "password_changed": "the password of the router's page",
    "two_factor_on": "the first authenticator was added, with new recovery codes",
    "two_factor_off": "the password alone opens the router's page",
    "authenticator_added": "another one",
    "authenticator_removed": "one of several; for ten minutes that can be undone there",
    "authenticator_restored": "a removal was undone",
    "recovery_codes_renewed": "those before are void",
    "recovered_at_console": "new recovery codes, made at the serial console with the password",
    "locked_out": "so many wrong tries that only who is at the router can try again",
    "backup_made": "the password and the authenticators left in a file, sealed by another password",
    "backup_restored": "settings came from a file, and with them perhaps a password and authenticators",
    "changes_undone": "the account undid a run of changes: the password and the factors are those of before",
    "firmware_changed": "signed firmware was installed, or that of the other slot chosen, for the next start",
    "token_created": "a personal token of its API: whoever has it needs no password",
}

OWNER = record(("account_id", token(64)), ("name", text(160)), ("email", text(254)))
_ID = token(64)
_SECONDS_UP = integer(0, 2**40)
# By which the command "undo" of that account undoes this and all since, while the router keeps what it takes.
_UNDO_ID = nullable(token(64))

# type: (who sends it, rows of (field, check))
MESSAGES = {
    "hello": (  # the router's first message; the cloud compares serial_number with the certificate's
        (ROUTER,),
        (
            ("serial_number", token(64)),
            ("model", text(64, 1)),
            ("firmware", text(64, 1)),
            ("boot_id", token(64)),  # another one after each start of the daemon
            ("uptime_s", _SECONDS_UP),
            ("owner", nullable(token(64))),  # the account_id it believes it belongs to
            ("clock_state", one_of("unset", "synced", "proven")),
            # A factory reset that no welcome has acknowledged: an id of its own. The router has no owner
            # any more, and the cloud lets go of it before it answers. Only the router itself can say so:
            # hello comes over a link that the device key has signed. An owner of null alone means nothing:
            # a router that was just registered has not heard of it yet.
            ("reset", nullable(token(64))),
            ("takes", nullable(record(*[(name, nullable(flag)) for name in YOUNGER_COMMANDS]))),
        ),
    ),
    "welcome": (  # the cloud's answer
        (CLOUD,),
        (
            ("time_ms", integer(0, 2**53)),  # Unix time: authenticated, so it may set the router's clock
            ("heartbeat_s", integer(1, 3600)),
            ("reconnect_window_s", integer(1, 3600)),  # see core/backoff.py
            ("owner", nullable(OWNER)),
            ("reset", nullable(token(64))),  # hello's, once done. A cloud that knows of none leaves it out
            ("takes", nullable(record(*[(kind, nullable(flag)) for kind in YOUNGER]))),
        ),
    ),
    "heartbeat": (
        (ROUTER,),
        (
            ("seq", integer(0, 2**53)),
            ("uptime_s", _SECONDS_UP),
            ("load", number(0, 10000)),  # the 1-minute average
            ("memory_free_kb", integer(0, 2**40)),
            ("wan_up", flag),
        ),
    ),
    "heartbeat_ack": ((CLOUD,), (("seq", integer(0, 2**53)), ("time_ms", integer(0, 2**53)))),
    "command": ((CLOUD,), (("id", _ID), ("name", token(32)), ("args", plain))),
    "accepted": ((ROUTER,), (("id", _ID),)),  # the command is durable; its result will come
    "result": (  # repeated on each connection until its result_ack
        (ROUTER,),
        (("id", _ID), ("ok", flag), ("value", nullable(plain)), ("error", nullable(text(300)))),
    ),
    "result_ack": ((CLOUD,), (("id", _ID),)),
    "claim_answer": ((ROUTER,), (("claim_id", _ID), ("approved", flag))),  # repeated until acknowledged
    "claim_answer_ack": ((CLOUD,), (("claim_id", _ID),)),
    "owner": ((CLOUD,), (("owner", nullable(OWNER)),)),  # it changed while connected
    # The owner gave the router back on its own page; repeated until acknowledged. The account is named, so
    # that a late one can take the router from nobody who registered it since.
    "release": ((ROUTER,), (("release_id", _ID), ("account_id", token(64)), ("undo", _UNDO_ID))),
    "release_ack": ((CLOUD,), (("release_id", _ID),)),
    # Repeated until acknowledged. The account is named: a late notice is for nobody who came since.
    "notice": (
        (ROUTER,),
        (
            ("notice_id", _ID),
            ("account_id", token(64)),
            ("kind", token(32)),  # of NOTICES
            ("at", nullable(_SECONDS_UP)),  # unix s, or null with the router's clock unset
            ("address", text(64)),  # in the home network; or "console"
            ("browser", text(64)),  # as the router names it, or ""
            ("dropped", integer(0, 2**31)),  # notices before this one that the router had no room to keep
            ("undo", _UNDO_ID),
        ),
    ),
    "notice_ack": ((CLOUD,), (("notice_id", _ID),)),
    # The owner wants the router in an account. The code proves that the router was in somebody's hands.
    "invite": ((ROUTER,), (("invite_id", _ID), ("service_code", text(32, 1)))),
    "invitation": (  # a link to open in an account, or why there is none
        (CLOUD,),
        (
            ("invite_id", _ID),
            ("link", nullable(text(300, 1))),
            ("expires_s", nullable(integer(1, 3600))),
            ("error", nullable(text(300))),
        ),
    ),
    "uninvite": ((ROUTER,), (("invite_id", _ID),)),  # its owner wants it no more: the link is over
    # A part of what the command "diagnostics" asked for, before its result, which tells how many there were.
    # Nothing of it is kept on the router: where one was lost the cloud asks again.
    "report": (
        (ROUTER,),
        (
            ("report_id", _ID),
            ("number", integer(0, 15)),  # from 0, in the order in which they are sent
            ("section", token(16)),  # with its value as contract/diagnostics.py has it
            ("value", plain),
        ),
    ),
    "goodbye": (BOTH, (("reason", text(200)),)),  # the last message of whoever sends it
}

# name: (rows of (argument, check), what the result's value holds)
COMMANDS = {
    "reboot": ((), "{} once the router is back"),
    "identify": ((), "{}: the router shows which one it is (a light, a line in its log)"),
    "claim": (
        (
            ("claim_id", _ID),
            ("account", record(("name", text(160)), ("email", text(254)))),
            ("number", digits(6)),  # shown at both ends, for the owner to compare
            ("expires_s", integer(1, 3600)),  # from now: the two clocks need not agree
        ),
        "{}: the claim is shown on the admin page; the answer is a claim_answer",
    ),
    "claim_cancel": ((("claim_id", _ID),), "{}: the claim is not shown (any more)"),
    "diagnostics": (  # for support. The account is named: a late one is for nobody who came since
        (("report_id", _ID), ("account_id", token(64))),
        "{messages}: so many were sent before this, each a report",
    ),
    # The owner's word that it was somebody else. The router goes back to the password and the factors that
    # its owner had before: it keeps them, nobody sends them. The account is the one that was told of the id.
    "undo": (
        (("undo_id", token(64)), ("account_id", token(64))),
        "{undone}: false where the router keeps nothing (any more) by which it could",
    ),
}


def check(message, sender):
    """Return {"type", fields}: every field of the type's row, and no other.

    sender is ROUTER or CLOUD. Raises MessageError that names the type and the field.
    """
    if not isinstance(message, dict):
        raise MessageError("a message is not an object")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in MESSAGES:
        raise MessageError("a message has a type that is not known")
    senders, rows = MESSAGES[kind]
    if sender not in senders:
        raise MessageError("%s is not a message of the %s" % (kind, sender))
    checked = check_rows(kind, rows, message)
    checked["type"] = kind
    return checked


def check_command(name, args):
    """Return the args of a command, by its row. Raises MessageError on an unknown name, a wrong argument."""
    if name not in COMMANDS:
        raise MessageError("this firmware has no command %s" % name)
    return check_rows(name, COMMANDS[name][0], args)
