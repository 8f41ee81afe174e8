"""Odd input at every address of the portal, as a stranger and signed in: never a failure on our side.

The values are drawn from a seed that a failure tells. FULL=1 draws more of them.
"""

import asyncio
import os
import random
import re
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from yarl import URL

from host_tools.cloud.pages import forms, guards, routes
from host_tools.cloud.pages.going import COOKIE as GOING_COOKIE
from host_tools.cloud.pages.outside import IDENTITY_COOKIE, QUESTION_COOKIE
from host_tools.cloud.pages.routers import INVITED_COOKIE
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig, code_in, database_url

ROUNDS = 25 if os.environ.get("FULL") else 2
SEED = 20261127
STEP_S = 61  # of the clock between two requests: the throttle refuses little, and more than the door is tried
LONG = 64 * 1024
FORM = "application/x-www-form-urlencoded"
TYPES = ("application/json", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x", "x")
BODIES = ("[1]", '{"csrf":{}}', "--x\r\n", "")

# As they stand in a body or a path, percent-encoded.
NUL = ("%00", "a%00b", "%00@example.org", "ada%00@example.org")  # PostgreSQL's text holds none
ODD = (
    "%ED%A0%80", "%ED%B0%80x", "%FF%FE", "%C3", "%F4%90%80%80",  # lone surrogates, and no UTF-8 at all
    "%EF%BF%BF", "%F0%9F%98%80" * 50, "%E2%80%AE%E2%80%8B", "e%CC%81" * 100, "%C4%B0" * 254,
    "", "%20", "%0D%0A", "%09", "..", "%2E%2E%2F", "%25", "%", "%zz", "[]", "%7B%7D", "null", "-1", "1e999",
    "9" * 40, "0x10", "NaN", "%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5%D9%A6", "%C2%B2" * 6,
    "'%20OR%201=1--", "%3Cb%3E", "x" * 300, "+" + "9" * 59,
)  # fmt: skip
LIKELY = {
    "email": ("ada@example.org", "nobody@example.org", "old-name"), "password": (PASSWORD, "wrong"),
    "new_password": (PASSWORD, "a lantern at the ford"), "first_name": ("Ada",), "last_name": ("Bell",),
    "country": ("BE",), "terms": ("yes",), "language": ("en",), "time_zone": ("Europe/Brussels",),
    "code": ("123456",), "method": ("mail", "sms", "call"), "number": ("+32470123456", "42"),
    "name": ("Mine",),
    "service_code": ("ABCD-EFGH-JKLM-NPQR",), "sure": ("yes",), "user_code": ("BCDF-GHJK",),
    "trust": ("yes",),
    "credential": ("{}", '{"id":"AA","rawId":"AA","type":"public-key","response":{}}'),
    "subscription": ("{}", '{"endpoint":"https://push.example.org/x","keys":{"p256dh":"AA","auth":"AA"}}'),
    "query": ("client_id=app&redirect_uri=x", "client_id=%00", "&".join("abcdefghijklmnopqrstuvwxyz")),
    "agree": ("yes",), "device": ("0" * 64,),
    "client_id": ("app",), "client_secret": ("x",), "token": ("x",), "scope": ("openid",),
    "prompt": ("none",),
    "grant_type": ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"),
    "redirect_uri": ("https://app.example.org/back", "https://[", "//"), "code_verifier": ("x" * 43,),
    "refresh_token": ("x",), "device_code": ("x",), "id_token_hint": ("x", "e30.e30.e30"), "state": ("x",),
    "client_assertion": ("e30.e30.e30", "WyJhbGciXQ.eyJzdWIiOiJhcHAifQ.e30"), "dpop_jkt": ("x" * 43,),
    "request_uri": ("urn:ietf:params:oauth:request_uri:x",), "response_type": ("code",),
    "post_logout_redirect_uri": ("https://[",), "error": ("access_denied",), "done": ("resent",),
}  # fmt: skip
NAMES = sorted({*LIKELY, *(one.name for one in vars(forms).values() if isinstance(one, forms.Field))})
COOKIES = (
    guards.SESSION_COOKIE, guards.BROWSER_COOKIE, guards.KNOWN_COOKIE, GOING_COOKIE, INVITED_COOKIE,
    IDENTITY_COOKIE, QUESTION_COOKIE,
)  # fmt: skip
PLACE = re.compile(r"\{(\w+)(?::\[.*?\]\{1,64\})?\}")
GETS = tuple(row for row in routes.ROUTES if row.method == "GET")
POSTS = tuple(row for row in routes.ROUTES if row.method == "POST")


class Odd:
    """What one request carries, drawn by a generator of its own."""

    def __init__(self, draw):
        self._draw = draw

    def value(self, name):
        """Likely more often than not: a form that is odd everywhere ends at its first field."""
        if name in LIKELY and self._draw.random() < 0.6:
            return quote(self._draw.choice(LIKELY[name]), safe="")
        return self._odd()

    def _odd(self):
        return self._draw.choice(NUL if self._draw.random() < 0.2 else ODD)

    def path(self, row):
        return PLACE.sub(lambda place: self._place(place[1]), row.path)

    def _place(self, name):
        found = "GL-0001" if name == "serial_number" else self._odd()
        return found if found not in ("", "..", "%", "%zz") else "x"  # else it is another route's path

    def query(self):
        return "&".join(f"{name}={self.value(name)}" for name in self._draw.sample(NAMES, 6))

    def body(self, csrf):
        """(content type, bytes)."""
        pairs = [f"csrf={csrf}", *(f"{name}={self.value(name)}" for name in NAMES)]
        make = self._draw.choice((self._plain, self._plain, self._plain, *self._strange))
        return make(pairs)

    def _plain(self, pairs):
        return FORM, "&".join(pairs)

    @property
    def _strange(self):
        return self._repeated, self._arrays, self._long, self._other_type, self._other_charset, self._broken

    def _repeated(self, pairs):
        return FORM, "&".join([*pairs, *(f"{name}={self.value(name)}" for name in NAMES)])

    def _arrays(self, pairs):
        return FORM, "&".join([pairs[0], *(pair.replace("=", "[]=", 1) for pair in pairs[1:])])

    def _long(self, pairs):
        name = self._draw.choice(NAMES)
        size = self._draw.choice((LONG // 2, LONG - 3000, LONG, 2 * LONG))
        return FORM, f"{pairs[0]}&{name}={'y' * size}"

    def _other_type(self, pairs):
        return self._draw.choice(TYPES), self._draw.choice(("&".join(pairs), *BODIES))

    def _other_charset(self, pairs):
        charset = self._draw.choice(("utf-16", "idna", "hex", "nothing", "utf-7", "utf-8"))
        return f"{FORM}; charset={charset}", "&".join(pairs)

    def _broken(self, pairs):
        junk = self._draw.randbytes(200).decode("latin-1")
        return FORM, f"{pairs[0]}&{junk}&=&&{self._draw.choice(NAMES)}"

    def cookies(self):
        """Seldom, and then for this request alone: most would sign the browser out."""
        if self._draw.random() < 0.9:
            return {}
        value = self._draw.choice(("", "x" * 7000, "%00", '"', "AAAA", "L29pZGMvYXV0aG9yaXplPwA=", "a" * 43))
        return {self._draw.choice(COOKIES): value}


class Visitor:
    """A browser that sends what no browser sends. Signed in, it joins again whenever it was signed out."""

    def __init__(self, rig, member):
        self._rig, self._member = rig, member
        self._page = "/profile" if member else "/sign-in"
        self._joined = 0
        self._browser = None
        self._csrf = ""

    async def begin(self):
        self._browser = self._rig.browser()
        if self._member:
            self._joined += 1
            email = f"ada{self._joined}@example.org"
            await self._browser.sign_up(email)
            mail = next(mail for mail in await self._rig.mails(email))
            await self._browser.post("/confirm", code=code_in(mail))
        self._csrf = (await self._browser.get(self._page)).csrf

    async def send(self, row, odd):
        """The status. Live updates are left as soon as they begin."""
        self._rig.clock.now += STEP_S
        headers, data = {}, None
        if row.method == "POST":
            headers["Content-Type"], text = odd.body(self._csrf)
            data = text.encode("latin-1")
        address = str(self._rig.server.make_url("/")).rstrip("/") + odd.path(row) + "?" + odd.query()
        asked = self._browser._session.request(
            row.method, URL(address, encoded=True), data=data, headers=headers, cookies=odd.cookies(),
            allow_redirects=False,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE_S), asked as answer:
            gone = self._member and answer.headers.get("Location", "").startswith("/sign-in")
            status = answer.status
        if gone:
            await self.begin()
        elif status == 403:  # an odd cookie has been replaced: forms of the new one carry another token
            self._csrf = (await self._browser.get(self._page)).csrf
        return status


@asynccontextmanager
async def portal(folder, kind):
    async with Rig(folder, database_url=database_url(folder, kind)) as rig:
        yield rig


async def failures(rig, member, rows, caplog):
    """(method, path, round, index, status) of every request that was answered by 5xx, and what was logged."""
    visitor, found = Visitor(rig, member), []
    await visitor.begin()
    for number in range(ROUNDS):
        for index, row in enumerate(rows):
            draw = random.Random(f"{SEED} {number} {index}")  # noqa: S311 - to be drawn again
            status = await visitor.send(row, Odd(draw))
            if status >= 500:
                found.append((row.method, row.path, number, index, status))
    await rig.until(rig.parts.post.idle)
    return found + logged(caplog)


def logged(caplog):
    """Failures in our own log: aiohttp's tells of requests that are no HTTP, too."""
    ours = (record for record in caplog.records if record.name.startswith("cloud"))
    return [record.getMessage() for record in ours if record.levelname == "ERROR"]


@pytest.mark.parametrize("member", [False, True], ids=["stranger", "member"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_no_odd_input_is_a_failure_of_ours(tmp_path, kind, member, caplog):
    async with portal(tmp_path, kind) as rig:
        assert await failures(rig, member, (*POSTS, *POSTS, *GETS), caplog) == []


HEAD = b"Host: localhost\r\nConnection: close\r\n"
RAW = (
    (b"GET /\xff\xfe", HEAD), (b"GET /routers/\xed\xa0\x80", HEAD), (b"GET /sign-in?done=\xff", HEAD),
    (b"GET /sign-in", HEAD + b"Cookie: __Host-cloud-session=\xff\xfe\r\n"),
    (b"GET /sign-in", HEAD + b"Cookie: __Host-cloud-going=\xed\xa0\x80; =; ;;\r\n"),
    (b"GET /sign-in", HEAD + b"Cookie: a=" + b"x" * 20_000 + b"\r\n"),
    (b"GET /sign-in", HEAD + b"User-Agent: \xff\xed\xa0\x80\r\n"),
    (b"GET /sign-in", HEAD + b"User-Agent: a\0b\r\n"),
    (b"GET /sign-in", b"Host: \xff\r\nConnection: close\r\n"),
    (b"GET /oidc/userinfo", HEAD + b"Authorization: Bearer \xff\xfe\r\n"),
    (b"POST /oidc/token", HEAD + b"Authorization: Basic AP8A/w==\r\nContent-Length: 0\r\n"),
    (b"GET /oidc/userinfo", HEAD + b"Authorization: DPoP x\r\nDPoP: \xff\xed\xa0\x80\r\n"),
    (b"POST /sign-in", HEAD + b"Content-Length: -1\r\n"),
    (b"POST /sign-in", HEAD + b"Content-Type: \xff\r\nContent-Length: 0\r\n"),
    (b"POST /sign-in", HEAD + b"Origin: \xff\r\nSec-Fetch-Site: \xff\r\nContent-Length: 0\r\n"),
)  # fmt: skip


@pytest.mark.parametrize("line, head", RAW)
async def test_bytes_that_no_browser_sends_are_no_failure_of_ours(tmp_path, line, head, caplog):
    async with portal(tmp_path, "sqlite") as rig, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.server.port)
        writer.write(line + b" HTTP/1.1\r\n" + head + b"\r\n")
        answer = await reader.read()
        writer.close()
    assert re.match(rb"HTTP/1\.[01] [234]\d\d ", answer), answer[:200]
    assert logged(caplog) == []
