"""A browser maker's push service (RFC 8030), and the browsers that have subscribed there.

It checks what a real one checks (the sender's token, RFC 8292), and hands the message to the browser, which
decrypts it as RFC 8291 says, with keys that never leave it.
"""

import base64
import json
import os

import http_ece
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
BODY_MAX = 4096  # RFC 8291 section 4


class PushService:
    """`async with PushService(context) as service`: service.origin; `browser = service.browser()`.

    status: what it answers where all is well, and headers of it. Counts what it refused, by why.
    """

    def __init__(self, context):
        self.status, self.headers, self.refused, self.tried = 201, {}, [], 0
        self._browsers, self._context = {}, context
        app = web.Application()
        app.router.add_post("/push/{id}", self._push)
        self._server = TestServer(app, scheme="https", host="localhost")

    async def __aenter__(self):
        await self._server.start_server(ssl=self._context)
        self.origin = f"https://localhost:{self._server.port}"
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    def browser(self, sender=None):
        """sender: the key that alone may write to it, as it was subscribed (applicationServerKey)."""
        found = PushedBrowser(f"{self.origin}/push/{len(self._browsers)}", sender)
        self._browsers[str(len(self._browsers))] = found
        return found

    async def _push(self, request):
        self.tried += 1
        browser, body = self._browsers[request.match_info["id"]], await request.read()
        why = self._fault(request, body, browser)
        if why:
            self.refused.append(why)
            return web.Response(status=403 if why == "sender" else 400)
        if 200 <= self.status < 300:
            browser.received.append({"ttl": int(request.headers["TTL"]), **browser.decrypt(body)})
        return web.Response(status=self.status, headers=self.headers)

    def _fault(self, request, body, browser):
        headers = request.headers
        if headers.get("Content-Encoding") != "aes128gcm" or len(body) > BODY_MAX:
            return "encoding"
        if not headers.get("TTL", "").isdecimal() or len(headers.get("Topic", "")) > 32:
            return "headers"
        return "" if self._is_sender(headers.get("Authorization", ""), browser) else "sender"

    def _is_sender(self, authorization, browser):
        scheme, _, fields = authorization.partition(" ")
        values = dict(part.strip().split("=", 1) for part in fields.split(","))
        claims = claims_of(values["t"], values["k"])
        mine = browser.sender in (None, values["k"])
        return scheme == "vapid" and claims is not None and claims["aud"] == self.origin and mine


class PushedBrowser:
    """received: what the service worker would be given, and for how many seconds it was to be kept."""

    def __init__(self, endpoint, sender):
        self.endpoint, self.sender, self.received = endpoint, sender, []
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)

    @property
    def subscription(self):
        """As PushSubscription.toJSON() has it."""
        point = self._key.public_key().public_bytes(*POINT)
        keys = {"p256dh": encoded(point), "auth": encoded(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body):
        text = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        return json.loads(text)


def claims_of(token, key):
    """The claims of a JWT (ES256) that the key has signed, or None."""
    signed, _, signature = token.rpartition(".")
    raw = decoded(signature)
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(key))
    try:
        public.verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return None
    return json.loads(decoded(signed.partition(".")[2]))


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
