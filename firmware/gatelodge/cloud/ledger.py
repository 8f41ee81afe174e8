"""Which commands this router has taken and what it still owes the cloud, as one record in the store.

record: {"seen": [id, ...], "running": {id: name}, "outbox": [message, ...]}

Every function returns a new record, and the caller puts it into the store before it acts on it. So a command
is durable before it is accepted, is never run twice, and its result outlives a power cut.
"""

SEEN_LIMIT = 32  # the cloud keeps at most 8 commands waiting for one router (devices/commands.py)
RUNNING_LIMIT = 4
NOTICES_LIMIT = 8  # beside those: 300 bytes each. The oldest make room, and the next one tells how many
OUTBOX_LIMIT = 16  # results and answers not yet acknowledged; 16 of 2 KB fit into a journal record

# What a restart of the daemon means for a command that was running: for these it is the success.
ENDS_IN_RESTART = ("reboot",)

_ID_FIELD = {
    "result": "id",
    "claim_answer": "claim_id",
    "release": "release_id",
    "notice": "notice_id",
}


def empty():
    return {"seen": [], "running": {}, "outbox": []}


def is_full(record):
    """Whether no further command can be taken now."""
    return len(record["running"]) >= RUNNING_LIMIT or is_outbox_full(record)


def is_outbox_full(record):
    """Whether no further result or answer can be kept. Notices make room for each other."""
    return len(record["outbox"]) - len(_notices(record)) >= OUTBOX_LIMIT


def result(command_id, value=None, error=None):
    """The result message: of a success with its value, or of a failure with its reason."""
    ok = error is None
    value = (value or {}) if ok else None
    return {"type": "result", "id": command_id, "ok": ok, "value": value, "error": error}


def taken(record, command_id, name):
    """The record once this command is ours to run."""
    running = dict(record["running"])
    running[command_id] = name
    seen = (record["seen"] + [command_id])[-SEEN_LIMIT:]
    return {"seen": seen, "running": running, "outbox": record["outbox"]}


def finished(record, message):
    """The record once a command ended with this result message."""
    running = {key: name for key, name in record["running"].items() if key != message["id"]}
    return {"seen": record["seen"], "running": running, "outbox": record["outbox"] + [message]}


def owed(record, message):
    """The record once this message, say a claim_answer, must reach the cloud."""
    return {"seen": record["seen"], "running": record["running"], "outbox": record["outbox"] + [message]}


def noticed(record, message):
    """The record once the owner must be told by this notice, which may take the place of the oldest one."""
    waiting = _notices(record)
    if len(waiting) >= NOTICES_LIMIT:
        record = acknowledged(record, "notice", waiting[0]["notice_id"])
        dropped = waiting[0]["dropped"] + 1
        later = dict(waiting[1], dropped=waiting[1]["dropped"] + dropped)
        outbox = [later if _is(kept, "notice", later["notice_id"]) else kept for kept in record["outbox"]]
        record = dict(record, outbox=outbox)
    return owed(record, message)


def without_notices(record, but_for):
    """The record without the notices to any account but this one, which may be None."""
    outbox = [kept for kept in record["outbox"] if kept["type"] != "notice" or kept["account_id"] == but_for]
    return dict(record, outbox=outbox)


def acknowledged(record, kind, message_id):
    """The record once the cloud has the message of this kind and id; the same if none was owed."""
    outbox = [message for message in record["outbox"] if not _is(message, kind, message_id)]
    if len(outbox) == len(record["outbox"]):
        return record
    return {"seen": record["seen"], "running": record["running"], "outbox": outbox}


def results_of(record, command_id):
    """The result that is still owed for a command, in a list of none or one."""
    return [message for message in record["outbox"] if _is(message, "result", command_id)]


def answered_claims(record):
    """The ids of the claims whose answers are still owed."""
    return [message["claim_id"] for message in record["outbox"] if message["type"] == "claim_answer"]


def released_accounts(record):
    """The account_ids of the owners that were given up here, while the cloud does not know it yet."""
    return [message["account_id"] for message in record["outbox"] if message["type"] == "release"]


def after_restart(record):
    """The record when the daemon starts: what was running then has ended with the restart."""
    for command_id, name in sorted(record["running"].items()):
        error = None if name in ENDS_IN_RESTART else "the router restarted while it ran this command"
        record = finished(record, result(command_id, error=error))
    return record


def _notices(record):
    return [message for message in record["outbox"] if message["type"] == "notice"]


def _is(message, kind, message_id):
    return message["type"] == kind and message[_ID_FIELD[kind]] == message_id
