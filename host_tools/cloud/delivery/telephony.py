"""Text messages and calls by a Twilio-compatible HTTP API (version 2010-04-01).

What was handed over is asked for until it has arrived: a carrier can ring our listener too (StatusCallback),
but a cloud behind a firewall hears nothing, and a listener that anybody may ring has to be guarded.
"""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import aiohttp

from host_tools.cloud.clock import Clock
from host_tools.cloud.delivery import http
from host_tools.cloud.delivery.config import TelephonySettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.token_source import TokenSource
from host_tools.cloud.languages.text import ENGLISH, _, reader, speaking
from host_tools.cloud.store.models import Message

VERSION = "2010-04-01"
SERVICE = "MG"  # how a messaging service's name begins; else it is a number that sends
VALIDITY_MAX_S = 14400
# The voices by language (https://www.twilio.com/docs/voice/twiml/say).
VOICES = {
    "en": "en-GB", "nl": "nl-NL", "fr": "fr-FR", "de": "de-DE", "ru": "ru-RU", "uk": "uk-UA", "tr": "tr-TR",
}  # fmt: skip

# status -> whether it has arrived: True, False (not known yet) or None (it will not).
# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
TEXTS = {"delivered": True, "read": True, "undelivered": None, "failed": None, "canceled": None}
# https://www.twilio.com/docs/voice/api/call-resource#call-status-values. A phone that rings shows the number.
CALLS = {
    "ringing": True, "in-progress": True, "completed": True, "no-answer": True,
    "busy": None, "failed": None, "canceled": None,
}  # fmt: skip
# Refused for what we are, not for whom it is to: the operator's to mend.
UNKNOWN = 401
OURS_TO_MEND = (UNKNOWN, 403)
TOO_MANY = 429


class Api:
    """The account's resources. The token is in the Authorization header and nowhere else.

    tokens: where tokens that end come from, in place of the account's own.
    """

    def __init__(self, settings: TelephonySettings, tokens: TokenSource | None = None):
        self._base = f"{settings.api.rstrip('/')}/{VERSION}/Accounts/{settings.account}"
        self._basic = aiohttp.encode_basic_auth(settings.account, settings.token)
        self._tokens = tokens
        self._context = http.trusting(settings.ca_file)

    async def create(self, resource: str, form: dict[str, str]) -> str:
        """Returns the carrier's name of it (its sid)."""
        content = await self._request("POST", f"{resource}.json", data=form)
        sid = content.get("sid")
        if not isinstance(sid, str) or not sid.isalnum():
            raise DeliveryError("the carrier's answer names nothing")
        return sid

    async def status(self, resource: str, sid: str) -> tuple[str, Any]:
        """(its status, an error's code or None)."""
        content = await self._request("GET", f"{resource}/{sid}.json")
        return str(content.get("status")), content.get("error_code")

    async def _request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = await self._answer(method, f"{self._base}/{path}", **options)
        content = answer.content if isinstance(answer.content, dict) else {}
        if 200 <= answer.status < 300:
            return content
        code = content.get("code")
        text = f"the carrier answered {answer.status}" + (f", code {code}" if isinstance(code, int) else "")
        final = 400 <= answer.status < 500 and answer.status not in (*OURS_TO_MEND, TOO_MANY)
        raise DeliveryError(text, permanent=final, retry_after_s=answer.retry_after_s)

    async def _answer(self, method: str, url: str, **options: Any) -> http.Answer:
        """A token that has been withdrawn is replaced once."""
        if self._tokens is None:
            return await self._asked(method, url, self._basic, **options)
        token = await self._tokens.token()
        answer = await self._asked(method, url, f"Bearer {token}", **options)
        if answer.status != UNKNOWN:
            return answer
        self._tokens.refused(token)
        return await self._asked(method, url, f"Bearer {await self._tokens.token()}", **options)

    async def _asked(self, method: str, url: str, authorization: str, **options: Any) -> http.Answer:
        headers = {"Authorization": authorization}
        return await http.request(method, url, headers=headers, context=self._context, **options)


class Texts:
    at_once = 4

    def __init__(self, settings: TelephonySettings, clock: Clock, tokens: TokenSource | None = None):
        self._api = Api(settings, tokens)
        self._sender = settings.sms_from
        self._clock = clock

    async def send(self, message: Message) -> str:
        sender = "MessagingServiceSid" if self._sender.startswith(SERVICE) else "From"
        form = {"To": message.recipient, sender: self._sender, "Body": message.body}
        if message.expires_at is not None:
            left_s = int(message.expires_at - self._clock())
            form["ValidityPeriod"] = str(min(max(left_s, 1), VALIDITY_MAX_S))
        return await self._api.create("Messages", form)

    async def arrived(self, message: Message) -> bool:
        return _arrived(TEXTS, *await self._api.status("Messages", message.reference))


class Calls:
    """The message's body is the number that calls: its last four digits are the code. Its `extra` is
    {"language": what the person reads} in JSON.
    """

    at_once = 4

    def __init__(self, settings: TelephonySettings, tokens: TokenSource | None = None):
        self._api = Api(settings, tokens)
        self._ring_s = settings.ring_s

    async def send(self, message: Message) -> str:
        form = {
            "To": message.recipient,
            "From": message.body,
            "Twiml": said(message),
            "Timeout": str(self._ring_s),
        }
        return await self._api.create("Calls", form)

    async def arrived(self, message: Message) -> bool:
        return _arrived(CALLS, *await self._api.status("Calls", message.reference))


def said(message: Message) -> str:
    """TwiML: what the voice says to who answers."""
    spoken = ElementTree.Element("Response")
    with speaking(json.loads(message.extra or "{}").get("language", ENGLISH)):
        say = ElementTree.SubElement(spoken, "Say", language=VOICES[reader().tag])
        say.text = _("Your code is the last four digits of the number that calls you.")
    return ElementTree.tostring(spoken, encoding="unicode")


def _arrived(outcomes: dict[str, bool | None], status: str, code: Any) -> bool:
    found = outcomes.get(status, False)
    if found is None:
        told = f", code {code}" if isinstance(code, int) else ""
        raise DeliveryError(f"the carrier says that it is {status}{told}", permanent=True)
    return found
