"""The shapes of what the API answers: name -> {member: kind}, which web/openapi.py writes out as schemas.

A member whose name ends in ? may be missing. A kind is text, int, number or bool; the name of another shape;
[kind] for a list; a|b for one of these words; and kind? where null may stand.
"""

SHAPES = {
    "Description": {"openapi": "text", "info": "Any", "paths": "Any", "components": "Any"},
    "Any": {},
    "Status": {"run": "text", "set_up": "bool", "signed_in": "bool"},
    "Session": {"id": "text", "csrf_token": "text", "ends_in_s": "int", "is_proved": "bool"},
    "Router": {
        "serial_number": "text",
        "model": "text",
        "firmware": "text",
        "slot": "text",
        "kernel": "text",
        "uptime_s": "int",
        "load": "[number]",
        "memory": "Memory",
        "storage": "Storage?",
        "clock": "Clock",
    },
    "Memory": {"total_kb": "int", "free_kb": "int", "available_kb": "int"},
    "Storage": {"total_kb": "int", "free_kb": "int"},
    "Clock": {"now": "number", "state": "text"},
    "Devices": {"devices": "[Device]"},
    "Device": {
        "mac": "text",
        "name": "text",
        "addresses": "[text]",
        "vendor": "text",
        "is_private": "bool",
        "interface": "text",
        "state": "here|away",
        "first_seen_s": "int?",
        "last_seen_s": "int?",
    },
    "Internet": {
        "interface": "text",
        "up": "bool",
        "route": "bool",
        "line": "Line",
        "interfaces": "[Interface]",
    },
    "Line": {
        "interface": "text",
        "mac": "text",
        "up": "bool",
        "speed_mbit": "int?",
        "addresses": "[text]",
        "gateways": "[text]",
        "name_servers": "[text]",
    },
    "Interface": {
        "name": "text",
        "role": "wan|lan|other",
        "mac": "text",
        "address": "text",
        "up": "bool",
        "rx_bytes": "int",
        "tx_bytes": "int",
    },
    "Traffic": {"step_s": "int", "samples": "[[int]]"},
    "Cloud": {
        "state": "offline|connecting|online",
        "since": "number?",
        "owner": "Account?",
        "last_error": "text?",
    },
    "Account": {"name": "text", "email": "text"},
    "History": {"entries": "[Entry]"},
    "Entry": {
        "number": "int",
        "at": "number?",
        "address": "text",
        "mac": "text",
        "browser": "text",
        "method": "text",
        "result": "text",
    },
    "Log": {"lines": "[text]"},
    # What the pages' script is told to do next.
    "Done": {"say?": "text", "go?": "text", "again?": "bool", "open?": "text?", "down?": "bool"},
    # file: base64. name: what to save it as.
    "Backup": {"file": "text", "name": "text", "say": "text"},
    "Inside": {"inside?": "text", "say?": "text", "go?": "text", "again?": "bool"},
    "Firmware": {"running": "text", "other": "text?", "can_switch": "bool", "update": "Update?"},
    "Update": {
        "version": "text",
        "before": "text",
        "slot": "text",
        "state": "waiting|done|failed",
        "at": "number?",
    },
    # upload: where the file may be sent.
    "Room": {"upload": "text"},
    "Searched": {"say?": "text", "go?": "text", "search?": "Progress"},
    # wait: what the page says while nobody has pressed the button.
    "Waited": {"wait?": "text", "say?": "text", "go?": "text"},
    "Progress": {"percent": "int", "text": "text"},
    "NewAuthenticator": {"secret": "text", "qr": "Drawing"},
    "Drawing": {"view_box": "text", "path": "text"},
    "RecoveryCodes": {"recovery_codes": "[text]"},
    "Added": {"recovery_codes?": "[text]", "say?": "text", "again?": "bool", "open?": "text?"},
    "NewToken": {"token": "text"},
    "ServiceCode": {"show": "text"},
    # What is wrong. offer: what helps: prove, start, recovery, presence or reload.
    "Error": {"error": "Fault"},
    "Fault": {"field": "text", "text": "text", "wait_s": "int?", "offer": "text?"},
    "Elsewhere": {"go": "text"},
}

_PLAIN = {"text": "string", "int": "integer", "number": "number", "bool": "boolean"}


def schema(name):
    """The JSON Schema of a shape, as a dict."""
    members = SHAPES[name]
    properties = {member.rstrip("?"): of_kind(members[member]) for member in members}
    required = sorted([member for member in members if not member.endswith("?")])
    found = {"type": "object", "properties": properties}
    if required:
        found["required"] = required
    return found


def of_kind(kind):
    if kind.endswith("?"):
        return {"anyOf": [of_kind(kind[:-1]), {"type": "null"}]}
    if kind.startswith("["):
        return {"type": "array", "items": of_kind(kind[1:-1])}
    if "|" in kind:
        return {"type": "string", "enum": kind.split("|")}
    return {"type": _PLAIN[kind]} if kind in _PLAIN else reference(kind)


def reference(name):
    return {"$ref": "#/components/schemas/" + name}
