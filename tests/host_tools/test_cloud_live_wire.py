"""Strangers at the three ports of the served cloud, under its public names, with a proxy that it trusts: what
is no request, what can be read in two ways, other hosts' names, and who says where they come from."""

import json
import re

import pytest

from tests.host_tools.cloud_rig import PERSON
from tests.host_tools.served_rig import (
    ACCOUNT,
    HELP,
    NAMES,
    PORTAL,
    SITES,
    browsers,  # noqa: F401 - a fixture
    get,
    head_of,
    headers_of,
    served,  # noqa: F401 - a fixture
    statuses,
)
from tests.host_tools.test_cloud_attacks import IN_DOUBT, NEXT

HOSTS = NAMES
OPTIONS = ("--trusted-proxy", "127.0.0.0/8")

NO_HTTP = {
    "nonsense": b"SECRET\r\n\r\n",
    "TLS within": b"\x16\x03\x01\x02\x00\x01SECRET",
    "a method that is none": b"G(T /SECRET HTTP/1.1\r\n\r\n",
    "another version": b"GET /SECRET HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "a long line": b"GET /" + b"SECRET" * 2000 + b" HTTP/1.1\r\n\r\n",
    "a long field": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"SECRET" * 2000 + b"\r\n\r\n",
    "many fields": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: SECRET\r\n" * 1000 + b"\r\n",
}


@pytest.mark.parametrize("site", SITES)
async def test_what_is_no_request_is_told_nothing_of_us_and_kept_by_nobody(served, site):  # noqa: F811
    for name, data in NO_HTTP.items():
        answer = await served.raw(site, data)
        headers = headers_of(answer)
        assert statuses(answer) == [400], name
        assert headers["server"] == "gatelodge" and headers["cache-control"] == "no-store", name
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY", name
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains", name
        assert "frame-ancestors 'none'" in headers["content-security-policy"], name
        assert not re.search(rb"(?i)secret|aiohttp|python", answer), name
    assert "SECRET" not in served.log()


@pytest.mark.parametrize("site", SITES)
async def test_no_request_is_hidden_in_another_at_any_port(served, site):  # noqa: F811
    for name, request in IN_DOUBT.items():
        assert statuses(await served.raw(site, request + NEXT)) == [400], name


async def test_each_port_has_its_own_name_and_says_no_other(served):  # noqa: F811
    for site in SITES:
        own = NAMES[site]
        others = {name for name in NAMES.values() if name != own} | {
            "evil.example", f"{own}.evil.example", f"{own}@evil.example", f"evil.example@{own}", f"{own}:1:2",
            f"{own}:evil", f"{own}, evil.example", f"{own}.", "[::1", "",
        }  # fmt: skip
        for host in (own, own.upper(), f"{own}:{served.port[site]}", "localhost"):
            assert statuses(await served.raw(site, get("/health", host))) == [200], host
        for host in sorted(others):
            assert statuses(await served.raw(site, get("/health", host))) == [421], host
        for target in ("http://evil.example/health", "https://evil.example/health"):
            assert statuses(await served.raw(site, get(target, own))) == [421], target


FORGED = (
    "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X-Forwarded-Port: 1",
    "X-Host: evil.example", "Forwarded: for=127.0.0.1;host=evil.example;proto=http",
    "X-Original-URL: //evil.example/",
    "X-Rewrite-URL: //evil.example/", "X-HTTP-Method-Override: DELETE",
)  # fmt: skip


async def test_no_field_of_a_request_becomes_an_address_of_ours(served, browsers):  # noqa: F811
    """Neither where an answer leads, nor what the provider says of itself, nor a link in a mail."""
    for host in (NAMES[ACCOUNT], "localhost"):
        answer = await served.raw(ACCOUNT, get("/.well-known/openid-configuration", host, *FORGED))
        found = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert found["issuer"] == served.url[ACCOUNT]
        assert all(
            value.startswith(served.url[ACCOUNT]) for name, value in found.items() if "endpoint" in name[-8:]
        )
        answer = await served.raw(ACCOUNT, get("/profile", host, *FORGED))
        assert headers_of(answer)["location"].partition("?")[0] == "/sign-in"
        assert b"evil" not in answer and b"Domain=" not in answer
        answer = await served.raw(ACCOUNT, get("/help/new", host, *FORGED))
        assert headers_of(answer)["location"] == served.url[HELP] + "/help/new"
    ada = browsers(**dict(field.split(": ", 1) for field in FORGED))
    await ada.post("/sign-up", **{**PERSON, "email": "ada@example.org"})
    mail = (await served.mails("ada@example.org"))[0]
    links = re.findall(r"\w+://\S+", mail.body)
    assert links and all(link.startswith(served.url[ACCOUNT] + "/") for link in links)


ODD_PATHS = (
    "//evil.example/", "///evil.example", "/\\evil.example", "/%5cevil.example", "/%2f%2fevil.example",
    "/help//evil.example", "/help/%2f%2fevil.example", "/help/%0d%0aLocation:%20evil.example",
    "/help/x%3f@evil.example", "/routers/@evil.example", "/routers/%2e%2e%2f%2fevil.example",
    "/undo/%2f%2fevil.example", "/waiting/https:evil.example", "/confirm/link/%5c%5cevil.example",
    "/sign-in?to=//evil.example", "/oidc/logout?post_logout_redirect_uri=https://evil.example/",
    "/oidc/authorize?client_id=portal&redirect_uri=https://evil.example/",
    "/security/prove?next=//evil.example",
    "/help/;@evil.example", "/desk/\tevil.example", "/routers/register/..//evil.example",
)  # fmt: skip


async def test_no_odd_path_leads_out_of_our_names(served):  # noqa: F811
    """`Location` is a path of one slash, or begins with one of our addresses and a slash after it."""
    own = "|".join(map(re.escape, served.url.values()))
    ours = re.compile(rf"({own}|(?=/[^/\\]|/$))(/[!-~]*)?")
    for site in SITES:
        for path in ODD_PATHS:
            answer = await served.raw(site, get(path, NAMES[site]))
            headers = headers_of(answer)
            assert statuses(answer)[0] < 500 or site != ACCOUNT, path
            location = headers.get("location", "/")
            assert isinstance(location, str) and ours.fullmatch(location), (site, path, location)
            assert "refresh" not in headers and b"url=https://evil" not in answer, path


BODIES = {
    "packed": (("Content-Encoding: gzip",), b"a=b"),
    "no UTF-8": ((), b"logout_token=\xff"),
    "half a letter": ((), b"logout_token=%ed%a0&grant_type=%ff"),
    "NUL": ((), b"logout_token=%00&client_id=%00"),
    "a long one": ((), b"a" * 70_000),
    "many fields": ((), b"a=b&" * 15_000),
    "nothing": ((), b""),
}
KINDS = {
    "another charset": "application/x-www-form-urlencoded; charset=utf-16",
    "no charset": "application/x-www-form-urlencoded; charset=nonsense",
    "parts": "multipart/form-data; boundary=x",
    "JSON": "application/json",
}
MACHINES = {
    ACCOUNT: ("token", "par", "revoke", "device", "userinfo", "authorize", "logout"),
    PORTAL: (), HELP: (),
}  # fmt: skip


@pytest.mark.parametrize("site", SITES)
async def test_no_body_for_a_machine_is_a_fault_of_ours(served, site):  # noqa: F811
    """Nobody needs to be anybody to send them, and each fault would fill the log with its trace."""
    paths = [f"/oidc/{name}" for name in MACHINES[site]] or ["/backchannel-logout"]
    for path in (*paths, "/api/v1/routers/x/restarts"):
        asked = [head_of(path, len(body), *more, host=NAMES[site]) + body for more, body in BODIES.values()]
        asked += [head_of(path, 3, kind=kind, host=NAMES[site]) + b"a=\xff" for kind in KINDS.values()]
        head = head_of(path, 3, host=NAMES[site]).replace(b"Content-Length: 3", b"Transfer-Encoding: chunked")
        asked.append(head + b"zz\r\n")
        for request in asked:
            answer = await served.raw(site, request)
            assert statuses(answer) and statuses(answer)[0] < 500, (path, request[:300])
    assert "Traceback" not in served.log()


async def test_who_comes_through_the_proxy_is_not_on_this_computer(served):  # noqa: F811
    """Whatever they write before what the proxy appends, the outbox is not there."""
    assert statuses(await served.raw(ACCOUNT, get("/outbox"))) == [200]
    for said in ("203.0.113.7", "127.0.0.1, 203.0.113.7", "::1,203.0.113.7", "127.0.0.1%eth0, 203.0.113.7"):
        assert statuses(
            await served.raw(ACCOUNT, get("/outbox", "localhost", f"X-Forwarded-For: {said}"))
        ) == [404]
    two = ("X-Forwarded-For: 127.0.0.1", "X-Forwarded-For: 203.0.113.7")
    assert statuses(await served.raw(ACCOUNT, get("/outbox", "localhost", *two))) == [404]
    assert statuses(await served.raw(ACCOUNT, get("/outbox", NAMES[ACCOUNT]))) == [404]
