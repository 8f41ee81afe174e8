"""A hostile person at the served cloud: its cookies, live lines, late bodies, and browsers at three ports."""

import asyncio
import contextlib
import re
import sqlite3
from urllib.parse import urlencode

import pytest

from host_tools.cloud.api.scopes import ROUTERS_WRITE
from host_tools.cloud.pages.over import OVER
from host_tools.cloud.pages.routes import DEVELOPMENT_ROUTES, ROUTES, SITE_ROUTES
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S
from tests.host_tools.served_rig import (
    ACCOUNT,
    HELP,
    PORTAL,
    SITES,
    browsers,  # noqa: F401 - a fixture
    cookies_of,
    enter_all,
    get,
    head_of,
    headers_of,
    served,  # noqa: F401 - a fixture
    statuses,
)
from tests.host_tools.site_rig import fetch
from tests.host_tools.test_cloud_api import token_of
from tests.host_tools.test_cloud_passkeys import ask_to_make

SESSION = {ACCOUNT: "__Host-cloud-session", PORTAL: "__Host-portal-session", HELP: "__Host-help-session"}
BROWSER = {ACCOUNT: "__Host-cloud-browser", PORTAL: "__Host-portal-browser", HELP: "__Host-help-browser"}
PAGE = {ACCOUNT: "/profile", PORTAL: "/routers", HELP: "/help"}
NEXT_PASSWORD = "a lantern at the ford"


@pytest.fixture
async def ada(served, browsers):  # noqa: F811
    """A new person at all three sites."""
    ada = browsers()
    served.people = getattr(served, "people", 0) + 1
    ada.email = f"ada{served.people}@example.org"
    await ada.join(ada.email)
    await enter_all(served, ada)
    return ada


async def opens(served, site, cookies):  # noqa: F811
    """Whether the site's page is answered, and not the way to the sign-in."""
    answer = await served.raw(site, get(PAGE[site], "localhost", cookies))
    [status] = statuses(answer)
    assert status in (200, 303)
    return status == 200


async def test_a_session_of_one_site_opens_no_other(served, ada):  # noqa: F811
    """Cookies know no ports: a browser sends each to all three."""
    held = {each.key: each.value for each in ada._session.cookie_jar}
    for site in SITES:
        assert await opens(served, site, cookies_of(ada))
        assert await opens(served, site, cookies_of(ada, SESSION[site]))
        for other in set(SITES) - {site}:
            assert not await opens(served, site, cookies_of(ada, SESSION[other], BROWSER[site]))
            swapped = f"Cookie: {SESSION[site]}={held[SESSION[other]]}; {BROWSER[site]}={held[BROWSER[site]]}"
            assert not await opens(served, site, swapped)


async def test_a_form_of_one_site_is_none_of_another(served, ada):  # noqa: F811
    """Nor does a page of one of our own ports act at another: same site, but not the same origin."""
    for site in SITES:
        page = await fetch(ada, served.url[site] + PAGE[site])
        for other in set(SITES) - {site}:
            body = urlencode({"csrf": page.csrf, "language": "de"})
            for fields in ((), (f"Origin: {served.url[site]}",), ("Sec-Fetch-Site: same-site",)):
                head = head_of("/language", len(body), cookies_of(ada), *fields)
                assert statuses(await served.raw(other, head + body.encode())) == [403], (site, other, fields)


async def test_nobody_chooses_the_session_that_another_one_gets(served, browsers, ada):  # noqa: F811
    """What a browser had before it signed in, from whichever port, is not taken over, and opens nothing."""
    theirs = browsers()
    chosen = dict.fromkeys((*SESSION.values(), *BROWSER.values()), "A" * 43)
    theirs._session.cookie_jar.update_cookies(chosen, served.make_url("/"))
    await theirs.enter(ada.email)
    await enter_all(served, theirs)
    held = {each.key: each.value for each in theirs._session.cookie_jar}
    for site in SITES:
        assert held[SESSION[site]] != chosen[SESSION[site]]
        assert not await opens(served, site, f"Cookie: {SESSION[site]}={chosen[SESSION[site]]}")


async def over(served, site, cookies):  # noqa: F811
    """Wait for it: the account's word to the other sites is on its way."""
    async with asyncio.timeout(PATIENCE_S):
        while await opens(served, site, cookies):
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def live_lines(served, browser):  # noqa: F811
    """Within it, `ended()` waits until every live line of the browser, at each port, is over."""
    paths = [(site, "/notices/live") for site in SITES] + [(PORTAL, "/routers/live")]
    async with contextlib.AsyncExitStack() as stack:
        readers = []
        for site, path in paths:
            reader, writer = await stack.enter_async_context(served.line(site))
            writer.write(get(path, "localhost", cookies_of(browser)))
            await reader.readuntil(b"data: ")
            readers.append(reader)

        async def ended():
            return await asyncio.gather(*(reader.read() for reader in readers))

        yield ended


async def sign_out(served, ada, other):  # noqa: F811
    await ada.sign_out()


async def end_from_elsewhere(served, ada, other):  # noqa: F811
    page = "/security/sessions"
    assert (await other.post(page + "/end-others", form_page=page, password=PASSWORD)).path == page


async def change_password(served, ada, other):  # noqa: F811
    page = await other.post("/security/password", password=PASSWORD, new_password=NEXT_PASSWORD)
    assert page.path == "/security"


async def disable(served, ada, other):  # noqa: F811
    """By the operator's verb, in a process of its own."""
    await asyncio.to_thread(served.operator, "disable", "--reason", "stolen", ada.email)


async def delete(served, ada, other):  # noqa: F811
    """As the end of the fortnight does, in a process of its own."""
    opened = sqlite3.connect(served.data / "cloud.db", timeout=PATIENCE_S)
    with contextlib.closing(opened) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        assert database.execute("DELETE FROM accounts WHERE email = ?", (ada.email,)).rowcount == 1


@pytest.mark.parametrize("end", [sign_out, end_from_elsewhere, change_password, disable, delete])
async def test_the_end_of_a_session_ends_it_at_every_port_and_its_live_lines(served, browsers, ada, end):  # noqa: F811
    other = browsers()
    await other.enter(ada.email)
    before = cookies_of(ada)
    async with live_lines(served, ada) as ended:
        await end(served, ada, other)
        for rest in await ended():
            assert ada.email.encode() not in rest
    for site in SITES:
        await over(served, site, before)
        assert OVER.encode() in await served.raw(site, get("/notices/live", "localhost", before))


async def late(served, path, fields, meanwhile, *headers, site=ACCOUNT):  # noqa: F811
    """A request whose body is sent after the server has asked for it, and something else was done."""
    body = urlencode(fields).encode()
    async with served.line(site) as (reader, writer):
        writer.write(head_of(path, len(body), *headers, "Expect: 100-continue"))
        assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
        await meanwhile()
        writer.write(body)
        return await reader.read()


async def test_a_passkey_that_comes_after_the_end_of_its_session_is_not_kept(served, browsers, ada):  # noqa: F811
    """Else a thief's request, begun before the owner ended it, would let them in for ever."""
    thief = browsers()
    await thief.enter(ada.email)
    key = SoftPasskey(served.url[ACCOUNT], sign_count=1)
    fields = {"name": "Mine", "credential": key.create(await ask_to_make(thief))}
    fields["csrf"] = (await thief.get("/security/passkeys/add")).csrf

    async def end():
        await end_from_elsewhere(served, thief, ada)

    answer = await late(served, "/security/passkeys/finish", fields, end, cookies_of(thief))
    assert statuses(answer) == [303] and headers_of(answer)["location"] == "/sign-in"
    assert "Mine" not in (await ada.get("/security")).text


async def test_a_form_that_comes_after_the_end_of_its_session_does_nothing_at_any_port(served, browsers, ada):  # noqa: F811
    for site in (PORTAL, HELP):
        form = await fetch(ada, served.url[site] + PAGE[site])
        before = cookies_of(ada)

        async def end(site=site, before=before):
            await ada.sign_out()
            await over(served, site, before)

        answer = await late(served, "/sign-out", {"csrf": form.csrf}, end, before, site=site)
        assert statuses(answer) == [303] and headers_of(answer)["location"] == "/sign-in", site
        await ada.enter(ada.email)
        await enter_all(served, ada)


async def test_a_token_that_is_revoked_while_a_body_comes_does_nothing(served, ada):  # noqa: F811
    token = await token_of(ada, ROUTERS_WRITE)
    revoke = re.search(r"/security/tokens/[^/]+/revoke", (await ada.get("/security/tokens")).text)[0]

    async def end():
        await ada.post(revoke, form_page="/security/tokens")

    path, bearer = "/api/v1/routers/GL-0001/restarts", f"Authorization: Bearer {token}"
    assert statuses(await late(served, path, {"a": "b"}, lambda: asyncio.sleep(0), bearer)) == [404]
    assert statuses(await late(served, path, {"a": "b"}, end, bearer)) == [401]


async def test_people_who_share_a_line_share_nothing_else(served, browsers, ada):  # noqa: F811
    """As behind a proxy that sends all requests over one connection, each before the last was answered."""
    eve = browsers()
    eve.email = ada.email.replace("ada", "eve")
    await eve.join(eve.email)
    asked = (ada, None, eve, ada, None, eve)
    requests = []
    for each in asked:
        cookies = (cookies_of(each),) if each else ()
        requests.append(get("/profile", "localhost", *cookies).replace(b"Connection: close\r\n", b""))
    answers = await served.raw(ACCOUNT, b"".join(requests) + get("/terms"))
    *parts, last = re.split(rb"(?=HTTP/1\.1 \d)", answers)[1:]
    for each, part in zip(asked, parts, strict=True):
        assert statuses(part) == [200 if each else 303]
        for other in (ada, eve):
            assert (other.email.encode() in part) == (other is each)
        assert b"session=" not in headers_of(part).get("set-cookie", "").__str__().encode()
    assert statuses(last) == [200]


ELSEWHERE = (
    "//evil.example", "https://evil.example/routers", "/routers@evil.example", "/routers\\evil.example",
    "/routers/?x=//evil.example", "/routers/\t//evil.example", "/routers.evil.example", "/helpful",
)  # fmt: skip


@pytest.mark.parametrize("site", (PORTAL, HELP))
async def test_a_sign_in_leads_back_to_its_own_site_whatever_it_was_asked(served, browsers, ada, site):  # noqa: F811
    """To its first page, where the address was none of its own."""
    own = (SESSION[ACCOUNT], BROWSER[ACCOUNT])
    cookies = {each.key: each.value for each in ada._session.cookie_jar if each.key in own}
    browser = browsers()
    for to in ELSEWHERE:
        browser._session.cookie_jar.clear()
        browser._session.cookie_jar.update_cookies(cookies, served.make_url("/"))
        page = await fetch(browser, f"{served.url[site]}/sign-in?{urlencode({'to': to})}")
        assert (page.status, str(page.url)) == (200, served.url[site] + PAGE[site]), to


FIXED = {
    "Server": "gatelodge", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
ROWS = {
    (row.method, re.sub(r"\{\w+\}", "x", row.path)) for row in (*ROUTES, *SITE_ROUTES, *DEVELOPMENT_ROUTES)
}
ODD = (("GET", "/nowhere"), ("OPTIONS", "/api/v1/account"), ("TRACE", "/"), ("HEAD", "/sign-in"))
FOR_ALL = ("/static/x", "/service-worker.js")  # may be kept: nothing of a person is in it


def assert_guarded(headers, where):
    assert {name: headers.get(name) for name in FIXED} == FIXED, where
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "frame-ancestors 'none'" in policy, where
    assert "unsafe" not in policy and "*" not in policy, where
    assert not [name for name in headers if name.startswith("Access-Control-")], where


@pytest.mark.parametrize("site", SITES)
async def test_every_answer_of_every_route_bears_its_headers(served, browsers, ada, site):  # noqa: F811
    """Signed in or not, and where something is refused. What is of a person is kept nowhere."""
    another = {"Origin": "https://evil.example"}
    for browser in (ada, browsers()):
        for method, path in (*sorted(ROWS - {("POST", "/sign-out")}), *ODD):
            asked = browser._session.request(
                method, served.url[site] + path, headers=another, allow_redirects=False
            )
            async with asked as answer:
                where = f"{method} {path} at {site}"
                assert_guarded(answer.headers, where)
                assert path in FOR_ALL or answer.headers["Cache-Control"] == "no-store", where
                assert answer.status < 500, where
