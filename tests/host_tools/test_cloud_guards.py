"""What stands in front of every page: origin, host, form tokens, cookies, headers, the route table."""

import asyncio
import re
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

import pytest

from host_tools.cloud.accounts.challenges import CHALLENGE_S
from host_tools.cloud.pages import arriving, assets, over, routes
from host_tools.cloud.pages.guards import BROWSER_COOKIE, SESSION_COOKIE
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, PERSON, Rig
from tests.host_tools.test_cloud_passkeys import ask_to_make

README = Path(routes.__file__).parents[1] / "README.md"
PLACES = {
    "serial_number:[A-Za-z0-9._:-]{1,64}": "GL-0001",
    "serial_number": "GL-0001",
    "claim_id": "c1",
    "id": "a1",
    "file_id": "f1",
    "report_id": "r1",
    "token": "t1",
    "name": "logo.svg",
    "provider": "google",
}


def address(row):
    return re.sub(r"\{(serial_number:\[.*?\]\{1,64\}|\w+)\}", lambda place: PLACES[place[1]], row.path)


@pytest.mark.parametrize(
    "row", [row for row in routes.ROUTES if row.who == routes.ACCOUNT], ids=lambda row: row.method + row.path
)
async def test_a_page_of_an_account_leads_a_stranger_to_the_sign_in(rig, row):
    browser = rig.browser()
    if row.method == "GET":
        page = await browser.get(address(row))
    else:
        page = await browser.post(address(row), form_page="/sign-in")
    assert page.text == over.OVER if row.lasting else page.path == "/sign-in"


@pytest.mark.parametrize(
    "row",
    [row for row in routes.ROUTES if row.method == "POST" and row.who != routes.MACHINE],
    ids=lambda row: row.path,
)
async def test_no_form_is_taken_without_its_token(rig, row):
    browser = rig.browser()
    await browser.get("/sign-in")
    assert (await browser.post_raw(address(row), {"csrf": "0" * 64})).status == 403


@pytest.mark.parametrize(
    "row", [row for row in routes.ROUTES if row.who == routes.MACHINE], ids=lambda row: row.path
)
async def test_where_machines_ask_no_cookie_is_read_or_set(rig, row):
    browser = rig.browser()
    await browser.join()
    seen = []
    for asker in (browser, rig.browser()):
        url = rig.server.make_url(address(row))
        async with asker._session.request(row.method, url, allow_redirects=False) as answer:
            seen.append((answer.status, await answer.text()))
            assert "Set-Cookie" not in answer.headers
    assert seen[0] == seen[1]


async def test_a_form_token_of_another_browser_is_refused(rig):
    mine, theirs = rig.browser(), rig.browser()
    token = (await theirs.get("/sign-up")).csrf
    await mine.get("/sign-up")
    assert (await mine.post_raw("/sign-up", {"csrf": token, **PERSON})).status == 403


async def test_a_form_token_from_before_the_sign_in_is_refused_after_it(rig):
    browser = rig.browser()
    token = (await browser.get("/sign-in")).csrf
    await browser.join()
    assert (await browser.post_raw("/sign-out", {"csrf": token})).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_post(rig, headers):
    browser = rig.browser()
    assert (await browser.post("/sign-in", headers=headers, email="a@b.cc", password="x")).status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8444", "", "[", "127.0.0.1@evil.example"]
)
async def test_a_name_that_is_not_ours_is_not_answered(rig, host):
    assert (await rig.browser().get("/sign-in", headers={"Host": host})).status in (400, 421)


async def test_cookies_are_bound_to_this_host_and_kept_from_scripts(rig):
    browser = rig.browser()
    await browser.sign_up()
    mail = (await rig.mails())[0]
    form = await browser.get("/confirm")
    fields = {"csrf": form.csrf, "code": re.search(r"\d{6}", mail.body)[0]}
    answer = await browser.post_raw("/confirm", fields, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(SESSION_COOKIE + "=") and SESSION_COOKIE.startswith("__Host-")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


async def test_a_browser_keeps_the_cookie_that_it_has(rig):
    browser = rig.browser()
    assert BROWSER_COOKIE in (await browser.get("/sign-in")).headers["Set-Cookie"]
    assert "Set-Cookie" not in (await browser.get("/sign-in")).headers


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/nowhere", "/health", "/static/cloud.css"])
async def test_every_answer_carries_the_security_headers(rig, path):
    headers = (await rig.browser().get(path)).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"  # with "no-referrer" our own forms come from "null"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in headers


async def test_a_public_name_is_only_ever_spoken_to_over_tls(tmp_path):
    async with Rig(tmp_path, public_url="https://account.example.org") as rig:
        headers = (await rig.browser().get("/sign-in", headers={"Host": "account.example.org"})).headers
        assert headers["Strict-Transport-Security"].startswith("max-age=")


async def test_no_page_holds_a_style_or_a_script_of_its_own(rig):
    browser = rig.browser()
    await browser.join()
    _, added = await browser.enrol()
    await browser.get("/security/authenticators/add")
    paths = (
        "/routers",
        "/routers/register",
        "/security",
        "/security/authenticators/add",
        "/security/sessions",
        "/security/log",
        "/security/password",
        "/security/choose",
        "/terms",
        "/outbox",
    )
    pages = [added] + [await browser.get(path) for path in paths]
    for page in pages:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>|javascript:", page.text), page.path


def test_no_two_scripts_of_a_page_declare_the_same_name():
    """The browser would run none of the second: they share one scope."""
    of_service_worker = "service-worker.js"
    found = [
        name
        for asset in assets.OWN
        if asset.endswith(".js") and asset != of_service_worker
        for name in re.findall(
            r"^(?:const|let|class|(?:async )?function\*?) +(\w+)",
            files("host_tools.cloud.pages").joinpath("static", asset).read_text(),
            re.MULTILINE,
        )
    ]
    assert len(found) > 20
    assert sorted(found) == sorted(set(found))


async def test_what_a_person_typed_is_shown_as_text(rig):
    page = await rig.browser().sign_up(first_name='"><script>alert(1)</script>', email="nonsense")
    assert "<script>alert" not in page.text


async def test_a_form_that_is_too_large_is_refused(rig):
    browser = rig.browser()
    assert (await browser.post("/sign-in", email="a" * 100_000, password="x")).status == 413


@pytest.mark.parametrize(
    "kind, body",
    [
        ("application/x-www-form-urlencoded; charset=nonsense", "csrf=1"),
        ("application/x-www-form-urlencoded; charset=unicode_escape", "csrf=\\ud800"),
        ("multipart/form-data", "hello"),
        ("multipart/form-data; boundary=x", "hello"),
        ("", ""),
    ],
)
async def test_a_form_in_no_encoding_of_ours_is_refused_and_not_logged(rig, caplog, kind, body):
    page = await rig.browser().post_raw("/sign-in", body, {"Content-Type": kind})
    assert page.status == 403
    assert "failed" not in caplog.text


async def test_headers_that_are_no_text_are_no_fault_of_ours(rig):
    noise = b"\xff\xfe".decode("utf-8", "surrogateescape")
    async with socket_to(rig) as (reader, writer):
        cookie = f"Cookie: __Host-cloud-browser={noise}; __Host-cloud-session={noise}\r\n"
        head = f"GET /sign-in HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {noise}\r\n{cookie}\r\n"
        writer.write(head.encode("utf-8", "surrogateescape"))
        assert b" 200 " in await reader.readline()


async def test_a_form_that_does_not_arrive_is_given_up(rig, monkeypatch):
    monkeypatch.setattr(arriving, "TIMEOUT_S", 0.05)
    async with socket_to(rig) as (reader, writer):
        kind = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n"
        writer.write(f"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{kind}\r\ncsrf=".encode())
        assert b" 408 " in await reader.readline()


async def late(rig, browser, path, fields, meanwhile):
    """A form whose head arrives, and its body once something else was done: the answer's head."""
    url = rig.server.make_url(path)
    cookies = browser._session.cookie_jar.filter_cookies(url)
    sent = "; ".join(f"{each.key}={each.value}" for each in cookies.values())
    body = urlencode(fields)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {sent}\r\nConnection: close\r\n"
    kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    looked, read = asyncio.Event(), arriving.posted

    async def posted(request):
        looked.set()
        return await read(request)

    arriving.posted = posted
    try:
        async with socket_to(rig) as (reader, writer), asyncio.timeout(PATIENCE_S):
            writer.write(f"{head}{kind}\r\n".encode())
            await looked.wait()
            await meanwhile()
            writer.write(body.encode())
            return (await reader.read()).decode()
    finally:
        arriving.posted = read


async def test_a_form_that_comes_late_is_judged_when_it_has_come(rig):
    """Else a code of the authenticator would live as long again as a body may take."""
    ada, other = rig.browser(), rig.browser()
    await ada.join()
    totp, _ = await ada.enrol()
    rig.clock.now += 3600
    form = await other.sign_in()
    code = totp.at(int(rig.clock()))

    async def wait():
        rig.clock.now += 61

    fields = {"csrf": form.csrf, "way": "authenticator", "code": code}
    assert " 422 " in (await late(rig, other, "/sign-in/code", fields, wait)).partition("\r\n")[0]
    assert (await other.get("/routers")).path == "/sign-in"


async def test_a_passkey_that_comes_late_is_judged_when_it_has_come(rig):
    """Else what was asked for five minutes would be good for as long as a body may take."""
    await (ada := rig.browser()).join()
    key = SoftPasskey(rig.settings.public_url, sign_count=1)
    credential = key.create(await ask_to_make(ada))
    form = await ada.get("/security/passkeys/add")

    async def wait():
        rig.clock.now += CHALLENGE_S + 1

    fields = {"csrf": form.csrf, "name": "My phone", "credential": credential}
    assert " 422 " in (await late(rig, ada, "/security/passkeys/finish", fields, wait)).partition("\r\n")[0]
    assert "My phone" not in (await ada.get("/security")).text


async def test_a_form_that_comes_after_the_end_of_its_session_does_nothing(rig):
    """Else a thief's form, begun before, would add a passkey and put the owner out."""
    owner, thief = rig.browser(), rig.browser()
    await owner.join()
    await thief.enter()
    form = await thief.get("/security/password")
    fields = {"csrf": form.csrf, "password": PASSWORD, "new_password": "a lantern at the ford"}

    async def end():
        await owner.post("/security/sessions/end-others", form_page="/security/sessions", password=PASSWORD)
        rig.clock.now += 25

    answer = await late(rig, thief, "/security/password", fields, end)
    assert " 303 " in answer.partition("\r\n")[0] and "Location: /sign-in" in answer
    assert (await owner.get("/security")).path == "/security"
    assert (await rig.browser().sign_in(password=PASSWORD)).path == "/sign-in/code"


@asynccontextmanager
async def socket_to(rig):
    """A connection to the portal below HTTP: (reader, writer)."""
    reader, writer = await asyncio.open_connection(rig.server.host, rig.server.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_the_outbox_is_there_in_development(rig):
    page = await rig.browser().get("/outbox")
    assert page.status == 200 and "No message yet" in page.text


@pytest.mark.parametrize("path", ["/outbox", "/outbox.json"])
async def test_the_outbox_is_not_there_otherwise(tmp_path, path):
    async with Rig(tmp_path, development=False) as rig:
        assert (await rig.browser().get(path)).status == 404


async def test_the_outbox_is_not_shown_to_a_router_on_this_computer(rig):
    assert (await rig.browser().get("/outbox", headers={"Host": "10.0.2.2:8444"})).status == 404


async def test_a_fault_of_ours_is_a_page_without_details(rig, monkeypatch, caplog):
    async def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(rig.parts.sign_ups, "pending", broken)
    page = await rig.browser().get("/confirm")
    assert page.status == 500 and "secret detail" not in page.text
    assert "GET /confirm failed" in caplog.text


def test_every_route_is_in_the_readme():
    documented = README.read_text()
    rows = routes.ROUTES + routes.SITE_ROUTES
    missing = [row.path for row in rows if f"`{tail_of(row.path)}`" not in documented]
    assert missing == []


def tail_of(path):
    """A router's pages are listed by what follows its address."""
    return path.removeprefix(routes.ROUTER) or "/routers/{serial_number}"


async def test_health_says_ready(rig):
    assert '"ready"' in (await rig.browser().get("/health")).text
