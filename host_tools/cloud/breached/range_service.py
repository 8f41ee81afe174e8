"""The range protocol of Have I Been Pwned (its API version 3): a service that never learns a password.

GET /range/21BD1             five digits of the SHA-1, one of a million groups
Add-Padding: true            the answer's length tells nobody which group it was
0018A45C4D1DEF81644B54AB7F969B88D65:3      the other 35 digits, and how often it was seen; 0: padding
"""

from __future__ import annotations

import time
from collections import OrderedDict

import aiohttp

from host_tools.cloud.bodies import bounded
from host_tools.cloud.breached.away import AwayError

PREFIX = 5  # all that leaves of a password
TIMEOUT_S = 3  # somebody waits for a form
ANSWER_MAX = 1024 * 1024  # a group has some 2,000 lines of 38 characters
KEPT_MAX, KEPT_S = 32, 3600  # who mistypes a form asks again at once
HEADERS = {"Add-Padding": "true", "User-Agent": "Gatelodge"}


class RangeService:
    """`url`: where /range/ is. A redirection is not followed: it would tell another the five digits."""

    def __init__(self, url: str):
        self._url = url.rstrip("/")
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()  # prefix -> (until, answer)

    async def knows(self, digest: str) -> bool:
        """Raises AwayError."""
        prefix, suffix = digest[:PREFIX], digest[PREFIX:].encode()
        lines = await self._range(prefix)
        found = next((line for line in lines.splitlines() if line[: len(suffix)].upper() == suffix), b"")
        return found[len(suffix) :].strip() not in (b"", b":0")

    async def _range(self, prefix: str) -> bytes:
        now = time.monotonic()
        until, lines = self._kept.get(prefix, (0.0, b""))
        if now >= until:
            lines = await self._ask(prefix)
            self._kept[prefix] = now + KEPT_S, lines
        self._kept.move_to_end(prefix)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return lines

    async def _ask(self, prefix: str) -> bytes:
        """An error's text may hold the address, and so the digits: only its kind is told."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=HEADERS) as http,
                http.get(f"{self._url}/range/{prefix}", allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise AwayError(f"the service answered {answer.status}")
                return await bounded(answer, ANSWER_MAX)
        except ValueError:
            raise AwayError("the service's answer has no end") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise AwayError(f"the service did not answer ({type(error).__name__})") from None
