"""The description of the API (OpenAPI 3.1), written from the very rows that the requests are judged by.

It is made anew for each reader and sent in pieces: as a whole it would take 40 KB of a small heap. English
only: it is read by programs, and by those who write them.
"""

from gatelodge import compat
from gatelodge.web import scopes, shapes
from gatelodge.web.fields import UPLOADED, fields_of
from gatelodge.web.routes import ANYONE, NEWCOMER, OWNER, VISITOR, WATCHER

# What is loaded for a description alone, and may be unloaded while it is sent.
MODULES = ("gatelodge.web.openapi", "gatelodge.web.shapes")

PIECE = 2048  # bytes that are sent at once

INTRODUCTION = (
    "What the pages of this router ask it, and what your own programs may ask. A session is what signing in "
    "begins; its changes carry the header X-CSRF-Token of GET /api/session. A personal token is made on the "
    "page Security, and sent as Authorization: Bearer; it needs no cookie, has the scopes that were chosen, "
    "and puts off the end of no session. A request with a token is judged by the token alone. What changes "
    "who gets in, and what cannot be undone, no token may do. Beside the answers listed, a request may be "
    "refused with 408, 414, 421, 431 or 503 before anybody looks at what it asks."
)

# who may -> what the description says
_WHO = {
    ANYONE: "For anybody in the home network.",
    NEWCOMER: "Only while nobody owns this router: 409 afterwards.",
    VISITOR: "On the way to a session: it takes and gives cookies.",
}
_BY_TOKEN = "In a session, or with a token of the scope %s."
_BY_ANY_TOKEN = "In a session, or with any token."
_BY_SESSION = "In a session only. No token may do this."
_PROVED = (
    " A code must have been given in this session within five minutes, at POST /api/prove: else 422 with the "
    "offer prove."
)

_SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": "__Host-session"},
    "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
    "token": {"type": "http", "scheme": "bearer"},
}

# status -> (name of the shared response, what it means, its shapes)
_RESPONSES = {
    400: ("Malformed", "The request is not as described.", ("Error",)),
    401: ("Unknown", "No session, or no such token. `go` leads to where to sign in.", ("Error", "Elsewhere")),
    403: ("Forbidden", "From another site, without the session's token, or beyond the scope.", ("Error",)),
    409: ("NotNow", "The router has no owner yet, or has one already.", ("Elsewhere",)),
    413: ("TooLarge", "The body is larger than its fields can be.", ("Error",)),
    415: ("WrongKind", "The body has to be of the content type that is described.", ("Error",)),
    422: ("Refused", "Understood, and refused: `field` and `text` say why, `offer` what helps.", ("Error",)),
    429: ("TooEarly", "Too many tries: wait `wait_s` seconds, as Retry-After says.", ("Error",)),
    500: ("Failed", "The router could not answer. It is in its log.", ("Error",)),
}


class Description:
    """The body of the answer, as web/server.py streams one. rows: routes.Row of every route."""

    def __init__(self, rows, version):
        self._rows = rows
        self._version = version

    async def stream_to(self, connection):
        waiting, size = [], 0
        for piece in pieces(self._rows, self._version):
            waiting.append(piece)
            size += len(piece)
            if size >= PIECE:
                await connection.write("".join(waiting).encode())
                waiting, size = [], 0
        await connection.write("".join(waiting).encode())


def pieces(rows, version):
    """The document, piece by piece, as text."""
    yield '{"openapi":"3.1.0","info":'
    yield _dumps({"title": "Gatelodge", "version": version, "description": INTRODUCTION})
    yield ',"servers":[{"url":"/"}],"components":{"securitySchemes":'
    yield _dumps(_security_schemes())
    yield ',"responses":{'
    for index, status in enumerate(sorted(_RESPONSES)):
        name, meaning, found = _RESPONSES[status]
        yield ("," if index else "") + '"%s":' % name + _dumps(_response(meaning, found))
    yield '},"schemas":{'
    for index, name in enumerate(sorted(shapes.SHAPES)):
        yield ("," if index else "") + '"%s":' % name + _dumps(shapes.schema(name))
    yield '}},"paths":{'
    for index, path in enumerate(sorted({row.path for row in rows if row.about})):
        yield ("," if index else "") + _dumps(path) + ":" + _dumps(_path_item(path, rows))
    yield "}}"


def _security_schemes():
    found = dict(_SECURITY)
    told = "; ".join(["%s: %s" % pair for pair in scopes.listed()])
    found["token"] = dict(_SECURITY["token"], description="Made on the page Security. Its scopes: " + told)
    return found


def _path_item(path, rows):
    return {row.method.lower(): operation(row) for row in rows if row.about and row.path == path}


def operation(row):
    found = {
        "operationId": _operation_id(row),
        "tags": [row.path.split("/")[2].split(".")[0]],
        "summary": row.about.summary,
        "description": _who(row) + (_PROVED if row.proof else ""),
        "security": _security(row),
        "responses": _responses(row),
    }
    fields = fields_of(row.fields)
    in_query = row.method == "GET" or row.upload
    if fields and in_query:
        found["parameters"] = [_parameter(field) for field in fields]
    if row.upload:
        found["requestBody"] = {"required": True, "content": {UPLOADED: {}}}
    elif fields and not in_query:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(fields)}}}
    return found


def _operation_id(row):
    words = row.path.replace("/api/", "").replace(".", "-").replace("/", "-").split("-")
    return row.method.lower() + "".join([word[:1].upper() + word[1:] for word in words])


def _who(row):
    if row.who in _WHO:
        return _WHO[row.who]
    scope = row.about.scope
    if scope is None:
        return _BY_SESSION
    return _BY_ANY_TOKEN if scope == scopes.ANY else _BY_TOKEN % scope


def _security(row):
    """By what a request may be known: one of these."""
    if row.who not in (OWNER, WATCHER):
        return []
    session = {"session": []}
    if row.method != "GET":
        session["csrf"] = []
    scope = row.about.scope
    if scope is None:
        return [session]
    return [session, {"token": [] if scope == scopes.ANY else [scope]}]


def _responses(row):
    found = {str(status): _shared(status) for status in _refusals(row)}
    found["200"] = _response("Done.", (row.about.reply,))
    return found


def _refusals(row):
    """The statuses of a request that is refused."""
    found = [500]
    if row.who != ANYONE:
        found.append(409)
    if row.who in (OWNER, WATCHER):
        found += [401, 403]
    if row.fields:
        found.append(400)
    if row.method != "GET":
        found += [400, 403, 413, 415, 422, 429]
    return found


def _shared(status):
    return {"$ref": "#/components/responses/" + _RESPONSES[status][0]}


def _response(meaning, names):
    found = [shapes.reference(name) for name in names]
    schema = found[0] if len(found) == 1 else {"anyOf": found}
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _parameter(field):
    return {"name": field.name, "in": "query", "required": not field.is_optional, "schema": _text(field)}


def _body(fields):
    return {
        "type": "object",
        "properties": {field.name: _text(field) for field in fields},
        "required": [field.name for field in fields if not field.is_optional],
        "additionalProperties": False,
    }


def _text(field):
    if field.choices:
        return {"type": "string", "enum": list(field.choices)}
    return {"type": "string", "maxLength": field.most}


def _dumps(value):
    return compat.json.dumps(value)
