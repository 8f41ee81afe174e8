"""Web Push (RFC 8030): encrypted for one browser (RFC 8291), signed by whom it subscribed to (RFC 8292)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from py_vapid import Vapid02
from pywebpush import WebPusher

from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import http
from host_tools.cloud.delivery.config import PushSettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message
from host_tools.cloud.store.push_models import KeptSecret
from host_tools.cloud.store.secret_box import SecretBox

SECRET = "vapid"
ENCODING = "aes128gcm"  # RFC 8188
TTL_MAX_S = 24 * 3600
TOKEN_S = 12 * 3600  # of a VAPID token; 24 hours at most (RFC 8292 section 2)
GONE = (404, 410)  # the browser has unsubscribed, or is no more
OURS_TO_MEND = (401, 403)
TOO_MANY = 429
LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
HOST = re.compile(rf"(?:{LABEL}\.)*{LABEL}")


class VapidKeys:
    """The cloud's key pair: made once, kept sealed. A new one would void every subscription."""

    def __init__(self, database: Database, box: SecretBox):
        self._database = database
        self._box = box
        self._vapid: Vapid02 | None = None

    async def load(self) -> Vapid02:
        if self._vapid is None:
            async with self._database.write() as session:
                row = await session.get(KeptSecret, SECRET)
                if row is None:
                    made = Vapid02()
                    made.generate_keys()
                    row = KeptSecret(name=SECRET, sealed=self._box.seal(made.private_pem().decode()))
                    session.add(row)
            self._vapid = Vapid02.from_pem(self._box.open(row.sealed).encode())
        return self._vapid

    async def public(self) -> str:
        """As browsers take it (applicationServerKey): the point, uncompressed, in base64url."""
        point = (await self.load()).public_key.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


class Subscriptions(Protocol):
    """Where a subscription is kept (accounts/pushes.py)."""

    async def opened(self, subscription_id: str) -> dict[str, Any] | None: ...

    async def forget(self, subscription_id: str) -> None: ...


class WebPush:
    """The driver. A message's recipient is a subscription's id; its `extra` is {"link", "tag"} in JSON."""

    at_once = 4

    def __init__(self, settings: PushSettings, keys: VapidKeys, kept: Subscriptions, clock: Clock):
        self._settings = settings
        self._keys = keys
        self._kept = kept
        self._clock = clock
        self._context = http.trusting(settings.ca_file)

    async def send(self, message: Message) -> str:
        subscription = await self._kept.opened(message.recipient)
        if subscription is None:
            raise DeliveryError("the browser has unsubscribed", permanent=True)
        endpoint = subscription["endpoint"]
        if not is_allowed(endpoint, self._settings.services):
            raise DeliveryError("the browser's push service is none of the settings", permanent=True)
        body = WebPusher(subscription).encode(payload(message), ENCODING)["body"]
        headers = await self._headers(message, endpoint)
        answer = await http.request("POST", endpoint, data=body, headers=headers, context=self._context)
        if answer.status in GONE:
            await self._kept.forget(message.recipient)
        if not 200 <= answer.status < 300:
            final = 400 <= answer.status < 500 and answer.status not in (*OURS_TO_MEND, TOO_MANY)
            told = f"the push service answered {answer.status}"
            raise DeliveryError(told, permanent=final, retry_after_s=answer.retry_after_s)
        return ""

    async def arrived(self, message: Message) -> bool:
        return True

    async def _headers(self, message: Message, endpoint: str) -> dict[str, str]:
        parts, now = urlsplit(endpoint), self._clock()
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "sub": self._settings.contact}
        signed = (await self._keys.load()).sign({**claims, "exp": int(now) + TOKEN_S})
        left_s = TTL_MAX_S if message.expires_at is None else int(message.expires_at - now)
        # A newer one of the same topic takes its place at the service (RFC 8030 section 5.4).
        topic = hashlib.sha256(f"{message.about or message.id}".encode()).hexdigest()[:32]
        return {
            **signed,
            "Content-Encoding": ENCODING,
            "Content-Type": "application/octet-stream",
            "TTL": str(min(max(left_s, 0), TTL_MAX_S)),
            "Urgency": "high",
            "Topic": topic,
        }


def payload(message: Message) -> bytes:
    """What the service worker shows (pages/static/service-worker.js)."""
    extra = json.loads(message.extra or "{}")
    shown = {"title": message.subject, "body": message.body, "link": extra.get("link", "/")}
    return json.dumps({**shown, "tag": extra.get("tag", "")}).encode()


def is_allowed(endpoint: str, services: tuple[str, ...]) -> bool:
    """Whether it is of a push service that we know. A browser says where we are to post: anywhere else, it
    could have us knock at doors behind our own firewall.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not endpoint.isascii() or not endpoint.isprintable() or not HOST.fullmatch(host):
        return False  # who connects may read it in another way
    if parts.scheme != "https" or parts.username is not None or parts.password is not None:
        return False
    named = host if port in (None, 443) else f"{host}:{port}"
    return any(named == service or service[0] == "." and named.endswith(service) for service in services)
