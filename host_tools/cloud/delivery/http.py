"""One request to a carrier's HTTP API: bounded, with a deadline, and without a secret in its failures."""

from __future__ import annotations

import json
import ssl
import time
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import aiohttp

from host_tools.cloud.bodies import bounded
from host_tools.cloud.delivery.errors import DeliveryError

TIMEOUT_S = 20
ANSWER_MAX = 256 * 1024
RETRY_AFTER_MAX_S = 3600  # whoever asks for more is asked again all the same


class Answer(NamedTuple):
    status: int
    retry_after_s: float | None
    content: Any  # what stood in it as JSON; None where it was none


async def request(
    method: str,
    url: str,
    *,
    timeout_s: float = TIMEOUT_S,
    context: ssl.SSLContext | None = None,
    **options: Any,
) -> Answer:
    """options: as aiohttp takes them (data, json, headers). Raises DeliveryError, with the kind of the
    failure only: the library's texts hold addresses, and an address may hold a token.
    """
    limits = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            session.request(method, url, allow_redirects=False, ssl=context or True, **options) as answer,
        ):
            text = await bounded(answer, ANSWER_MAX)
            return Answer(answer.status, _retry_after_s(answer.headers.get("Retry-After")), _parsed(text))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise DeliveryError(f"the carrier cannot be reached ({type(error).__name__})") from None


def trusting(ca_file: str) -> ssl.SSLContext | None:
    """TLS with the authorities of a file instead of the system's."""
    return ssl.create_default_context(cafile=ca_file) if ca_file else None


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _retry_after_s(value: str | None) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    if value is None:
        return None
    try:
        wait_s = float(value) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError):
        return None
    return min(max(wait_s, 0.0), RETRY_AFTER_MAX_S)
