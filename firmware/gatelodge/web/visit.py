"""Who asks: what a request shows of a session or a token, looked for once in one that may be asked again."""

from gatelodge.core import sessions, user_agent
from gatelodge.core.signin import Visitor
from gatelodge.web import guard

NO_TOKEN = ()  # what a request shows that shows none, once it was looked for


class Visit:
    """One request on its way: who asks, with which session, or with which token (owner.api_tokens.Grant)."""

    grant = None

    def __init__(self, request, session):
        self.request = request
        self.session = session

    @property
    def client(self):
        address = self.request.client_addr
        return address[0] if address else ""

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

    @property
    def session_hash(self):
        """What is kept of the token."""
        return session_hash_of(self.request)

    @property
    def by(self):
        """Who it was, for the log."""
        if self.grant:
            return "the API token %s (%s), from %s" % (self.grant.id, self.grant.name, self.client)
        return "the admin page, from %s" % self.client


def look_for_token(request):
    """An empty one is one, too: it opens nothing."""
    shown = guard.bearer(request.headers)
    request.bearer = NO_TOKEN if shown is None else shown


def session_hash_of(request):
    """What is kept of the token of its session. A page that asks again and again shows the same one."""
    if request.session_hash is None:
        request.session_hash = sessions.hashed(request.cookies.get(guard.SESSION, ""))
    return request.session_hash


def stranger(request, _row):
    """The Visit without a session, which the request keeps: it may be asked again."""
    if request.stranger is None:
        request.stranger = Visit(request, None)
    return request.stranger
