"""What a hostile visitor tries, a row each: cookies that are not ours, requests that can be read in two ways.

Each row goes over a socket as it stands, for no HTTP client would send it.
"""

import asyncio
import ipaddress
import re

from sqlalchemy import select

from host_tools.cloud.accounts import turnstile
from host_tools.cloud.accounts.emails import normal
from host_tools.cloud.accounts.throttle import LIMITS
from host_tools.cloud.pages.guards import BROWSER_COOKIE, SESSION_COOKIE
from host_tools.cloud.store.models import Account
from tests.host_tools.cloud_rig import PATIENCE_S, Rig, code_in

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
NEXT = b"GET /terms HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def sent(rig, data):
    """All that comes back until the server closes the line."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.server.port)
        writer.write(data)
        answer = await reader.read()
        writer.close()
    return answer


def cookies(browser):
    return {each.key: each.value for each in browser._session.cookie_jar}


# What a page of another subdomain, or one without TLS, may make a browser send beside our cookies: the prefix
# __Host- keeps it from setting ours, unless we take for ours what the browser does not. {mine}: the browser's
# own two cookies; {theirs}: a session of the attacker's, under the name of ours.
TOSSED = {
    "behind a space": ("{mine}; foo=x {theirs}", "ada"),
    "behind a space, alone": ("foo=x {theirs}", ""),
    "behind a tab": ("{mine}; foo=x\t{theirs}", "ada"),
    "behind a comma": ("foo=x,{theirs}", ""),
    "in quotes": ('{mine}; foo="x; {theirs}; y"', ""),  # the browser ends it at the ";": these are two
    "behind a quote": ('foo="; {mine}; bar="', "ada"),  # nothing of ours becomes another cookie's value
    "after a space of Unicode": ("{mine}; \u2000{theirs}", "ada"),
    "after another": ("{mine}; \u00a0{theirs}", "ada"),
    "without a name": ("{mine}; ={theirs}", "ada"),
    "in small letters": ("{mine}; __host-cloud-session=x", "ada"),
    "twice": ("{mine}; {theirs}", ""),
    "twice, the other way": ("{theirs}; {mine}", ""),
    "in two lines": ("{mine}\r\nCookie: {theirs}", ""),
}


async def test_a_cookie_of_another_site_is_none_of_ours(rig, ada, eve):
    """An attacker's session would have the person work, and keep secrets, in the attacker's account."""
    mine = "; ".join(f"{name}={cookies(ada)[name]}" for name in (SESSION_COOKIE, BROWSER_COOKIE))
    theirs = f"{SESSION_COOKIE}={cookies(eve)[SESSION_COOKIE]}"
    for kind, (line, whose) in TOSSED.items():
        tossed = f"Cookie: {line.format(mine=mine, theirs=theirs)}\r\n\r\n".encode()
        answer = await sent(rig, b"GET /profile HTTP/1.1\r\n" + HOST + CLOSE + tossed)
        assert (b"ada@" in answer, b"eve@" in answer) == (whose == "ada", False), kind


def posted(head, body, version=b"1.1"):
    return b"POST /sign-in HTTP/" + version + b"\r\n" + HOST + FORM + head + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
# Two servers in a row must see the same requests (RFC 9112 sections 6.1 and 11.2): what is in doubt ends the
# line.
IN_DOUBT = {
    "CL.TE": posted(b"Content-Length: 6\r\n" + CHUNKED, b"0\r\n\r\n"),
    "TE.CL": posted(CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"),
    "two lengths": posted(b"Content-Length: 0\r\nContent-Length: 5\r\n", b""),
    "one length twice": posted(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"a=bcd"),
    "a list of lengths": posted(b"Content-Length: 5, 5\r\n", b"a=bcd"),
    "a signed length": posted(b"Content-Length: +5\r\n", b"a=bcd"),
    "a length with a mark": posted(b"Content-Length: 0_5\r\n", b"a=bcd"),
    "a length of wide digits": posted("Content-Length: ５\r\n".encode(), b"a=bcd"),
    "a space before the colon": posted(b"Content-Length : 5\r\n", b"a=bcd"),
    "the same of an encoding": posted(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "another encoding": posted(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "chunks within": posted(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "two encodings": posted(CHUNKED + b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "a vertical tab": posted(b"Transfer-Encoding:\x0bchunked\r\n", b"0\r\n\r\n"),
    "a folded field": posted(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "a carriage return in a field": posted(b"X: a\r" + CHUNKED, b"0\r\n\r\n"),
    "an extension that ends early": posted(CHUNKED, b"5;\na=bcd\r\n0\r\n\r\n"),
    "chunks without returns": posted(CHUNKED, b"5\na=bcd\n0\n\n"),
    "a chunk that says 0x": posted(CHUNKED, b"0x5\r\na=bcd\r\n0\r\n\r\n"),
    "a chunk longer than told": posted(CHUNKED, b"5\r\na=bcdXX0\r\n\r\n"),
    "a chunk without end": posted(CHUNKED, b"fffffffffffffffff\r\na=bcd\r\n0\r\n\r\n"),
    "a host behind the body": posted(CHUNKED, b"5\r\na=bcd\r\n0\r\nHost: evil.example\r\n\r\n"),
    "a head without returns": b"GET /health HTTP/1.1\nHost: localhost\n\n",
    "two hosts": b"GET /health HTTP/1.1\r\nHost: evil.example\r\n" + HOST + b"\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "many fields": b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 5000 + b"\r\n",
}


async def test_no_request_is_hidden_in_another(rig):
    for name, request in IN_DOUBT.items():
        answer = await sent(rig, request + NEXT)
        assert re.findall(STATUS, answer) == [b"400"], name


HOSTS = (
    (b"localhost", b"200"), (b"LOCALHOST:8444", b"200"), (b"127.0.0.1", b"200"),
    (b"evil.example", b"421"), (b"evil.example@localhost", b"421"), (b"localhost@evil.example", b"421"),
    (b"localhost/evil.example", b"421"), (b"localhost#.evil.example", b"421"), (b"localhost?x", b"421"),
    (b"localhost:8444:1", b"421"), (b"localhost:evil", b"421"), (b"localhost, evil.example", b"421"),
    (b"localhost.evil.example", b"421"), (b"evil.example\\@localhost", b"421"), (b"", b"421"),
)  # fmt: skip


async def test_a_host_is_a_name_and_a_port_and_no_other_field_says_it(rig):
    """Nor is any address of ours made of it: what an answer or a mail leads to is in the settings."""
    for host, status in HOSTS:
        request = b"GET /sign-in HTTP/1.1\r\nHost: " + host + b"\r\n" + CLOSE + b"\r\n"
        assert re.findall(STATUS, await sent(rig, request)) == [status], host
    others = b"X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nX-Original-URL: /terms\r\n"
    answer = await sent(rig, b"GET /profile HTTP/1.1\r\n" + HOST + CLOSE + others + b"\r\n")
    assert b"\r\nLocation: /sign-in?done=going\r\n" in answer
    answer = await sent(rig, b"GET http://evil.example/sign-in HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert re.findall(STATUS, answer) == [b"421"]


BEHIND_A_PROXY = {"trusted_proxies": (ipaddress.ip_network("127.0.0.0/8"),)}


def from_(address):
    return {"X-Forwarded-For": address}


async def guesses(rig, addresses):
    """How many wrong passwords were judged before they were too many, each from the next address."""
    for count, address in enumerate(addresses):
        page = await rig.browser(**from_(address)).sign_in(f"nobody{count}@example.org", "not the password")
        if page.status == 429:
            return count
    return None


async def test_who_has_many_addresses_uses_up_no_more_than_a_part(tmp_path, monkeypatch):
    """Of IPv6 every address is in a /48 of one holder, who cannot spend what everybody has together."""
    few = {"sign_in.block": LIMITS["sign_in.block"]._replace(burst=3)}
    monkeypatch.setattr(turnstile, "LIMITS", LIMITS | few)
    async with Rig(tmp_path, **BEHIND_A_PROXY) as rig:
        assert await guesses(rig, (f"2001:db8:5:{number:x}::1" for number in range(9))) == 3
        assert await guesses(rig, (f"2001:db8:{number:x}::1" for number in range(6, 11))) is None
        assert await guesses(rig, (f"192.0.2.{number}" for number in range(9))) is None


async def test_all_addresses_of_the_world_keep_no_known_browser_out(tmp_path, monkeypatch):
    few = {"sign_in.all": LIMITS["sign_in.all"]._replace(burst=4, every_s=3600)}
    async with Rig(tmp_path, **BEHIND_A_PROXY) as rig:
        ada = rig.browser(**from_("198.51.100.7"))
        await ada.join()
        await ada.sign_out()
        monkeypatch.setattr(turnstile, "LIMITS", LIMITS | few)
        assert await guesses(rig, (f"192.0.2.{number}" for number in range(9))) == 4
        assert (await rig.browser(**from_("203.0.113.1")).sign_in()).status == 429
        assert (await ada.sign_in()).path == "/routers"


async def test_nobody_behind_no_proxy_says_where_they_come_from(rig, monkeypatch):
    few = {"sign_in.address": LIMITS["sign_in.address"]._replace(burst=3)}
    monkeypatch.setattr(turnstile, "LIMITS", LIMITS | few)
    assert await guesses(rig, (f"192.0.2.{number}" for number in range(9))) == 3


ADA = "ada@example.org"
SAME = ("ADA@EXAMPLE.ORG", " ada@example.org\t", "ada@\uff45\uff58ample.org", "ada@example\uff0eorg")
OTHERS = (
    "\u0430da@example.org", "ada@ex\u0430mple.org", "a.da@example.org", "ada+x@example.org",
    "ada@example.org.",
)  # fmt: skip


async def test_addresses_that_are_one_have_one_account_and_look_alikes_have_none(rig, ada):
    """The first mean the same to whoever delivers; the others are somebody else's, however they look."""
    assert normal("\u212aim@example.org") == "kim@example.org"  # the sign of kelvin is a K
    assert normal("Rene\u0301@example.org") == normal("REN\u00c9@example.org")
    for email in SAME:
        assert (await rig.browser().sign_in(email)).path == "/sign-in/code", email
    for email in OTHERS:
        assert (await rig.browser().sign_in(email)).status == 422, email
        await rig.browser().post("/forgotten", email=email)
    assert {mail.recipient for mail in await rig.mails()} == {ADA}


async def test_of_two_who_sign_up_with_one_address_one_has_an_account(rig):
    """Each with a code of their own: whoever confirms first has it, and the other one is told no more."""
    first, second = rig.browser(), rig.browser()
    codes = []
    for browser in (first, second):
        await browser.sign_up(ADA)
        codes.append(code_in((await rig.mails(ADA))[0]))
    presses = (each.post("/confirm", code=code) for each, code in zip((first, second), codes, strict=True))
    assert [page.path for page in await asyncio.gather(*presses)].count("/security/choose") == 1
    async with rig.parts.database.read() as session:
        assert [account.email for account in await session.scalars(select(Account))] == [ADA]


async def test_what_was_used_at_one_moment_has_one_order(rig, ada):
    """A list that changes from page to page would have somebody end the wrong session."""
    for _ in range(5):
        await rig.browser().enter()
    account = await rig.parts.administration.find(ADA)
    found = [row.id for row in await rig.parts.sessions.of(account.id, rig.clock())]
    assert len(found) == 6 and found == sorted(found)
