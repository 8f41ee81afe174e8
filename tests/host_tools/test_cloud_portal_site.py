"""The portal at its own address, a client of the account's provider, which also asks again who it is."""

import re

import pytest

from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.oidc.decision import FRESH_S
from host_tools.cloud.sites.kinds import HELP, PORTAL
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.site_rig import answered, asked, fetch, onward, own_origins, pushed, send
from tests.host_tools.test_cloud_help_site import cookies, until

SERIAL = "GL-0001"
RELEASE = f"/routers/{SERIAL}/release"


@pytest.fixture
async def rig(tmp_path):
    async with own_origins(tmp_path, HELP, PORTAL) as rig:
        yield rig


@pytest.fixture
async def portal(rig, ada):
    """The portal's address, with Ada's router online there."""
    url = rig.url["portal"]
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    page = await fetch(ada, url + "/routers/register")
    assert str(page.url) == url + "/routers/register"  # by the account's session, and nobody was asked
    claim = await send(ada, str(page.url), page.csrf, service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    assert "The router is yours" in (await fetch(ada, str(claim.url))).text
    return url


async def is_in(ada, portal):
    return (await fetch(ada, portal + "/routers", allow_redirects=False)).status == 200


async def asked_again(rig, ada, portal):
    """At the account, asked for the password; then back at the portal's page of the release."""
    rig.clock.now += FRESH_S + 1
    page = await fetch(ada, f"{portal}/security/prove?next={RELEASE}")
    assert str(page.url).startswith(rig.url["account"] + "/oidc/authorize") and "Sign in again" in page.text
    query = re.search(r'name="query" value="([^"]*)"', page.text)[1].replace("&amp;", "&")
    page = await send(ada, rig.url["account"] + "/oidc/again", page.csrf, query=query)
    fields = {"email": "ada@example.org", "password": PASSWORD}
    return await send(ada, rig.url["account"] + "/sign-in", page.csrf, **fields)


async def test_it_is_strict_and_all_of_it_works_where_no_exception_is_let_in(tmp_path):
    """The sign-in, and the account's asking again before a router is released, are both pushed."""
    async with own_origins(tmp_path, HELP, PORTAL, strict_applications=True) as rig:
        ada, url = rig.browser(), rig.url["portal"]
        await ada.join()
        for kind in (PORTAL, HELP):
            _, fields = await asked(rig, ada, kind)
            assert set(fields) == {"client_id", "request_uri"}
            assert not (await rig.parts.oidc.clients.find(kind.client_id)).plain
        code = await rig.make_router(SERIAL)
        await rig.hub.connect(SERIAL)
        page = await fetch(ada, url + "/routers/register")
        assert str(page.url) == url + "/routers/register"
        await send(ada, str(page.url), page.csrf, service_code=code)
        await rig.until(lambda: SERIAL in rig.hub.claims)
        await rig.hub.answer(SERIAL, True)
        page = await fetch(ada, onward(await asked_again(rig, ada, url)))
        assert str(page.url) == url + RELEASE and "You have just proved that it is you." in page.text
        page = await send(ada, url + RELEASE, page.csrf)
        assert "The router is released." in page.text


async def test_a_persons_routers_are_there_with_their_state_and_warranty(rig, ada, portal):
    page = await fetch(ada, portal + "/routers")
    assert "Lodge One" in page.text and 'data-state="online"' in page.text
    page = await fetch(ada, f"{portal}/routers/{SERIAL}")
    assert page.status == 200 and "<strong>Until " in page.text
    async with ada._session.get(f"{portal}/routers/{SERIAL}/live") as live:
        assert SERIAL in (await live.content.readline()).decode()
    page = await fetch(ada, f"{portal}/routers/{SERIAL}/restart")
    await send(ada, str(page.url), page.csrf)
    await rig.until(lambda: rig.hub.commands)
    [mail] = [each for each in await rig.mails() if each.subject == "A router was registered"]
    assert portal + "/routers" in mail.body


async def test_nobody_elses_router_is_there(rig, ada, portal, eve):
    assert (await fetch(eve, f"{portal}/routers/{SERIAL}")).status == 404
    assert SERIAL not in (await fetch(eve, portal + "/routers")).text


async def test_the_account_has_no_page_of_routers_and_leads_to_them(rig, ada, portal):
    page = await fetch(ada, f"{rig.url['account']}/routers/{SERIAL}")
    assert str(page.url) == f"{portal}/routers/{SERIAL}"
    form = await fetch(ada, rig.url["account"] + "/profile")
    taken = await send(ada, f"{rig.url['account']}/routers/{SERIAL}/restart", form.csrf)
    assert taken.status == 405 and rig.hub.commands == []
    for path in ("/security", "/profile", "/help", "/oidc/authorize", "/api/v1/account", "/outbox"):
        assert (await fetch(ada, portal + path)).status == 404, path
    page = await fetch(ada, portal + "/routers")
    for link in (rig.url["account"] + "/security", rig.url["help"] + "/help", "/routers"):
        assert f'href="{link}"' in page.text
    page = await fetch(ada, rig.url["help"] + "/help")
    assert f'href="{portal}/routers"' in page.text


async def test_who_signs_in_arrives_at_the_portal(rig, ada):
    stranger = rig.browser()
    page = await stranger.enter()
    assert page.path == "/routers" and onward(page) == rig.url["portal"] + "/routers"
    assert str((await fetch(stranger, onward(page))).url) == rig.url["portal"] + "/routers"


async def test_who_comes_by_a_routers_own_link_signs_in_and_goes_on(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    link = (await rig.hub.invite(SERIAL, code))["link"]
    assert link.startswith(rig.url["portal"])
    page, _, code = link.partition("#")
    form = await fetch(ada, page)
    arrived = await send(ada, page, form.csrf, link_code=code)
    assert str(arrived.url) == page and SERIAL in arrived.text


async def test_a_release_is_proved_at_the_account_and_no_password_is_typed_here(rig, ada, portal):
    page = await fetch(ada, portal + RELEASE)
    assert "Prove that it is you" in page.text and 'name="password"' not in page.text
    refused = await send(ada, portal + RELEASE, page.csrf, password=PASSWORD)
    assert refused.status == 422 and SERIAL in (await fetch(ada, portal + "/routers")).text
    before = cookies(ada)[PORTAL.session_cookie]
    page = await fetch(ada, onward(await asked_again(rig, ada, portal)))
    assert str(page.url) == portal + RELEASE and "You have just proved that it is you." in page.text
    assert cookies(ada)[PORTAL.session_cookie] != before
    rig.clock.now += PROVED_S
    late = await fetch(ada, portal + RELEASE)
    assert (await send(ada, portal + RELEASE, late.csrf)).status == 422
    page = await fetch(ada, onward(await asked_again(rig, ada, portal)))
    page = await send(ada, portal + RELEASE, page.csrf)
    assert "The router is released." in page.text and SERIAL not in page.text


async def test_whom_the_account_was_kept_from_asking_has_proved_nothing(rig, ada, portal):
    rig.clock.now += 2 * FRESH_S
    page = await fetch(ada, f"{portal}/security/prove?next={RELEASE}", allow_redirects=False)
    address = page.headers["Location"]
    asks = await pushed(rig)
    assert (asks["prompt"], asks["max_age"]) == ("login", "0")
    await pushed(rig, lambda query: query.replace("&prompt=login", "").replace("&max_age=0", ""))
    page = await fetch(ada, await answered(ada, address))
    assert page.status == 422 and "did not ask you to sign in again" in page.text
    assert "Prove that it is you" in (await fetch(ada, portal + RELEASE)).text


async def test_sessions_of_the_two_sites_are_not_each_others(rig, ada, portal):
    address, _ = await asked(rig, ada, HELP)
    back = await answered(ada, address)
    page = await fetch(ada, back.replace(rig.url["help"], portal), allow_redirects=False)
    assert page.status == 422
    await fetch(ada, rig.url["help"] + "/help")
    other = {"Cookie": f"{PORTAL.session_cookie}={cookies(ada)[HELP.session_cookie]}"}
    page = await fetch(rig.browser(), portal + "/routers", headers=other, allow_redirects=False)
    assert page.status == 303


async def test_one_sign_out_ends_it_everywhere_behind_the_browsers_back(rig, ada, portal):
    await fetch(ada, rig.url["help"] + "/help")
    await ada.sign_out()

    async def out():
        helped = await fetch(ada, rig.url["help"] + "/help", allow_redirects=False)
        return helped.status == 303 and not await is_in(ada, portal)

    await until(out)


async def test_signing_out_here_leads_to_the_account_and_back(rig, ada, portal):
    page = await fetch(ada, portal + "/routers")
    page = await send(ada, portal + "/sign-out", page.csrf)
    assert not await is_in(ada, portal)
    asks = await fetch(ada, onward(page))
    assert str(asks.url).startswith(rig.url["account"] + "/oidc/logout")
    query = re.search(r'name="query" value="([^"]*)"', asks.text)[1].replace("&amp;", "&")
    page = await send(ada, rig.url["account"] + "/oidc/logout/confirm", asks.csrf, query=query)
    assert onward(page).startswith(portal)
    assert PORTAL.signed_out in (await fetch(ada, onward(page))).text
