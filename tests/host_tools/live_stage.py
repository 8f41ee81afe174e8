"""Who is on the stage of an attack: Ada, her router, Eve, and Grace of support; and what they do there."""

import asyncio
import re
from types import SimpleNamespace

import pytest_asyncio
from playwright.async_api import async_playwright

from tests.host_tools.admin_page_rig import CHROMIUM
from tests.host_tools.live_rig import Live, send_form

ADA, EVE, GRACE = "ada@example.org", "eve@example.org", "grace@example.org"
SERIAL = "GL-0001"
ALIVE = "document.querySelectorAll('img[src=x], svg[onload], script:not([src])').length"
# What a form might take for a column of the account, a header for a method, or a query for a form.
MORE = {
    "role": "admin", "id": "1", "account_id": "1", "email_verified": "yes", "user_name": "ada",
    "is_admin": "yes", "disabled_at": "", "ours": "yes", "public_only": "", "owner_id": "1",
    "proved_at": "9999999999", "terms_version": "0",
    "passkeys_only": "yes", "by_support": "yes", "state": "answered",
    "to": "//evil.example", "next": "//evil.example", "_method": "DELETE", "scope": "routers:write",
}  # fmt: skip
HEAD = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "MIME-Version",
        "Content-Transfer-Encoding"}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory):
    """The cloud, its people, and Ada's router, which is online."""
    async with Live(tmp_path_factory.mktemp("live")) as live:
        people = enumerate((ADA, EVE, GRACE), 2)
        ada, eve, grace = await asyncio.gather(*(live.join(email, number) for number, email in people))
        await live.enrol(grace)
        await live.give(GRACE, "support")
        credential, code = await live.make_router(SERIAL, 1)
        router = await live.switch_on(SERIAL, credential)
        await ada.get(live.portal_url + "/routers")
        await ada.post(live.portal_url + "/routers/register", service_code=code)
        ada.id = (await router.agrees())["owner"]["account_id"]
        yield SimpleNamespace(live=live, ada=ada, eve=eve, grace=grace, router=router)
        assert "Traceback" not in live.log() and await live.stop() == 0


def urls(live, row):
    """Where the route is, of the account, the portal and the help centre."""
    if "portal" in row.sites:
        return live.portal_url
    return live.help_url if "help" in row.sites else live.url


async def tokens_of_forms(live, browser):
    """By site: each has a session of its own."""
    pages = {live.url: "/security", live.portal_url: "/routers", live.help_url: "/help"}
    return {site: (await browser.get(site + path)).csrf for site, path in pages.items()}


async def asked(stage, browser, **changed):
    """The path of a new help request."""
    place = stage.live.help_url + "/help/new"
    fields = {
        "csrf": (await browser.get(place)).csrf,
        "subject": "No internet",
        "router": "",
        "text": "It stopped.",
    }
    page = await send_form(browser, place, {**fields, **changed.pop("fields", {})}, **changed)
    assert page.path.startswith("/help/") and page.path != "/help/new", page.text
    return page.path


async def invited(router, code, invite_id):
    await router.say("invite", invite_id=invite_id, service_code=code)
    return (await router.hears("invitation"))["link"]


async def opened(live, browser, link):
    """The link, as its page's script and then the person open it."""
    place, code = link.split("#")
    form = await browser.get(place)
    fields = {"csrf": form.csrf, "link_code": code}
    page = await browser.post_raw(place, fields)
    return await browser.post_raw(place, {**fields, "doing": "yes"}) if page.status == 200 else page


async def entered(live, email, number):
    """Another browser of the account's."""
    browser = live.browser(number)
    await browser.sign_in(email)
    await browser.post("/sign-in/method", form_page="/sign-in/code", method="mail")
    code = await mailed_code(live, email)
    assert (await browser.post("/sign-in/code", code=code, trust="yes")).path == "/routers"
    return browser


async def mailed_code(live, email):
    """Of the newest mail that has one."""
    while True:
        for mail in await live.mails(email):
            if found := re.search(r"Your code is (\d{6})", mail.body):
                return found[1]


async def only_own_heads(live, recipient, subject):
    while True:
        for mail in await live.mails(recipient):
            assert {key for key, _ in mail.head} <= HEAD and mail.recipient == recipient
            if mail.subject.startswith(subject):
                return


async def complaints(pages):
    """What Chromium tells of pages that somebody who is signed in opens: dialogs, errors, other servers."""
    found = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for browser in dict.fromkeys(browser for browser, _ in pages):
            places = [place for whose, place in pages if whose is browser]
            await _look(chromium, browser, places, found)
        await chromium.close()
    return found


async def _look(chromium, browser, places, found):
    context = await chromium.new_context(ignore_https_errors=True)
    await context.add_cookies(
        [{"name": each.key, "value": each.value, "url": str(browser._rig.url), "secure": True}
         for each in browser._session.cookie_jar]
    )  # fmt: skip
    tab = await context.new_page()
    tab.on("dialog", lambda dialog: found.append(dialog.message))
    tab.on("pageerror", lambda error: found.append(str(error)))
    tab.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda sent: found.append(sent.url) if "//localhost:" not in sent.url else None)
    for place in places:
        answer = await tab.goto(place)
        found += [] if answer.status == 200 and tab.url == place else [f"{tab.url} for {place}"]
        assert await tab.evaluate(ALIVE) == 0, place
    await context.close()
