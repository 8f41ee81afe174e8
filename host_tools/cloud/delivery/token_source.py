"""Access tokens that end: OAuth 2.0 client credentials (RFC 6749 section 4.4), kept until shortly before."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path
from typing import Any, NamedTuple

from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import http
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.oauth_config import CERTIFICATE, KEY, OAuthSettings
from host_tools.cloud.delivery.signing_key import SigningKey

TIMEOUT_S = 10  # a third of what the sending that waits for it may take (post.py)
EARLY_S = 60  # a token is not used any more so long before its end, or in the second half of a shorter life
UNTOLD_S = 300  # expires_in is optional (section 5.1)
LIFE_MAX_S = 24 * 3600
AGAIN_S = 5  # whoever comes within this time after a failure is told the same
ERRORS = (
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope",
)  # section 5.2  # fmt: skip
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,8192}=*")  # RFC 6750 section 2.1: it becomes part of a header


class Token(NamedTuple):
    value: str
    until: float  # Unix seconds


class TokenSource:
    """For one server. The key, the certificate and its key are read for each token: replacing them needs no
    restart.
    """

    def __init__(self, settings: OAuthSettings, clock: Clock):
        self._settings = settings
        self._clock = clock
        self._asking = asyncio.Lock()
        self._kept: Token | None = None
        self._failure, self._failed_at = "", float("-inf")

    async def token(self) -> str:
        """One that is good for a while yet. Raises DeliveryError."""
        async with self._asking:  # whoever waited finds what the other was given
            if self._kept is None or self._clock() >= self._kept.until:
                self._kept = None
                self._kept = await self._fetched()
            return self._kept.value

    def refused(self, value: str) -> None:
        """The resource did not take it (401): the next one is asked for anew."""
        if self._kept is not None and self._kept.value == value:
            self._kept = None

    async def _fetched(self) -> Token:
        now = self._clock()
        if 0 <= now - self._failed_at < AGAIN_S:  # a clock that was put back keeps nobody waiting
            raise DeliveryError(self._failure)
        try:
            return await self._asked(now)
        except DeliveryError as error:
            self._failure, self._failed_at = str(error), now
            raise

    async def _asked(self, now: float) -> Token:
        fields, context = await asyncio.to_thread(self._proof, now)
        answer = await http.request(
            "POST",
            self._settings.token_url,
            data={"grant_type": "client_credentials", **fields},
            headers={"Accept": "application/json"},
            timeout_s=TIMEOUT_S,
            context=context,
        )
        content = answer.content if isinstance(answer.content, dict) else {}
        if answer.status != 200:
            why = f", {content['error']}" if content.get("error") in ERRORS else ""
            told = f"the authorization server answered {answer.status}{why}"
            raise DeliveryError(told, retry_after_s=answer.retry_after_s)
        return _token(content, now)

    def _proof(self, now: float) -> tuple[dict[str, str], ssl.SSLContext | None]:
        """What proves who we are: fields of the form, or a certificate of the line."""
        settings = self._settings
        fields = {"client_id": settings.client_id} | ({"scope": settings.scope} if settings.scope else {})
        context = http.trusting(settings.ca_file)
        try:
            if settings.method == KEY:
                certificate = Path(settings.certificate_file) if settings.certificate_file else None
                key = SigningKey.read(Path(settings.key_file), certificate)
                audience = settings.audience or settings.token_url
                return fields | key.assertion(settings.client_id, audience, now), context
            if settings.method == CERTIFICATE:
                context = context or ssl.create_default_context()
                context.load_cert_chain(settings.certificate_file, settings.key_file, password=lambda: "")
                return fields, context
        except (OSError, ValueError) as error:  # replaced by something that is none
            raise DeliveryError(f"our own key cannot be used ({type(error).__name__})") from None
        return fields | {"client_secret": settings.client_secret}, context


def _token(content: dict[str, Any], now: float) -> Token:
    """Of an answer of section 5.1."""
    value, kind, life_s = content.get("access_token"), content.get("token_type"), content.get("expires_in")
    if not (isinstance(value, str) and TOKEN.fullmatch(value) and str(kind).lower() == "bearer"):
        raise DeliveryError("the authorization server's answer holds no bearer token")
    told_s = life_s if isinstance(life_s, int) and not isinstance(life_s, bool) else UNTOLD_S
    left_s = float(min(max(told_s, 0), LIFE_MAX_S))
    return Token(value, now + max(left_s - EARLY_S, left_s / 2))
