"""The portal for everybody: axe-core in both colour schemes, the keyboard alone, a screen of 320 px."""

import pyotp
import pytest
from playwright.async_api import expect
from sqlalchemy import update

from host_tools.cloud import certificates, links
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.oidc.described import GRANTS, Described
from host_tools.cloud.routers import undos
from tests.host_tools import axe_rig, chromium_rig
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in, link_in
from tests.host_tools.oidc_rig import BACK, App
from tests.host_tools.test_cloud_browser import EMAIL, SERIAL, claim, join
from tests.host_tools.test_cloud_router_notices import tell


@pytest.fixture
async def rig(tmp_path):
    async with Rig(tmp_path, tls=certificates.load_or_create(tmp_path).portal_context()) as rig:
        yield rig


@pytest.fixture
async def tab():
    async with chromium_rig.quiet_tab() as tab:
        yield tab


async def assert_no_fault(tab):
    """axe finds nothing in both colour schemes, on a phone and on a wide screen; nothing spills at 320 px."""
    if not await tab.evaluate(axe_rig.IS_THERE):
        await tab.evaluate(axe_rig.AXE)
    found = []
    for size, scheme in axe_rig.LOOKS:
        await tab.set_viewport_size(size)
        await tab.emulate_media(color_scheme=scheme)
        told = await tab.evaluate(axe_rig.RUN, axe_rig.RULES)
        found += [f"{size['width']} px, {scheme}: {fault}" for fault in told]
    await tab.set_viewport_size(axe_rig.SMALLEST)
    assert found + await tab.evaluate(axe_rig.SPILL) == [], tab.url


async def next_stop(tab):
    """What the Tab key leads to: its name, "" past the page's end. It has to be seen there."""
    await tab.keyboard.press("Tab")
    focus = await tab.evaluate(axe_rig.FOCUS)
    assert focus["seen"], f"the focus is not seen at {focus['name']!r} of {tab.url}"
    return focus["name"]


async def tab_to(tab, name):
    for _ in range(axe_rig.MOST_STOPS):
        if name in await next_stop(tab):
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


async def assert_all_reached(tab):
    """By Tab, from wherever the page puts the focus, past its end and around to its end again."""
    ends = 0
    for _ in range(axe_rig.MOST_STOPS):
        await next_stop(tab)
        ends += await tab.evaluate("document.activeElement === document.body")
        if ends == 2:
            break
    assert await tab.evaluate(axe_rig.MISSED) == [], tab.url


async def look_at(rig, tab, *paths):
    for path in paths:
        await tab.goto(str(rig.server.make_url(path)))
        if "#" in path:  # the script sends its code
            await expect(tab.get_by_label("Code of the message")).to_have_count(0)
        await assert_no_fault(tab)
        await assert_all_reached(tab)


async def test_a_stranger_finds_every_page_accessible(rig, tab):
    await look_at(rig, tab, "/sign-in", "/sign-up", "/terms", "/no-such-page")
    for path, name in (("/sign-up", "Create account"), ("/sign-in", "Sign in")):
        await tab.goto(str(rig.server.make_url(path)))
        await tab.get_by_role("button", name=name, exact=True).click()
        await tab.locator("[aria-invalid=true]").first.wait_for()
        await assert_no_fault(tab)


async def test_who_registers_a_router_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await assert_no_fault(tab)
    await look_at(rig, tab, "/routers/register")
    await tab.get_by_label("Service code").fill("1")
    await tab.keyboard.press("Enter")
    await tab.locator("[aria-invalid=true]").wait_for()
    await assert_no_fault(tab)
    await tab.goto(str(rig.server.make_url("/routers")))
    await claim(rig, tab)
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await rig.hub.answer(SERIAL, True)
    await expect(tab.get_by_text("The router is yours")).to_be_visible()
    await assert_no_fault(tab)


async def test_an_owner_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await claim(rig, tab)
    await rig.hub.answer(SERIAL, True)
    await expect(tab.get_by_text("The router is yours")).to_be_visible()
    router = f"/routers/{SERIAL}"
    await look_at(rig, tab, "/routers", router, router + "/release", router + "/restart")
    await tab.get_by_role("button", name="Restart router").click()
    await expect(tab.get_by_text("Restarting. The result comes here.")).to_be_visible()
    await assert_no_fault(tab)
    await rig.hub.disconnect(SERIAL)
    await look_at(rig, tab, "/routers", router)


async def test_who_undoes_changes_on_a_router_finds_each_state_of_the_page_accessible(rig, tab):
    await join(rig, tab)
    await claim(rig, tab)
    await rig.hub.answer(SERIAL, True)
    await expect(tab.get_by_text("The router is yours")).to_be_visible()
    account = (await rig.parts.administration.find(EMAIL)).id
    await tell(rig, serial_number=SERIAL, account_id=account, kind="password_changed", undo="u1")
    await tab.goto(str(rig.server.make_url(f"/routers/{SERIAL}")))
    page = await tab.get_by_role("link", name="It was not me").get_attribute("href")
    await look_at(rig, tab, page, "/security/authenticators/add")  # a second factor is missing
    await enrol(rig, tab)
    rig.clock.now += PROVED_S
    await look_at(rig, tab, f"/routers/{SERIAL}", page)
    await tab.get_by_role("button", name="Undo them").click()
    await tab.locator("[role=alert]", has_text="by your second factor too").wait_for()
    await assert_no_fault(tab)
    for state in (undos.ASKED, undos.FAILED, undos.OVER, undos.DONE):
        async with rig.parts.database.write() as session:
            await session.execute(update(undos.RouterUndo).values(state=state))
        await look_at(rig, tab, page)


async def test_who_adds_an_authenticator_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await look_at(rig, tab, "/security", "/security/authenticators/add")
    await enrol(rig, tab)
    await assert_no_fault(tab)
    await look_at(rig, tab, "/security", "/security/recovery-codes")
    await tab.goto(str(rig.server.make_url("/security")))
    await tab.get_by_role("link", name="Remove").click()
    await tab.get_by_text("You have just proved that it is you.").wait_for()
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="Sign out").click()
    await tab.goto(str(rig.server.make_url("/sign-in")))
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await expect(tab.locator("[data-code-clock]")).to_contain_text("is good for another 0:")
    await expect(tab.locator("[data-code-clock] [data-countdown]")).to_have_count(0)  # the script's by now
    await assert_no_fault(tab)
    await assert_all_reached(tab)


async def test_who_looks_after_sessions_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await rig.browser().sign_in(EMAIL, PASSWORD)
    pages = ("choose", "password", "sessions", "log")
    await look_at(rig, tab, *(f"/security/{name}" for name in pages))
    await tab.get_by_role("link", name="See who it is").click()
    await expect(tab.get_by_text("Is this you?")).to_be_visible()
    await assert_no_fault(tab)
    await assert_all_reached(tab)


async def test_who_signs_in_for_an_application_finds_every_page_accessible(rig, tab):
    described = Described("app", "Garden App", [BACK], grants=GRANTS, plain=True)
    app = App(rig, await rig.parts.oidc.clients.add(described))
    await join(rig, tab)
    _, begun = await app.post("/oidc/device", scope="openid email offline_access")
    await look_at(rig, tab, app.link(), "/oidc/logout?client_id=app", "/security/applications")
    await look_at(rig, tab, "/device?user_code=" + begun["user_code"])
    await tab.get_by_role("button", name="Go on").click()
    await expect(tab.get_by_text("Is it yours?")).to_be_visible()
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="Let it in").click()
    await look_at(rig, tab, "/security/applications")


async def test_who_adds_a_phone_number_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await look_at(rig, tab, "/security/phones/add")
    await tab.get_by_label("Phone number").fill("0470 12 34 56")
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await tab.locator("[aria-invalid=true]").wait_for()
    await assert_no_fault(tab)
    await tab.get_by_label("Phone number").fill("+32 470 12 34 56")
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await tab.get_by_label("Code from the text message").wait_for()
    await assert_no_fault(tab)
    await tab.get_by_label("Code from the text message").fill(code_in((await rig.mails("+32470123456"))[0]))
    await tab.keyboard.press("Enter")
    await tab.locator("#codes li").first.wait_for()
    await assert_no_fault(tab)
    await look_at(rig, tab, "/security")
    await tab.get_by_role("link", name="Remove +32").click()
    await tab.get_by_text("You have just proved that it is you.").wait_for()
    await assert_no_fault(tab)


async def test_who_verifies_a_new_browser_finds_every_page_accessible(rig, tab):
    await rig.browser().join(EMAIL)
    await tab.goto(str(rig.server.make_url("/sign-in")))
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_text("Agree on a trusted browser")).to_have_count(1)
    await assert_no_fault(tab)
    await tab.get_by_text("Did not receive a code?").click()
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="Send a code by e-mail").click()
    await expect(tab.get_by_label("Code from the e-mail")).to_be_visible()
    await assert_no_fault(tab)


async def enrol(rig, tab):
    key = await tab.locator("#key").text_content()
    totp = pyotp.TOTP(key.replace(" ", ""))
    await tab.get_by_label("Code the app shows now").fill(totp.at(int(rig.clock())))
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.keyboard.press("Enter")
    await tab.locator("#codes li").first.wait_for()


async def test_joining_signing_out_and_signing_in_need_no_pointer(rig, tab):
    keys = tab.keyboard
    await tab.goto(str(rig.server.make_url("/sign-in")))
    await tab_to(tab, "Create your account")
    await keys.press("Enter")
    await expect(tab.get_by_label("First name")).to_be_visible()
    fields = (("First name", "Ada"), ("Last name", "Bell"), ("E-mail", EMAIL), ("Country", "Belgium"))
    for label, text in (*fields, ("Password", PASSWORD)):
        await tab_to(tab, label)
        await keys.type(text)
    await tab_to(tab, "I have read")
    await keys.press("Space")
    await tab_to(tab, "Create account")
    await keys.press("Enter")
    await expect(tab.get_by_label("6-digit code")).to_be_focused()
    mail = (await rig.mails(EMAIL))[0]
    await keys.type(code_in(mail))
    await keys.press("Enter")
    await expect(tab.get_by_text("Choose a second factor")).to_have_count(1)
    await tab_to(tab, "Not now")
    await keys.press("Enter")
    await expect(tab.get_by_text("Register your first router")).to_be_visible()
    await tab_to(tab, "Sign out")
    await keys.press("Enter")
    await expect(tab.get_by_label("E-mail")).to_be_focused()
    await keys.type(EMAIL)
    await tab_to(tab, "Password")
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await expect(tab.get_by_text("Register your first router")).to_be_visible()


async def test_who_confirms_an_address_finds_every_page_accessible(rig, tab):
    await chromium_rig.fill_sign_up(rig, tab, EMAIL)
    await assert_no_fault(tab)  # with the password's strength beside it
    await tab.get_by_role("button", name="Create account").click()
    await tab.get_by_label("6-digit code").wait_for()
    link = link_in((await rig.mails(EMAIL))[0])
    await look_at(rig, tab, "/confirm/link", link, "/confirm", f"/confirm/link#{links.new_code()}")
