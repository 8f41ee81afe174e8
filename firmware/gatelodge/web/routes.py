"""The routes: one row each, and the one place that lets a request through to its handler.

Row: method; path; who may; handler(visit, values) -> Response; fields, as web/fields.py has them: of the JSON
body, or of the query of a GET or an upload; proof: whether a code must have been given in the last five
minutes; about: what the API's description says, by `api`, or None for what is the pages' own; upload: the
most bytes of a body that the handler reads itself, piece by piece (request.body, web/upload.py), else 0.

The body's limit, its validation, the session, its token, the proof, a personal token's scope, the answer to
whoever may not, and the description (web/openapi.py) all follow from the row. What can be decided when the
row is bound is decided then.
"""

from collections import namedtuple

from gatelodge import compat, log
from gatelodge.refusals import SigninError
from gatelodge.text import N_, speak
from gatelodge.web import fields as row_fields
from gatelodge.web import guard, language, reply, scopes
from gatelodge.web.message import Response
from gatelodge.web.visit import NO_TOKEN, Visit, look_for_token, session_hash_of, stranger
from gatelodge.web.wire import Refusal

# Who may.
ANYONE = "anyone"
NEWCOMER = "newcomer"  # while nobody owns this router
VISITOR = "visitor"  # once somebody does, signed in or not
WATCHER = "watcher"  # signed in; what a page asks by itself, which does not put off the idle end
OWNER = "owner"  # signed in; what a person did

Row = namedtuple("Row", ("method", "path", "who", "handler", "fields", "proof", "about", "upload"))

# summary: in English, for programmers. reply: of web/shapes.py. scope: that a personal token needs; None: no
# token will do.
About = namedtuple("About", ("summary", "reply", "scope"))


def api(summary, reply="Done", scope=None):
    return About(summary, reply, scope)


def get(path, who, handler, fields=None, about=None):
    return Row("GET", path, who, handler, fields or {}, False, about, 0)


def post(path, who, handler, fields=None, proof=False, about=None):
    return Row("POST", path, who, handler, fields or {}, proof, about, 0)


def upload(path, who, handler, most, fields, about):
    """A file of at most so many bytes, after a code. Nothing of it is read before the guards have passed."""
    return Row("POST", path, who, handler, fields, True, about, most)


# A row that is bound. admit(request, row) -> Visit, or the Response that leads elsewhere; read(request) ->
# the values for answer(visit, values), which gives a Response or what to await for it.
Way = namedtuple("Way", ("admit", "read", "answer", "row"))


class Routes:
    """Answers a request by its row. owner: Owner. refusal_body: as WebServer's.

    There are a hundred rows, so each is bound by a tuple and not by functions of its own; and what answers a
    request is a chain of short functions: of one with more than eleven names and values at work, or eight and
    a `try`, MicroPython takes the frame from the heap at each call."""

    def __init__(self, owner, rows, refusal_body=reply.refusal_body):
        self._owner = owner
        self._refusal_body = refusal_body
        self._methods = {}  # path -> {method: Way}
        admits = {
            ANYONE: stranger,
            NEWCOMER: self._newcomer,
            VISITOR: self._visitor,
            WATCHER: self._insider,
            OWNER: self._insider,
        }
        for row in rows:
            answer = self._proved(row.handler) if row.proof else row.handler
            way = Way(admits[row.who], _reader(row), answer, row)
            self._methods.setdefault(row.path, {})[row.method] = way

    def limit_of(self, method, path):
        """(the largest body in bytes, or None when there is no such route; whether its handler reads it)"""
        way = self._methods.get(path, NOWHERE).get("GET" if method == "HEAD" else method)
        if way is None:
            return None, False
        row = way.row
        return row.upload or (row_fields.body_limit(row.fields) if method == "POST" else 0), row.upload > 0

    def answer(self, request):
        """The Response to a message.Request, or what to await for it."""
        way = request.way or self._find(request)
        if way is None:
            return self._unrouted(request)
        try:
            return self._take(way, request)
        except Exception as error:
            return self._failed(way.row, error)

    def _find(self, request):
        """The Way of a request, which keeps it: it may be asked again."""
        method = "GET" if request.method == "HEAD" else request.method
        request.way = self._methods.get(request.path, NOWHERE).get(method)
        return request.way

    def _take(self, way, request):
        speak(request.language or language.of(request))
        visit = way.admit(request, way.row)
        if isinstance(visit, Response):
            return visit
        answered = way.answer(visit, way.read(request))
        return answered if isinstance(answered, Response) else self._awaited(way.row, request, answered)

    async def _awaited(self, row, request, answering):
        try:
            return await language.kept(request, answering)
        except Exception as error:
            return self._failed(row, error)

    def _proved(self, handler):
        """The handler behind a code that was given in the last five minutes. A token needs none."""

        def answer(visit, values):
            if visit.grant is None:
                self._owner.require_proof(visit.session_token)
            return handler(visit, values)

        return answer

    def _failed(self, row, error):
        """The answer to whatever a handler raised."""
        if isinstance(error, SigninError):
            return reply.signin_error(error)
        if isinstance(error, Refusal):
            return self._refused(row.path, error)
        log.exception("web", row.method + " " + row.path + " failed", error)
        text = N_("The router could not answer that. It is in the log.")
        return self._refused(row.path, Refusal(500, text))

    def _newcomer(self, request, row):
        return elsewhere(row.path, "/", 409) if self._owner.is_set_up else Visit(request, None)

    def _visitor(self, request, row):
        return Visit(request, None) if self._owner.is_set_up else elsewhere(row.path, "/setup", 409)

    def _insider(self, request, row):
        """Who is signed in, or shows a token. A token that is shown is all that counts."""
        owner = self._owner
        if not owner.is_set_up:
            return elsewhere(row.path, "/setup", 409)
        if request.bearer is None:
            look_for_token(request)
        if request.bearer is not NO_TOKEN:
            return self._bearer(request, row)
        session = owner.session_of(session_hash_of(request), row.who == OWNER)
        if session is None:
            return elsewhere(row.path, "/signin", 401, scope_of(row) is not None)
        if row.method != "GET":
            check_token(request, session)
        return Visit(request, session)

    def _bearer(self, request, row):
        visit = Visit(request, None)
        visit.grant = self._granted(request.bearer, scope_of(row))
        return visit

    def _granted(self, token, scope):
        """The Grant of a token that is good for the scope. The answers are RFC 6750's, section 3.1."""
        grant = self._owner.api_tokens.find(token)
        if grant is None:
            told = {"WWW-Authenticate": guard.challenge("invalid_token")}
            raise Refusal(401, N_("That token is not known here. It may have ended, or been revoked."), told)
        if scope is None:
            told = {"WWW-Authenticate": guard.challenge("insufficient_scope")}
            raise Refusal(403, N_("No token may do this. Sign in."), told)
        if scope != scopes.ANY and scope not in grant.scopes:
            told = {"WWW-Authenticate": guard.challenge("insufficient_scope", scope)}
            raise Refusal(403, N_("This token was not made for that. Make one that may do it."), told)
        return grant

    def _unrouted(self, request):
        """The answer where there is no such row."""
        speak(language.of(request))
        methods = self._methods.get(request.path)
        status = 405 if methods else 404
        headers = {"Allow": ", ".join(sorted(methods))} if methods else {}
        return self._refused(request.path, Refusal(status, UNROUTED[status], headers))

    def _refused(self, path, refusal):
        kind, body = self._refusal_body(path, refusal)
        headers = {"Content-Type": kind, "Cache-Control": "no-store"}
        headers.update(refusal.headers)
        return Response(body, refusal.status, headers)


NOWHERE = {}  # the methods of a path that nobody knows

UNROUTED = {
    404: N_("There is no such page on this router."),
    405: N_("That page does not take this kind of request."),
}


def scope_of(row):
    """That a token needs for it, or None where no token will do."""
    return row.about.scope if row.about else None


def _reader(row):
    """read(request) -> the values for the handler. A page's query is its own business; of the API's, what the
    description does not name is nobody's."""
    if row.upload:
        return row_fields.upload_reader(row.fields)
    if row.method == "POST":
        return row_fields.body_reader(row.fields)
    if row.fields:
        return row_fields.query_reader(row.fields)
    return no_values if row.about else lambda request: request.args


def no_values(_request):
    return {}


def elsewhere(path, target, status, takes_tokens=False):
    """A page leads on, a script is told where to lead."""
    if not reply.is_for_script(path):
        return reply.see_other(target)
    if not takes_tokens:
        return reply.data({"go": target}, status)
    headers = {"Content-Type": reply.JSON, "Cache-Control": reply.NO_STORE}
    headers["WWW-Authenticate"] = guard.challenge()
    return Response(compat.json.dumps({"go": target}).encode(), status, headers)


def check_token(request, session):
    sent = request.headers.get("X-CSRF-Token") or ""
    if not compat.constant_time_equal(sent.encode(), session.csrf_token.encode()):
        raise Refusal(403, N_("This page is from an earlier session. Load it again."))
