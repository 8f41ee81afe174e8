"""What begins on the router's own page: a link to register it, and its release."""

import re

import pytest
from gatelodge.contract import service_code

from host_tools.cloud.routers.invitations import INVITED_S
from host_tools.release import catalogues

SERIAL, OTHER = "GL-0001", "GL-0002"


async def invited(rig, serial_number=SERIAL, index=1):
    """The path of a link that the router was given."""
    code = await rig.make_router(serial_number, index)
    await rig.hub.connect(serial_number)
    told = await rig.hub.invite(serial_number, code)
    assert told["error"] is None and told["expires_s"] == INVITED_S
    return told["link"].removeprefix("https://localhost:8444")


def number_on(page):
    return re.search(r"<strong>(\d{3} \d{3})</strong>", page.text)[1].replace(" ", "")


async def test_a_link_leads_to_the_same_number_at_both_ends_and_an_approval(rig, ada):
    path = await invited(rig)
    assert SERIAL in (await ada.get(path)).text
    page = await ada.post(path)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    assert rig.hub.claims[SERIAL]["number"] == number_on(page)
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL]["email"] == "ada@example.org"


async def test_a_link_alone_moves_nothing(rig, ada):
    path = await invited(rig)
    await ada.get(path)
    await ada.post(path)
    assert SERIAL not in (await ada.get("/routers")).text


async def test_a_link_works_once_for_one_account(rig, ada, eve):
    path = await invited(rig)
    await ada.get(path)
    assert "/routers/claims/" in (await ada.post(path)).path
    for browser in (eve, ada):
        page = await browser.get(path)
        assert (page.status, "This link is over" in page.text) == (410, True)
        assert (await browser.post(path)).status == 410
    assert rig.hub.claims[SERIAL]["account"]["email"] == "ada@example.org"


async def test_a_link_ends_after_ten_minutes_and_when_a_newer_one_comes(rig, ada):
    code = await rig.make_router(SERIAL)
    old, new = [(await rig.hub.invite(SERIAL, code))["link"].split("8444")[1] for _ in range(2)]
    assert ((await ada.get(old)).status, (await ada.get(new)).status) == (410, 200)
    rig.clock.now += INVITED_S
    assert (await ada.get(new)).status == 410
    assert (await ada.post(new)).status == 410


async def test_a_link_that_its_router_withdrew_is_over_and_another_ones_is_not(rig, ada):
    path, other = await invited(rig), await invited(rig, OTHER, 2)
    await ada.get(path)
    await rig.hub.uninvite(SERIAL)
    assert ((await ada.get(path)).status, (await ada.post(path)).status) == (410, 410)
    assert SERIAL not in rig.hub.claims
    assert (await ada.get(other)).status == 200
    await rig.hub.uninvite(SERIAL)  # twice is once


async def test_a_router_gets_a_link_for_itself_and_by_its_own_code_only(rig):
    code = await rig.make_router(SERIAL)
    await rig.make_router(OTHER, 2)
    for serial_number, typed in (
        (OTHER, code),
        ("GL-9999", code),
        (SERIAL, service_code.generate(b"\x99" * 10)),
        (SERIAL, ""),
        (SERIAL, "x" * 32),
    ):
        told = await rig.hub.invite(serial_number, typed)
        assert told["link"] is None and "another service code" in told["error"]


async def test_an_owned_router_gets_none(rig, ada):
    code = await rig.own_router(SERIAL, ada)
    assert "belongs to an account" in (await rig.hub.invite(SERIAL, code))["error"]


async def test_why_there_is_no_link_is_in_the_router_s_catalogues(rig, ada):
    """The router says it in the language of whoever is at its page."""
    code = await rig.own_router(SERIAL, ada)
    refusals = [(await rig.hub.invite(SERIAL, typed))["error"] for typed in (code, "")]
    assert len(set(refusals)) == 2 and set(refusals) <= set(catalogues.keys())


async def test_who_has_to_sign_in_first_is_brought_back(rig, ada):
    path = await invited(rig)
    await ada.sign_out()
    stranger = await ada.get(path)
    assert stranger.path == "/sign-in" and "Sign in to register the router" in stranger.text
    page = await ada.sign_in()
    assert page.path == "/routers/invited" and SERIAL in page.text
    assert (await ada.get("/routers")).path == "/routers"  # and only once


@pytest.mark.parametrize("token", ["x", "x" * 43, "0" * 28, "../../routers", "x" * 4000])
async def test_a_made_up_link_tells_a_stranger_and_an_account_nothing(rig, ada, token):
    assert (await ada.get("/routers/invited#" + token)).status in (410, 422)
    stranger = rig.browser()
    assert SERIAL not in (await stranger.get("/routers/invited#" + token)).text


async def test_a_release_on_the_routers_page_frees_it_and_tells_its_owner(rig, ada, eve):
    await rig.own_router(SERIAL, ada)
    account_id = rig.hub.owners[SERIAL]["account_id"]
    await rig.hub.release(SERIAL, account_id)
    assert rig.hub.owners[SERIAL] is None
    assert SERIAL not in (await ada.get("/routers")).text
    mail = (await rig.mails("ada@example.org"))[0]
    assert mail.subject == "A router was released"
    assert SERIAL in mail.body and "on its own page" in mail.body


async def test_a_release_that_comes_again_takes_it_from_nobody_else(rig, ada, eve):
    code = await rig.own_router(SERIAL, ada)
    account_id = rig.hub.owners[SERIAL]["account_id"]
    await rig.hub.release(SERIAL, account_id)
    rig.hub.claims.clear()
    await eve.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    await rig.hub.release(SERIAL, account_id)
    assert rig.hub.owners[SERIAL]["email"] == "eve@example.org"
    assert len([mail for mail in await rig.mails() if mail.subject == "A router was released"]) == 1


async def test_a_router_releases_itself_only(rig, ada):
    await rig.own_router(SERIAL, ada)
    await rig.make_router(OTHER, 2)
    await rig.hub.release(OTHER, rig.hub.owners[SERIAL]["account_id"])
    await rig.hub.release(SERIAL, "somebody-else")
    assert SERIAL in (await ada.get("/routers")).text
