"""The help centre at its own address: a client of the provider, with the sessions and the attacks of one."""

import asyncio
import re
import time

import aiohttp
import pytest

from host_tools.cloud.oidc import logins
from host_tools.cloud.oidc.described import Described, WrongClient
from host_tools.cloud.oidc.logins import EVENT
from host_tools.cloud.outside.identity import Unbelievable
from host_tools.cloud.pages import live
from host_tools.cloud.sites import sessions
from host_tools.cloud.sites.client import check_logout
from host_tools.cloud.sites.kinds import HELP, PORTAL
from tests.host_tools import site_rig
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S
from tests.host_tools.site_rig import answered, fetch, onward, own_origins, pushed, send

ASKED = {"subject": "No internet", "router": "", "text": "It stopped on Monday."}
CLIENT_ID, SESSION_COOKIE, QUESTION_COOKIE = HELP.client_id, HELP.session_cookie, HELP.question_cookie
SIGNED_OUT = "You are signed out of the help centre"


@pytest.fixture
async def rig(tmp_path):
    async with own_origins(tmp_path, HELP) as rig:
        yield rig


async def asked(rig, browser):
    return await site_rig.asked(rig, browser, HELP)


def cookies(browser):
    return {cookie.key: cookie.value for cookie in browser._session.cookie_jar}


async def is_in(rig, browser):
    """Whether the help centre knows the browser, without asking the portal."""
    page = await fetch(browser, rig.url["help"] + "/help", allow_redirects=False)
    return page.status == 200


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_who_is_signed_in_at_the_portal_passes_in_silence_to_where_they_were_going(rig, ada):
    page = await fetch(ada, rig.url["help"] + "/help/new")
    assert str(page.url) == rig.url["help"] + "/help/new" and "Write to support" in page.text
    assert SESSION_COOKIE in cookies(ada) and QUESTION_COOKIE not in cookies(ada)
    page = await send(ada, rig.url["help"] + "/help/new", page.csrf, **ASKED)
    assert page.status == 200 and "It stopped on Monday." in page.text


@pytest.mark.parametrize("no_exceptions", [False, True])
async def test_it_is_strict_wherever_it_signs_people_in(tmp_path, no_exceptions):
    """It pushes what it asks, proves itself by its key, and has its tokens bound: ASVS level 3."""
    async with own_origins(tmp_path, HELP, strict_applications=no_exceptions) as rig:
        ada = rig.browser()
        await ada.join()
        _, fields = await asked(rig, ada)
        assert set(fields) == {"client_id", "request_uri"}
        assert not (await rig.parts.oidc.clients.find(CLIENT_ID)).plain
        page = await fetch(ada, rig.url["help"] + "/help/new")
        assert "Write to support" in page.text


async def test_who_is_not_signs_in_at_the_portal_and_nowhere_else(rig, ada):
    stranger = rig.browser()
    page = await fetch(stranger, rig.url["help"] + "/help")
    assert str(page.url).startswith(rig.settings.public_url + "/sign-in")
    page = await stranger.enter()
    assert rig.url["help"] + "/signed-in?code=" in page.text  # on by itself: a form leads to no other site
    await fetch(stranger, onward(page))
    assert await is_in(rig, stranger)


async def test_the_portal_leads_old_addresses_to_the_help_centre_and_takes_no_form_of_it(rig, ada):
    page = await fetch(ada, rig.settings.public_url + "/help/new")
    assert str(page.url) == rig.url["help"] + "/help/new"
    assert (await ada.post("/help/new", form_page="/profile", **ASKED)).status in (404, 405)
    assert rig.parts.desk._url == rig.url["help"]  # what mails link to


async def test_the_help_centre_has_no_other_page_of_the_portal(rig, ada):
    assert await fetch(ada, rig.url["help"] + "/help")
    for path in ("/routers", "/security", "/profile", "/oidc/authorize", "/api/v1/account", "/outbox"):
        assert (await fetch(ada, rig.url["help"] + path)).status == 404, path
    page = await fetch(ada, rig.url["help"] + "/help")
    assert f'href="{rig.settings.public_url}/routers"' in page.text


async def test_a_session_of_the_one_is_none_of_the_other(rig, ada):
    await fetch(ada, rig.url["help"] + "/help")
    held = cookies(ada)
    thief = rig.browser()
    thief._session.cookie_jar.update_cookies({"__Host-cloud-session": held[SESSION_COOKIE]})
    page = await fetch(thief, rig.settings.public_url + "/routers", allow_redirects=False)
    assert page.status == 303
    other = {"Cookie": f"{SESSION_COOKIE}={held['__Host-cloud-session']}"}
    page = await fetch(rig.browser(), rig.url["help"] + "/help", headers=other, allow_redirects=False)
    assert page.status == 303


async def test_signing_out_at_the_portal_ends_it_behind_the_browsers_back(rig, ada):
    await fetch(ada, rig.url["help"] + "/help")
    assert await is_in(rig, ada)
    await ada.sign_out()

    async def out():
        return not await is_in(rig, ada)

    await until(out)


async def test_whatever_ends_a_session_is_told_and_shown_without_delay(rig, ada, monkeypatch):
    """Nobody looks again within the test: without the word, a live line of the site would go on for hours."""
    monkeypatch.setattr(live, "EVERY_S", 3600)
    monkeypatch.setattr(logins, "LOOK_S", 3600)
    rig.parts.oidc.logins.wake()  # from here on it waits so long
    await (other := rig.browser()).enter()
    await fetch(ada, rig.url["help"] + "/help")
    path = "/notices/live"
    async with (
        asyncio.timeout(PATIENCE_S),
        ada._session.get(rig.settings.public_url + path) as account,
        ada._session.get(rig.url["help"] + path) as site,
    ):
        for line in (account, site):
            await line.content.readuntil(b"\n\n")
        await other.post("/security/password", password=PASSWORD, new_password=PASSWORD + "s")
        for line in (account, site):
            assert await line.content.read() == b""
    assert not await is_in(rig, ada)


async def test_signing_out_here_leads_to_the_portal_and_back(rig, ada):
    page = await fetch(ada, rig.url["help"] + "/help")
    page = await send(ada, rig.url["help"] + "/sign-out", page.csrf)
    assert not await is_in(rig, ada)
    address = onward(page)
    asks = await fetch(ada, address)
    assert str(asks.url).startswith(rig.settings.public_url + "/oidc/logout")
    query = re.search(r'name="query" value="([^"]*)"', asks.text)[1].replace("&amp;", "&")
    confirmed = await send(ada, rig.settings.public_url + "/oidc/logout/confirm", asks.csrf, query=query)
    back = onward(confirmed)
    assert back.startswith(rig.url["help"]) and SIGNED_OUT in (await fetch(ada, back)).text
    assert (await ada.get("/routers")).path == "/sign-in"


async def test_a_code_of_another_browser_opens_nothing(rig, ada):
    """Nobody can sign somebody else in to an account of the attacker's (RFC 9700 section 4.7)."""
    victim = rig.browser()
    await asked(rig, victim)
    address, _fields = await asked(rig, ada)
    stolen = await answered(ada, address)
    page = await fetch(victim, stolen)
    assert page.status == 422 and SESSION_COOKIE not in cookies(victim)
    nobody = rig.browser()
    assert (await fetch(nobody, stolen)).status == 422


async def test_a_state_of_another_question_opens_nothing(rig, ada):
    first, _ = await asked(rig, ada)
    back = await answered(ada, first)
    await asked(rig, ada)  # a second question: the cookie is of this one now
    page = await fetch(ada, back)
    assert page.status == 422 and SESSION_COOKIE not in cookies(ada)


async def test_an_answer_to_a_question_with_another_nonce_opens_nothing(rig, ada):
    address, _ = await asked(rig, ada)
    await pushed(rig, lambda query: re.sub(r"nonce=[^&]+", "nonce=another-nonce", query))
    back = await answered(ada, address)
    page = await fetch(ada, back)
    assert page.status == 422 and SESSION_COOKIE not in cookies(ada)


async def test_an_answer_works_once(rig, ada):
    address, _ = await asked(rig, ada)
    question = cookies(ada)[QUESTION_COOKIE]
    back = await answered(ada, address)
    assert (await fetch(ada, back)).status == 200
    ada._session.cookie_jar.update_cookies({QUESTION_COOKIE: question}, aiohttp.client.URL(rig.url["help"]))
    page = await fetch(ada, back, allow_redirects=False)
    assert page.status == 422


async def test_a_refusal_of_the_portal_is_told(rig, ada):
    await asked(rig, ada)
    state = (await pushed(rig))["state"]
    page = await fetch(ada, f"{rig.url['help']}/signed-in?error=access_denied&state={state}")
    assert page.status == 422 and "You are not signed in" in page.text


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/helpx?y=//z", "", "/sign-in", "/help#x"],
)
def test_nobody_is_led_to_another_site(to):
    for kind in (HELP, PORTAL):
        assert kind.own_path(to) == kind.home


async def told_out(rig, token):
    browser = rig.browser()
    async with browser._session.post(
        rig.url["help"] + "/backchannel-logout", data={"logout_token": token}
    ) as answer:
        return answer.status


async def claims_of(rig, **changed):
    """A logout token for the only session of the help centre, as the provider makes it."""
    async with rig.parts.database.read() as session:
        row = (await session.scalars(sessions.select(sessions.SiteSession))).one()
    now = int(rig.clock())
    known = {
        "iss": rig.settings.public_url,
        "aud": CLIENT_ID,
        "sub": row.account_id,
        "sid": row.account_session,
    }
    known |= {"iat": now, "exp": now + 120, "jti": "j1", "events": {EVENT: {}}}
    return {name: value for name, value in {**known, **changed}.items() if value is not None}


async def sign(rig, claims):
    return await rig.parts.oidc.keys.sign(claims, "logout+jwt")


async def test_a_logout_token_ends_the_session_that_it_names_and_works_once(rig, ada):
    await fetch(ada, rig.url["help"] + "/help")
    token = await sign(rig, await claims_of(rig))
    assert await told_out(rig, token) == 200
    assert not await is_in(rig, ada)
    # Who had asked before that session was over, and comes after, is not in: nobody would end it again.
    assert (await fetch(ada, rig.url["help"] + "/help")).status == 422
    assert not await is_in(rig, ada)
    await ada.sign_out()
    await ada.sign_in()
    await fetch(ada, rig.url["help"] + "/help")  # in again, by another session of the account
    assert await told_out(rig, token) == 400
    assert await is_in(rig, ada)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"exp": 1},
        {"iat": 2**40, "exp": 2**41},
        {"events": {}},
        {"events": None},
        {"nonce": "n"},
        {"sid": None},
        {"sub": None},
        {"jti": None},
    ],
)
async def test_a_logout_token_that_is_none_ends_nothing(rig, ada, changed):
    await fetch(ada, rig.url["help"] + "/help")
    assert await told_out(rig, await sign(rig, await claims_of(rig, **changed))) == 400
    assert await is_in(rig, ada)


async def test_what_nobody_signed_ends_nothing(rig, ada):
    await fetch(ada, rig.url["help"] + "/help")
    token = await sign(rig, await claims_of(rig))
    head, body, _signature = token.split(".")
    for forged in ("", "x", f"{head}.{body}.", f"eyJhbGciOiJub25lIn0.{body}.", "a.b.c"):
        assert await told_out(rig, forged) == 400
    assert await is_in(rig, ada)


async def test_a_session_here_ends_by_time_and_the_portal_is_asked_again(rig, ada):
    await fetch(ada, rig.url["help"] + "/help")
    rig.clock.now += sessions.IDLE_S
    assert not await is_in(rig, ada)
    assert (await fetch(ada, rig.url["help"] + "/help")).status == 200


async def test_whoever_is_disabled_is_out_before_the_portal_has_told_so(rig, ada):
    await fetch(ada, rig.url["help"] + "/help")
    account = await rig.parts.administration.find("ada@example.org")
    async with rig.parts.database.write() as session:
        (await session.get_one(type(account), account.id)).disabled_at = rig.clock.now
    assert not await is_in(rig, ada)


async def test_a_form_needs_this_sites_token_and_origin(rig, ada):
    page = await fetch(ada, rig.url["help"] + "/help/new")
    portal = await ada.get("/profile")
    assert (await send(ada, rig.url["help"] + "/help/new", portal.csrf, **ASKED)).status == 403
    headers = {"Origin": rig.settings.public_url}
    fields = {"csrf": page.csrf, **ASKED}
    async with ada._session.post(rig.url["help"] + "/help/new", data=fields, headers=headers) as answer:
        assert answer.status == 403


async def test_the_client_is_registered_once_and_follows_the_address(rig):
    before = await rig.parts.oidc.clients.find(CLIENT_ID)
    described = Described(CLIENT_ID, "Help", (rig.url["help"] + "/moved",), ours=True, plain=True)
    await rig.parts.oidc.clients.ensure(described, "glc_x")
    after = await rig.parts.oidc.clients.find(CLIENT_ID)
    assert before.ours and after.redirect_uris == rig.url["help"] + "/moved"
    await rig.parts.oidc.clients.remove(CLIENT_ID)
    await rig.parts.oidc.clients.add(described._replace(ours=False))
    with pytest.raises(WrongClient, match="taken"):
        await rig.parts.oidc.clients.ensure(described, "glc_x")


def test_a_logout_token_within_its_time_is_believed():
    now = time.time()
    claims = {"iss": "i", "aud": [CLIENT_ID], "exp": now, "iat": now, "events": {EVENT: {}}}
    claims |= {"sub": "a", "sid": "s", "jti": "j"}
    check_logout(claims, "i", CLIENT_ID, now)
    with pytest.raises(Unbelievable):
        check_logout(claims, "i", CLIENT_ID, now + 3600)
