"""The description of the API (OpenAPI 3.1), made of the rows that the requests are judged by."""

from __future__ import annotations

from typing import Any

from host_tools.cloud.api.operations import OPERATIONS, ROOT, Operation
from host_tools.cloud.api.parameters import Parameter
from host_tools.cloud.api.problems import DETAILS, TYPE, title
from host_tools.cloud.api.scopes import SCOPES
from host_tools.cloud.api.shapes import SHAPES, reference

VERSION = "1.0.0"  # of the API, not of the cloud: it grows with what is added, and breaks with /api/v2
INTRODUCTION = (
    "What your own programs may ask of your account. A personal token is made on the page Security, and sent "
    "as Authorization: Bearer; no cookie counts here. Errors are problem details (RFC 9457). "
    "Lists come in pages: ask again with `next`. Each token may ask once a second, and 60 times at once. "
    "Beside the answers listed, a request may be refused with 408, 413, 421 or 503 before anybody looks "
    "at what it asks."
)
EVERYWHERE = (400, 401, 403, 422, 429, 500)
HEADERS = {
    401: ("WWW-Authenticate", "RFC 6750 section 3"),
    403: ("WWW-Authenticate", "Which scope is missing (RFC 6750 section 3)"),
    429: ("Retry-After", "Seconds to wait"),
}


def description(url: str) -> dict[str, Any]:
    """url: the portal's own, without a path."""
    paths: dict[str, Any] = {}
    for row in OPERATIONS:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    told = "; ".join(f"{scope}: {says}" for scope, says in SCOPES.items())
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gatelodge account", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": SHAPES,
            "responses": {_name(status): _problem(status) for status in (*EVERYWHERE, 404)},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": f"Scopes: {told}"}
            },
        },
    }


def _operation(row: Operation) -> dict[str, Any]:
    places = [("path", one) for one in row.in_path] + [("query", one) for one in row.in_query]
    return {
        "operationId": row.answer.__name__,
        "tags": [row.path.removeprefix(ROOT).split("/")[1]],
        "summary": row.summary,
        "description": f"With a token of the scope {row.scope}.",
        "security": [{"token": [row.scope]}],
        "parameters": [_parameter(place, one) for place, one in places],
        "responses": {
            str(row.status): _reply(row),
            **{str(status): _shared(status) for status in sorted({*EVERYWHERE, *row.refuses})},
        },
    }


def _parameter(place: str, row: Parameter) -> dict[str, Any]:
    return {
        "name": row.name,
        "in": place,
        "required": place == "path",
        "description": row.about,
        "schema": row.schema(),
    }


def _reply(row: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": "Done." if row.status == 200 else "Begun.",
        "content": {"application/json": {"schema": reference(row.reply)}},
    }
    if row.status == 202:
        found["headers"] = {"Location": {"description": "How it ended", "schema": {"type": "string"}}}
    return found


def _problem(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": DETAILS[status],
        "content": {TYPE: {"schema": reference("Problem")}},
    }
    if status in HEADERS:
        name, about = HEADERS[status]
        found["headers"] = {name: {"description": about, "schema": {"type": "string"}}}
    return found


def _name(status: int) -> str:
    return title(status).replace(" ", "")


def _shared(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{_name(status)}"}
