"""The routes: one row each, and the one place that lets a request through to its handler.

Row: method; path; who may; handler(visit, values) -> Response; fields of the JSON body, {name: most
characters}; one whose name ends in ? may be left out, and is "" then. The body's limit, its validation, the
session, its token and the answer to whoever may not all follow from the row.
"""

from collections import namedtuple

from microdot import Response

from gatelodge import compat, log
from gatelodge.core import user_agent
from gatelodge.core.signin import Visitor
from gatelodge.refusals import SigninError
from gatelodge.text import N_, _
from gatelodge.web import guard, reply
from gatelodge.web.wire import Refusal

# Who may.
ANYONE = "anyone"
NEWCOMER = "newcomer"  # while nobody owns this router
VISITOR = "visitor"  # once somebody does, signed in or not
WATCHER = "watcher"  # signed in; what a page asks by itself, which does not put off the idle end
OWNER = "owner"  # signed in; what a person did

Row = namedtuple("Row", ("method", "path", "who", "handler", "fields"))

BODY_OVERHEAD = 64  # bytes around the fields
MAX_BYTES_PER_CHARACTER = 6  # \uXXXX


def get(path, who, handler):
    return Row("GET", path, who, handler, {})


def post(path, who, handler, fields=None):
    return Row("POST", path, who, handler, fields or {})


class Visit:
    """One request on its way: who asks, with which session."""

    def __init__(self, request, session):
        self.request = request
        self.session = session
        self.client = request.client_addr[0] if request.client_addr else ""

    def cookie(self, name):
        return self.request.cookies.get(name, "")

    @property
    def visitor(self):
        """Who asks, for the owner's decisions."""
        browser = user_agent.name(self.request.headers.get("User-Agent"))
        return Visitor(self.client, browser, self.cookie(guard.TRUST))

    @property
    def session_token(self):
        return self.cookie(guard.SESSION)


class Routes:
    """Binds rows to a Microdot app. owner: Owner. refusal_body: as WebServer's."""

    def __init__(self, app, owner, rows, refusal_body=reply.refusal_body):
        self._owner = owner
        self._refusal_body = refusal_body
        self._limits = {}
        self._methods = {}
        for row in rows:
            self._limits[row.method, row.path] = body_limit(row)
            self._methods.setdefault(row.path, []).append(row.method)
            app.route(row.path, methods=[row.method])(self._handler(row))
        for status in (404, 405, 413):
            app.errorhandler(status)(self._unrouted(status))

    def limit_of(self, method, path):
        """The largest body in bytes, or None when there is no such route."""
        return self._limits.get(("GET" if method == "HEAD" else method, path))

    def _handler(self, row):
        async def handle(request):
            try:
                return await self._answer(row, request)
            except SigninError as error:
                return reply.signin_error(error)
            except Refusal as refusal:
                return self._refused(row.path, refusal)
            except Exception as error:  # Microdot would print it on the serial console
                log.exception("web", row.method + " " + row.path + " failed", error)
                return self._refused(
                    row.path, Refusal(500, N_("The router could not answer that. It is in the log."))
                )

        return handle

    async def _answer(self, row, request):
        turned_away, session = self._admit(row, request)
        if turned_away:
            return turned_away
        if row.method == "POST" and row.who in (OWNER, WATCHER):
            check_token(request, session)
        values = check_fields(row.fields, request) if row.method == "POST" else request.args
        answer = row.handler(Visit(request, session), values)
        return answer if isinstance(answer, Response) else await answer

    def _admit(self, row, request):
        """(Response that turns the visitor away, or None; Session or None)."""
        if row.who == ANYONE:
            return None, None
        if row.who == NEWCOMER:
            return (elsewhere(row.path, "/", 409) if self._owner.is_set_up else None), None
        if not self._owner.is_set_up:
            return elsewhere(row.path, "/setup", 409), None
        if row.who == VISITOR:
            return None, None
        token = request.cookies.get(guard.SESSION, "")
        session = self._owner.session(token, row.who == OWNER) if token else None
        return (None if session else elsewhere(row.path, "/signin", 401)), session

    def _unrouted(self, status):
        async def handle(request):
            headers = {}
            if status == 405:
                headers["Allow"] = ", ".join(self._methods.get(request.path, []))
            return self._refused(request.path, Refusal(status, UNROUTED[status], headers))

        return handle

    def _refused(self, path, refusal):
        kind, body = self._refusal_body(path, refusal)
        headers = {"Content-Type": kind, "Cache-Control": "no-store"}
        headers.update(refusal.headers)
        return Response(body, refusal.status, headers)


UNROUTED = {
    404: N_("There is no such page on this router."),
    405: N_("That page does not take this kind of request."),
    413: N_("The body is too large."),
}


def body_limit(row):
    """Bytes that the fields of a row can fill at most."""
    if row.method != "POST":
        return 0
    return (
        sum([BODY_OVERHEAD + most * MAX_BYTES_PER_CHARACTER for most in row.fields.values()]) + BODY_OVERHEAD
    )


def elsewhere(path, target, status):
    """A page leads on, a script is told where to lead."""
    if reply.is_for_script(path):
        return reply.data({"go": target}, status)
    return reply.see_other(target)


def check_token(request, session):
    sent = request.headers.get("X-CSRF-Token") or ""
    if not compat.constant_time_equal(sent.encode(), session.csrf_token.encode()):
        raise Refusal(403, N_("This page is from an earlier session. Load it again."))


def check_fields(fields, request):
    """The values of the JSON body: exactly the declared fields, each a text of at most that many
    characters."""
    most = {name.rstrip("?"): fields[name] for name in fields}
    kind = (request.content_type or "").split(";")[0].strip()
    if not fields and not request.body:
        return {}
    if kind != "application/json":
        raise Refusal(415, "Send the body as application/json.")
    try:
        values = compat.json.loads(request.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON.")
    # No order of the names: MicroPython's reader takes a number for one, and cannot compare it with a text.
    if not isinstance(values, dict) or set(with_left_out(values, fields)) != set(most):
        raise Refusal(400, "Send one JSON object with %s." % (", ".join(sorted(fields)) or "no fields"))
    for name in most:
        check_value(name, values[name], most[name])
    return values


def with_left_out(values, fields):
    """The values, with "" for every field that may be left out and was."""
    for name in fields:
        if name.endswith("?"):
            values.setdefault(name[:-1], "")
    return values


def check_value(name, value, most):
    if not isinstance(value, str):
        raise Refusal(400, "%s has to be text." % name)
    if len(value) > most:
        raise SigninError(name, _("That is longer than %d characters.") % most)
