"""A carrier of text messages and calls: the part of Twilio's HTTP API (2010-04-01) that the cloud uses.

Written from the published description of Messages.json and Calls.json: Basic authentication, a form in, JSON
out, an error with a code, and a resource that can be asked for its status. Or bearer tokens
in the place of Basic (OAuth apps), of an authorization server that says which of them are good at the moment.
"""

import base64

from aiohttp import web
from aiohttp.test_utils import TestServer

ACCOUNT, TOKEN = "AC" + "0" * 32, "the account's token"
REQUIRED = {
    "Messages": ({"To", "Body"}, {"From", "MessagingServiceSid"}),
    "Calls": ({"To", "From"}, {"Twiml", "Url"}),
}
FIRST_STATUS = {"Messages": "queued", "Calls": "queued"}
PREFIX = {"Messages": "SM", "Calls": "CA"}


class Telephony:
    """`async with Telephony() as carrier`: carrier.url, carrier.sent (the forms, by resource).

    status: what every resource says of itself, and error_code. refusals: answers for the next creations,
    (HTTP status, code, headers). tokens: the authorization server, where it takes bearer tokens alone.
    """

    def __init__(self, tokens=None):
        self.tokens = tokens
        self.sent = {"Messages": [], "Calls": []}
        self.status = {"Messages": "delivered", "Calls": "no-answer"}
        self.error_code, self.refusals, self.tried, self.strangers = None, [], 0, 0
        app = web.Application()
        base = f"/2010-04-01/Accounts/{ACCOUNT}"
        app.router.add_post(base + "/{resource:Messages|Calls}.json", self._create)
        app.router.add_get(base + "/{resource:Messages|Calls}/{sid}.json", self._read)
        self._server = TestServer(app)

    async def __aenter__(self):
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    async def _create(self, request):
        self.tried += 1
        if not self._is_known(request):
            return _error(401, 20003)
        if self.refusals:
            status, code, headers = self.refusals.pop(0)
            return _error(status, code, headers)
        if request.content_type != "application/x-www-form-urlencoded":
            return _error(400, 20001)
        resource, form = request.match_info["resource"], dict(await request.post())
        needed, one_of = REQUIRED[resource]
        if not needed <= set(form) or not one_of & set(form):
            return _error(400, 21604)
        self.sent[resource].append(form)
        sid = f"{PREFIX[resource]}{len(self.sent[resource]):032x}"
        return web.json_response({"sid": sid, "status": FIRST_STATUS[resource]}, status=201)

    async def _read(self, request):
        if not self._is_known(request):
            return _error(401, 20003)
        status = self.status[request.match_info["resource"]]
        body = {"sid": request.match_info["sid"], "status": status, "error_code": self.error_code}
        return web.json_response(body)

    def _is_known(self, request):
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if self.tokens is not None:
            known = kind == "Bearer" and self.tokens.takes(given)
        else:
            known = kind == "Basic" and given == base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        self.strangers += not known
        return known


def _error(status, code, headers=None):
    body = {"code": code, "message": "It concerns +32470123456.", "status": status}
    return web.json_response(body, status=status, headers=headers)
