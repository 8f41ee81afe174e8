"""Links that open something: their code is in no address that a server sees, and can be typed."""

import asyncio
import logging
import re

import pytest
from playwright.async_api import expect

from host_tools.cloud import links
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S
from tests.host_tools.test_cloud_browser import chromium, rig  # noqa: F401 - fixtures

EMAIL, NEW, SERIAL = "ada@example.org", "ada.bell@example.com", "GL-0001"
LINK = re.compile(r"https://[^/]+(/\S+)#(\S+)\n.*: (\S+)")  # and the code again, on the next line
NEXT_PASSWORD = "seven herons on the weir"


def test_a_code_is_typed_in_any_way_and_no_slip_of_one_character_passes():
    code = links.new_code()
    shown = links.grouped(code)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}", shown)
    typed = (shown, code, shown.lower(), shown.replace("-", " "), shown.replace("-", "\u2011"), f" {shown}\n")
    assert {links.parsed(one) for one in (*typed, code.replace("0", "O").replace("1", "l"))} == {code}
    for at, character in enumerate(code):
        other = "A" if character != "A" else "B"
        assert links.parsed(code[:at] + other + code[at + 1 :]) == ""
    for wrong in ("", code[:-1], code + "0", code[:-1] + "U", "x" * 43 + "=", "x" * 10000):
        assert links.parsed(wrong) == ""


def test_codes_differ_and_have_128_bits():
    made = {links.new_code() for _ in range(1000)}
    assert len(made) == 1000 and links.DRAWN * 5 >= 128
    assert {character for code in made for character in code[: links.DRAWN]} == set(links.ALPHABET)


async def test_a_link_of_before_leads_to_the_page_and_its_token_still_opens(rig):  # noqa: F811
    browser, token = rig.browser(), "x-_" + "y" * 40
    page = await browser.get(f"/undo/{token}", allow_redirects=False)
    assert (page.status, page.headers["Location"]) == (303, f"/undo#{token}")
    assert (await browser.get(f"/undo#{token}")).status == 410  # nobody's, but its form is right


class Walker:
    """A person in Chromium who opens what mails hold."""

    def __init__(self, rig, tab, script):  # noqa: F811
        self.rig, self.tab, self._script = rig, tab, script
        self.codes = []

    async def mail(self, link, recipient=EMAIL):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for mail in await self.rig.mails(recipient):
                    if link in mail.body:
                        return mail
                await asyncio.sleep(0.01)

    async def open(self, mail):
        page, code, again = LINK.search(mail.body).groups()
        assert code == again
        await self.open_page(page, code)

    async def open_page(self, page, code):
        self.codes.append(code)
        address = str(self.rig.server.make_url(page))
        if not self._script:
            await self.tab.goto("about:blank")  # a browser loads nothing where only the fragment differs
        await self.tab.goto(f"{address}#{code}")
        field = self.tab.get_by_label("Code of the message")
        if not self._script:
            await field.fill(code.lower().replace("-", " "))
            await self.press("Go on")
        await expect(field).to_have_count(0)

    async def press(self, name):
        await self.tab.get_by_role("button", name=name, exact=True).click()

    async def sees(self, text):
        await expect(self.tab.get_by_text(text).first).to_be_visible()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
async def walker(request, chromium, rig):  # noqa: F811
    context = await chromium.new_context(
        ignore_https_errors=True, java_script_enabled=request.param, viewport={"width": 320, "height": 640}
    )
    yield Walker(rig, await context.new_page(), request.param)
    await context.close()


async def confirms_the_email(walker):
    await walker.rig.browser().sign_up()
    await walker.open(await walker.mail("/confirm/link#"))
    await walker.sees("You signed up in another browser")
    await walker.tab.get_by_label("The password you chose").fill(PASSWORD)
    await walker.press("Confirm e-mail")
    await walker.sees("Choose a second factor")


async def agrees_to_another_email(walker):
    form = {"form_page": "/profile", "email": NEW, "password": PASSWORD}
    ada = walker.rig.browser()
    await ada.enter()
    await ada.post("/profile/email", **form)
    agreed = ((EMAIL, "This address has agreed"), (NEW, "The e-mail is changed"))
    for address, told in agreed:
        await walker.open(await walker.mail("/profile/email/agree#", address))
        await walker.sees("is to sign in as")
        await walker.press("Agree")
        await walker.sees(told)


async def undoes_that(walker):
    await walker.open(await walker.mail("/undo#"))
    await walker.sees("Undo this change?")
    await walker.tab.get_by_label("The password that was valid").fill(PASSWORD)
    await walker.press("Undo it")
    await walker.sees("The change is undone")


async def sets_a_new_password(walker):
    await walker.rig.browser().post("/forgotten", email=EMAIL)
    await walker.open(await walker.mail("/forgotten/link#"))
    await walker.tab.get_by_label("New password", exact=True).fill(NEXT_PASSWORD)
    await walker.press("Set the password")
    await expect(walker.tab.get_by_role("button", name="Sign out")).to_be_visible()


async def stops_a_deletion(walker):
    await walker.tab.goto(str(walker.rig.server.make_url("/profile/data")))
    form = walker.tab.locator("form[action='/profile/data/delete']")
    await form.get_by_label("Your password").fill(NEXT_PASSWORD)
    await form.get_by_role("checkbox").check()
    await form.get_by_role("button").last.click()
    await walker.open(await walker.mail("/waiting#"))
    await walker.press("Stop it")
    await walker.sees("your account stays as it is")


async def registers_a_router(walker):
    """By the link of the router's own page, signed out at first."""
    rig = walker.rig  # noqa: F811
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    link = (await rig.hub.invite(SERIAL, code))["link"]
    await walker.press("Sign out")
    await walker.open_page("/routers/invited", links.code_of(link))
    await walker.sees("Sign in to register the router")
    await walker.tab.get_by_label("E-mail").fill(EMAIL)
    await walker.tab.get_by_label("Password", exact=True).fill(NEXT_PASSWORD)
    await walker.press("Sign in")
    await walker.sees(SERIAL)
    await walker.press("Register router")
    await rig.until(lambda: SERIAL in rig.hub.claims)


WALK = {
    "/confirm/link": confirms_the_email,
    "/profile/email/agree": agrees_to_another_email,
    "/undo": undoes_that,
    "/forgotten/link": sets_a_new_password,
    "/waiting": stops_a_deletion,
    "/routers/invited": registers_a_router,
}


async def test_no_request_of_a_walk_through_every_link_holds_its_code(walker, caplog):
    """The witness is an access log, as the server or a proxy may write it: request lines and Referer."""
    caplog.set_level(logging.INFO, "aiohttp.access")
    for walk in WALK.values():
        await walk(walker)
    seen = [record.getMessage() for record in caplog.records if record.name == "aiohttp.access"]
    for page in WALK:
        for method in ("GET", "POST"):
            assert any(f'"{method} {page} HTTP' in line for line in seen), (method, page)
    assert len(set(walker.codes)) == len(WALK) + 1  # two addresses agree
    for code in walker.codes:
        assert not [line for line in seen if code in line or links.parsed(code) in line]


async def test_the_script_leaves_no_code_in_the_address_or_the_history(rig, chromium):  # noqa: F811
    context = await chromium.new_context(ignore_https_errors=True)
    tab = await context.new_page()
    start, page = (str(rig.server.make_url(path)) for path in ("/terms", "/undo"))
    await tab.goto(start)
    await tab.goto(f"{page}#{links.grouped(links.new_code())}")
    await expect(tab.get_by_role("heading", name="This link is over")).to_be_visible()
    visited = [tab.url]
    while tab.url not in (start, "about:blank"):
        await tab.go_back()
        visited.append(tab.url)
    assert set(visited) == {page, start}
    # Where a page leads on that has no field for it, as for who is signed in.
    await tab.goto(f"{start}#{links.grouped(links.new_code())}")
    await expect(tab.locator("html.scripted")).to_have_count(1)
    assert tab.url == start
    await context.close()
