"""An authorization server's token endpoint: OAuth 2.0 client credentials (RFC 6749 section 4.4).

It knows one client, by the method that a test gives it: a secret in the form, an assertion (RFC 7523), or the
certificate of the line (RFC 8705 section 2.1). What resources ask of a token is `takes`.
"""

import asyncio
import secrets

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

CLIENT, SECRET = "gatelodge", "the client's secret"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE_S = 3600


class AuthorizationServer:
    """`async with AuthorizationServer(clock) as server`: server.url is the token endpoint.

    keys: the client's JWK set; without one it proves itself by the SECRET. context: TLS, which asks for a
    certificate: then that is the proof. life_s: expires_in; None is not told. token_bytes: of randomness, in
    base64. answers: (status, body) for the next requests. waits: an event that holds
    answers back. fetched: how many tokens there were.
    """

    def __init__(self, clock, keys=None, context=None):
        self.clock, self.keys, self.context = clock, keys, context
        self.life_s, self.token_bytes, self.answers, self.waits = LIFE_S, 32, [], None
        self.in_parts = False  # whether an answer comes in two pieces
        self.fetched, self.asked, self.headers, self.scopes = 0, 0, [], []
        self._tokens, self._seen = {}, set()
        app = web.Application()
        app.router.add_post("/token", self._token)
        self._server = TestServer(app, scheme="https" if context else "http")

    async def __aenter__(self):
        await self._server.start_server(ssl=self.context)
        self.url = str(self._server.make_url("/token"))
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    def takes(self, token):
        """Whether it is good now."""
        return self._tokens.get(token, 0) > self.clock()

    def withdraw_all(self):
        self._tokens.clear()

    async def _token(self, request):
        self.asked += 1
        if self.waits is not None:
            await self.waits.wait()
        if self.answers:
            status, body = self.answers.pop(0)
            return web.json_response(body, status=status)
        form = dict(await request.post())
        if form.get("grant_type") != "client_credentials":
            return _error(400, "unsupported_grant_type")
        if form.get("client_id") != CLIENT or not self._is_proved(request, form):
            return _error(401, "invalid_client")
        self.scopes.append(form.get("scope", ""))
        self.fetched += 1
        token = secrets.token_urlsafe(self.token_bytes)
        self._tokens[token] = self.clock() + (self.life_s or LIFE_S)
        answer = {"access_token": token, "token_type": "Bearer"}
        answer |= {} if self.life_s is None else {"expires_in": self.life_s}
        whole = web.json_response(answer, headers={"Cache-Control": "no-store"})
        return await _in_parts(request, whole) if self.in_parts else whole

    def _is_proved(self, request, form):
        if self.context is not None:
            return bool(request.transport.get_extra_info("peercert"))
        if self.keys is None:
            return form.get("client_secret") == SECRET
        return form.get("client_assertion_type") == TYPE and self._asserts(form.get("client_assertion", ""))

    def _asserts(self, assertion):
        """Signed by the key that is registered, for here, not over, and not seen before."""
        try:
            found = jwt.decode(assertion, KeySet.import_key_set(self.keys), algorithms=["ES256", "PS256"])
        except (JoseError, ValueError):
            return False
        claims = found.claims
        self.headers.append(found.header)
        fits = (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, self.url)
        fresh = claims["iat"] <= self.clock() < claims["exp"] and claims["jti"] not in self._seen
        self._seen.add(claims["jti"])
        return fits and fresh


def key_set(*pems):
    """The JWK set of public halves, as an operator registers it. pems: ("EC" or "RSA", PEM)."""
    found = [import_key(pem, kind) for kind, pem in pems]
    return {"keys": [key.as_dict(private=False) | {"kid": key.thumbprint()} for key in found]}


async def _in_parts(request, whole):
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    half = len(whole.body) // 2
    await answer.write(whole.body[:half])
    for _ in range(100):  # the client has its turns
        await asyncio.sleep(0)
    await answer.write(whole.body[half:])
    await answer.write_eof()
    return answer


def _error(status, error):
    return web.json_response({"error": error, "error_description": f"of {CLIENT}: {SECRET}"}, status=status)
