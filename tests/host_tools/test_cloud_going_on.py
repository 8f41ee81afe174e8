"""Where a person goes on: after a sign-in, a form that was refused, or a page that waits and was left."""

import re

import pytest

from host_tools.cloud.accounts.zones import zone_of
from host_tools.cloud.pages.live import STREAMS
from host_tools.cloud.routers.claims import CLAIM_S
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in

EMAIL = "ada@example.org"


@pytest.fixture
async def rig(tmp_path):
    async with Rig(tmp_path) as rig:
        yield rig


@pytest.mark.parametrize("page", ["/security/log", "/help/new", "/profile", "/routers/register"])
async def test_who_has_to_sign_in_first_comes_to_the_page_they_opened(rig, page):
    browser = rig.browser()
    await browser.join()
    await browser.sign_out()
    asked = await browser.get(page)
    assert asked.path == "/sign-in"
    assert "Then you are led on." in asked.text
    assert (await browser.sign_in()).path == page
    await browser.sign_out()
    assert (await browser.sign_in()).path == "/routers"  # once


async def test_the_way_leads_through_the_second_step(rig):
    browser, new = rig.browser(), rig.browser()
    await browser.join()
    await new.get("/security/sessions")
    assert (await new.enter()).path == "/security/sessions"


@pytest.mark.parametrize("page", ["/routers", "/routers/live", "/help/1/files/2", "/security/" + 300 * "x"])
async def test_what_is_no_page_to_come_to_is_forgotten(rig, page):
    browser = rig.browser()
    await browser.join()
    await browser.sign_out()
    await browser.get(page)
    assert (await browser.sign_in()).path == "/routers"


FORM = re.compile(r'data-form-page="([^"]*)"')


@pytest.mark.parametrize(
    ("told", "form_page"),
    [
        ("{here}/sign-in?done=over", "/sign-in?done=over"),
        ("{here}//evil.example/", None),
        ("{here}/\\evil.example/", None),
        ("https://evil.example/sign-in", None),
        ("javascript:alert(1)", None),
        ("http://[", None),
        ("", None),
    ],
)
async def test_a_form_that_was_refused_names_its_page_and_no_other_site(rig, told, form_page):
    browser = rig.browser()
    headers = {"Referer": told.format(here=str(rig.server.make_url("/")).rstrip("/"))}
    form = await browser.get("/sign-in")
    refused = await browser.post_raw("/sign-in", {"csrf": form.csrf, "email": "", "password": ""}, headers)
    expired = await browser.post_raw("/sign-in", {"csrf": "x"}, headers)
    assert (refused.status, expired.status) == (422, 403)
    for page in (refused, expired):
        found = FORM.search(page.text)
        assert (found[1] if found else None) == form_page
    assert ("Back to the form" in expired.text) == (form_page is not None)


async def test_a_page_that_was_only_opened_names_no_form(rig):
    page = await rig.browser().get("/nothing", headers={"Referer": str(rig.server.make_url("/sign-in"))})
    assert page.status == 404
    assert not FORM.search(page.text)
    assert "Go to the sign-in" in page.text


@pytest.mark.parametrize("owns", [False, True])
async def test_who_left_the_page_of_a_claim_finds_it_among_their_routers_while_it_waits(rig, owns):
    browser, other = rig.browser(), rig.browser()
    await browser.join()
    await other.join("ben@example.org")
    if owns:
        await rig.own_router("GL-0001", browser)
    claim = (await browser.post("/routers/register", service_code=await rig.make_router("GL-0002", 2))).path
    assert f'href="{claim}"' in (await browser.get("/routers")).text
    assert "/routers/claims/" not in (await other.get("/routers")).text
    newer = (await browser.post("/routers/register", service_code=await rig.make_router("GL-0003", 3))).path
    page = await browser.get("/routers")
    assert newer in page.text
    assert claim not in page.text
    rig.clock.now += CLAIM_S
    assert "/routers/claims/" not in (await browser.get("/routers")).text


async def test_a_refused_claim_goes_on_waiting_among_the_routers_as_on_its_page(rig):
    browser = rig.browser()
    await browser.join()
    await rig.hub.connect("GL-0002")
    code = await rig.make_router("GL-0002", 2)
    claim = (await browser.post("/routers/register", service_code=code)).path
    await rig.until(lambda: "GL-0002" in rig.hub.claims)
    await rig.hub.answer("GL-0002", False)
    assert claim in (await browser.get("/routers")).text


def test_the_zone_is_the_browser_s_else_the_country_s_only_one():
    assert zone_of("Europe/Paris", "BE") == "Europe/Paris"
    assert zone_of("", "BE") == "Europe/Brussels"
    for told in ("Etc/GMT+3", "../../etc/passwd", "Europe/Nowhere"):
        assert zone_of(told, "BE") == "Europe/Brussels"
        assert zone_of(told, "US") == zone_of(told, "") == ""


@pytest.mark.parametrize(("told", "zone"), [("Asia/Tokyo", "JST"), ("x", "CE")])
async def test_a_new_account_reads_its_own_time(rig, told, zone):
    browser = rig.browser()
    await browser.sign_up()
    await browser.post("/confirm", code=code_in((await rig.mails())[0]), zone=told)
    assert re.search(rf'title="[^"]* {zone}', (await browser.get("/security/log")).text)


async def test_a_line_of_a_page_that_was_closed_makes_room(rig):
    browser = rig.browser()
    await browser.join()
    async with browser._session.get(rig.server.make_url("/notices/live")) as line:
        await line.content.readline()
        assert rig.server.app[STREAMS].total() == 1
    await rig.until(lambda: not rig.server.app[STREAMS])


async def test_who_has_lost_every_second_factor_is_told_who_lets_them_in(tmp_path):
    async with Rig(tmp_path, support_email="support@example.org") as rig:
        browser = rig.browser()
        await browser.join()
        await browser.enrol()
        page = await rig.browser().sign_in(EMAIL, PASSWORD)
        assert "You have lost all of this?" in page.text
        assert 'href="mailto:support@example.org"' in page.text
