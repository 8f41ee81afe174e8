"""The shapes of the API's answers, as JSON Schema (2020-12). Times are RFC 3339 in UTC."""

from __future__ import annotations

from typing import Any

from host_tools.cloud.accounts.events import KINDS
from host_tools.cloud.accounts.totp import ALGORITHMS
from host_tools.cloud.routers import ownership, registry

TEXT = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}
DAY = {"type": "string", "format": "date"}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "type": [schema["type"], "null"]}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """All of them are there, and nothing else."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str, cursor: dict[str, Any] | None = None) -> dict[str, Any]:
    """A list; with a cursor, a page of one: `next` is null on the last."""
    items = {"items": {"type": "array", "items": reference(name)}}
    return _object(**items, next=_or_null(cursor)) if cursor else _object(**items)


WARRANTY = _object(begins=DAY, ends=DAY)
SHAPES = {
    "Account": _object(
        id=TEXT,
        email=TEXT,
        first_name=TEXT,
        last_name=TEXT,
        country=TEXT,
        language=TEXT,
        time_zone=TEXT,
        passkeys_only={"type": "boolean"},
        created_at=MOMENT,
    ),
    "Session": _object(
        id=TEXT, browser=TEXT, address=TEXT, created_at=MOMENT, acted_at=MOMENT, expires_at=MOMENT
    ),
    "Sessions": _list("Session"),
    "Authenticator": _object(
        id=TEXT,
        name=TEXT,
        algorithm={"type": "string", "enum": list(ALGORITHMS)},
        created_at=MOMENT,
        used_at=MOMENT,
    ),
    "Authenticators": _list("Authenticator"),
    "Event": _object(
        id={"type": "integer"},
        at=MOMENT,
        kind={"type": "string", "enum": list(KINDS)},
        text=TEXT,
        about=TEXT,
        address=TEXT,
        browser=TEXT,
    ),
    "Events": _list("Event", {"type": "integer"}),
    "Router": _object(
        serial_number=TEXT,
        model=TEXT,
        state={"type": "string", "enum": [registry.ONLINE, registry.OFFLINE, registry.NEVER]},
        firmware=_or_null(TEXT),
        heard_at=_or_null(MOMENT),
        owned_at=MOMENT,
        warranty={"anyOf": [WARRANTY, {"type": "null"}]},
    ),
    "Routers": _list("Router", TEXT),
    "Restart": _object(
        id=TEXT,
        serial_number=TEXT,
        state={
            "type": "string",
            "enum": [ownership.ASKED, ownership.DONE, ownership.FAILED, ownership.UNKNOWN],
        },
        text=TEXT,
        asked_at=MOMENT,
        ended_at=_or_null(MOMENT),
    ),
    "Problem": {
        "type": "object",
        "properties": {"title": TEXT, "status": {"type": "integer"}, "detail": TEXT, "parameter": TEXT},
        "required": ["title", "status", "detail"],
        "additionalProperties": False,
    },
}
