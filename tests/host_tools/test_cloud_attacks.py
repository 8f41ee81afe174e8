"""What a hostile visitor tries, a row each: cookies that are not ours, requests that can be read in two ways.

Each row goes over a socket as it stands, for no HTTP client would send it.
"""

import asyncio
import re

from host_tools.cloud.pages.guards import BROWSER_COOKIE, SESSION_COOKIE
from tests.host_tools.cloud_rig import PATIENCE_S

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
    assert b"\r\nLocation: /sign-in\r\n" in answer
    answer = await sent(rig, b"GET http://evil.example/sign-in HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert re.findall(STATUS, answer) == [b"421"]
