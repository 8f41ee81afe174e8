"""The range service of Have I Been Pwned, as its description has it (API version 3): five digits, a group."""

import hashlib
import re

from aiohttp import web
from aiohttp.test_utils import TestServer

PREFIX = re.compile(r"[0-9A-F]{5}")
PADDING_MIN = 800  # an answer has 800 to 1,000 lines, padded


class PasswordRanges:
    """`async with PasswordRanges({"a password": 3}) as ranges`: .url to be asked, .asked holds what was.

    answer: what is said in place of the group, as a web.Response or a coroutine function that makes one.
    """

    def __init__(self, passwords):
        digests = {
            hashlib.sha1(text.encode()).hexdigest().upper(): times for text, times in passwords.items()
        }
        self._digests, self.asked, self.answer = digests, [], None

    async def __aenter__(self):
        app = web.Application()
        app.router.add_get("/range/{prefix}", self._range)
        self._server = TestServer(app)
        await self._server.start_server()
        self.url = str(self._server.make_url("/")).rstrip("/")
        return self

    async def __aexit__(self, *_):
        await self._server.close()

    async def _range(self, request):
        prefix = request.match_info["prefix"].upper()
        self.asked.append((request.path_qs, dict(request.headers)))
        if self.answer is not None:
            return await self.answer(request) if callable(self.answer) else self.answer
        if not PREFIX.fullmatch(prefix):
            return web.Response(status=400, text="The hash prefix was not in a valid format")
        held = self._digests.items()
        lines = [f"{digest[5:]}:{times}" for digest, times in held if digest.startswith(prefix)]
        if request.headers.get("Add-Padding") == "true":
            lines += [f"{_padding(prefix, number)}:0" for number in range(PADDING_MIN - len(lines))]
        return web.Response(text="\r\n".join(sorted(lines)))


def _padding(prefix, number):
    return hashlib.sha1(f"{prefix} {number}".encode()).hexdigest().upper()[5:]
