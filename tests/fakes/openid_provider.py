"""An OpenID provider and Facebook's Graph API, as their specifications have them, on this computer.

    async with OpenIdProvider() as provider:        # provider.issuer, provider.person
    provider.spoil["aud"] = "another"               # an ID token that lies
    address = provider.agree(link)                  # what the person's browser is sent back to

It signs with a key of its own, asks for PKCE, and gives each code once. Not for the real world: whoever asks
is whoever `person` says.
"""

import base64
import hashlib
import hmac
import json
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

SECRET = "a secret of two"


def forged(header, claims, public):
    """Without the private key: by HMAC with the public one, or (alg none) not at all."""
    head, body = (in_base64(json.dumps(part).encode()) for part in (header, claims))
    signed = hmac.digest(public, f"{head}.{body}".encode(), "sha256") if header["alg"] == "HS256" else b""
    return f"{head}.{body}.{in_base64(signed)}"


def in_base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class OpenIdProvider:
    def __init__(self, clock):
        self.clock = clock
        self.person = {"sub": "p-1", "email": "ada@example.org", "email_verified": True, "given_name": "Ada",
                       "family_name": "Bell"}  # fmt: skip
        self.spoil = {}  # claims of the ID token that are not as they should be
        self.document = {}  # what discovery says otherwise
        self.instead = {}  # by path: the whole answer
        self.algorithm = "RS256"
        self.key = self._new_key()
        self.signs_with = self.key
        self.asked = {}  # by code
        application = web.Application(middlewares=[self._answer_instead])
        application.router.add_get("/.well-known/openid-configuration", self._discovery)
        application.router.add_get("/keys", self._keys)
        application.router.add_post("/token", self._token)
        application.router.add_post("/oauth/access_token", self._facebook_token)
        application.router.add_get("/me", self._facebook_me)
        self._server = TestServer(application)

    async def __aenter__(self):
        await self._server.start_server()
        self.issuer = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    def turn_key(self):
        self.key = self.signs_with = self._new_key()

    def agree(self, link):
        """The person agrees to the question of a link. Returns the address of the answer."""
        asked = dict(parse_qsl(urlsplit(link).query))
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})

    @staticmethod
    def _new_key():
        return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)

    @web.middleware
    async def _answer_instead(self, request, handler):
        text = self.instead.get(request.path)
        return await handler(request) if text is None else web.Response(text=text)

    async def _discovery(self, _):
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": self.issuer + "/authorize",
                "token_endpoint": self.issuer + "/token",
                "jwks_uri": self.issuer + "/keys",
                **self.document,
            }
        )

    async def _keys(self, _):
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request):
        given = await request.post()
        asked = self.asked.pop(given.get("code"), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or given.get("client_secret") != SECRET or asked["code_challenge"] != challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {
            "iss": self.issuer,
            "aud": asked["client_id"],
            "iat": int(self.clock()),
            "exp": int(self.clock()) + 300,
            "nonce": asked["nonce"],
            # Core 1.0, 3.1.2.1: who asks for max_age is told when the person signed in; 0 asks again.
            **({"auth_time": int(self.clock())} if "max_age" in asked else {}),
            **self.person,
            **self.spoil,
        }
        header = {"alg": "RS256", "kid": self.signs_with.kid}
        said = {k: v for k, v in claims.items() if v is not None}
        token = jwt.encode(header, said, self.signs_with)
        if self.algorithm != "RS256":
            token = forged(header | {"alg": self.algorithm}, said, self.signs_with.as_pem(private=False))
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": token})

    async def _facebook_token(self, request):
        given = await request.post()
        right = self.asked.pop(given.get("code"), None) and given.get("client_secret") == SECRET
        return web.json_response(
            {"access_token": "fb"} if right else {"error": {}}, status=200 if right else 400
        )

    async def _facebook_me(self, request):
        if request.headers.get("Authorization") != "Bearer fb" or not request.query.get("appsecret_proof"):
            return web.json_response({"error": {}}, status=400)
        return web.json_response(
            {
                "id": self.person["sub"],
                "first_name": "Ada",
                "last_name": "Bell",
                "email": self.person["email"],
            }
        )
