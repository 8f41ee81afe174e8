"""The pages of passwords, profiles, undoing and leaving, for everybody: axe-core, the keyboard, 320 px."""

import asyncio
import re

import pytest
from playwright.async_api import expect
from sqlalchemy import update

from host_tools.cloud import certificates, links
from host_tools.cloud.accounts.passkeys_rule import EVERYBODY
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import RESET
from host_tools.cloud.store.models import Account
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools import chromium_rig
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig, code_in
from tests.host_tools.test_cloud_accessible import (
    assert_all_reached,
    assert_no_fault,
    enrol,
    look_at,
)
from tests.host_tools.test_cloud_browser import EMAIL, join
from tests.host_tools.test_cloud_passkeys import ORIGIN, add

NEW, OTHER = "seven herons on the weir", "bob@example.org"
PATH = r"https://[^/]+(/{}#\S+)"
OVER = links.grouped(links.new_code())


@pytest.fixture
async def rig(tmp_path):
    async with Rig(tmp_path, tls=certificates.load_or_create(tmp_path).portal_context()) as rig:
        yield rig


@pytest.fixture
async def ruled(tmp_path):
    """A cloud whose operator asks everybody for passkeys."""
    tls = certificates.load_or_create(tmp_path).portal_context()
    async with Rig(tmp_path, tls=tls, passkeys_for=EVERYBODY) as rig:
        yield rig


@pytest.fixture
async def tab():
    async with chromium_rig.quiet_tab() as tab:
        yield tab


async def press(tab, name):
    await tab.get_by_role("button", name=name, exact=True).click()


async def mail_of(rig, subject, recipient=EMAIL):
    async with asyncio.timeout(PATIENCE_S):
        while not (found := [mail for mail in await rig.mails(recipient) if mail.subject == subject]):
            await asyncio.sleep(0.02)
    return found[0]


async def test_who_forgot_the_password_finds_every_page_accessible(rig, tab):
    await rig.browser().join(EMAIL)
    await look_at(rig, tab, "/forgotten", f"/forgotten/link#{OVER}")
    await tab.goto(str(rig.server.make_url("/forgotten")))
    await tab.get_by_label("E-mail").fill(EMAIL)
    await press(tab, "Send the message")
    await tab.get_by_label("6-digit code").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await tab.get_by_label("6-digit code").fill("000000")
    await press(tab, "Go on")
    await tab.locator("[aria-invalid=true]").wait_for()
    await assert_no_fault(tab)
    code = code_in(await mail_of(rig, "Set a new password"))
    await tab.get_by_label("6-digit code").fill(code)
    await press(tab, "Go on")
    await tab.get_by_label("New password", exact=True).fill(NEW)
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await press(tab, "Set the password")
    await expect(tab.get_by_text("Register your first router")).to_be_visible()


async def test_who_has_no_password_finds_the_pages_of_a_proof_accessible(rig, tab):
    await join(rig, tab)
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(password_hash=""))
    await look_at(rig, tab, "/security/prove", "/profile/data")
    await tab.goto(str(rig.server.make_url("/security/prove?next=/profile/data")))
    await press(tab, "Send a code by e-mail")
    await tab.get_by_label("Code from the e-mail").fill("000000")
    await press(tab, "Go on")
    await tab.locator("[aria-invalid=true]").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    code = code_in(await mail_of(rig, "Your code to go on"))
    await tab.get_by_label("Code from the e-mail").fill(code)
    await press(tab, "Go on")
    await expect(tab.get_by_text("You have just proved that it is you.").first).to_be_visible()
    await assert_no_fault(tab)


async def test_who_looks_after_the_profile_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await look_at(rig, tab, "/profile", "/profile/data", f"/profile/email/agree#{OVER}")
    await tab.goto(str(rig.server.make_url("/profile")))
    await tab.get_by_label("New e-mail").fill("ada@example.com")
    await tab.get_by_label("Your password").fill(PASSWORD)
    await press(tab, "Change the e-mail")
    await tab.get_by_text("has to open the link").first.wait_for()
    await assert_no_fault(tab)
    mail = await mail_of(rig, "Confirm your new e-mail")
    path = re.search(PATH.format("profile/email/agree"), mail.body)[1]
    await look_at(rig, tab, path)
    await press(tab, "Agree")
    await tab.get_by_text("This address has agreed").wait_for()
    await assert_no_fault(tab)


async def test_who_undoes_or_stops_a_change_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await tab.goto(str(rig.server.make_url("/security/authenticators/add")))
    await enrol(rig, tab)
    holder = (await rig.parts.administration.find(EMAIL)).id
    await rig.parts.waiting.ask(holder, RESET, "Somebody called", Visit("", "", "", rig.clock()))
    await look_at(rig, tab, f"/undo#{OVER}", f"/waiting#{OVER}", "/security")
    path = re.search(PATH.format("waiting"), (await mail_of(rig, "Two-factor is to be reset")).body)[1]
    await look_at(rig, tab, path)
    await press(tab, "Stop it")
    await tab.get_by_text("Nothing happens").wait_for()
    await assert_no_fault(tab)
    path = re.search(PATH.format("undo"), (await mail_of(rig, "An authenticator was added")).body)[1]
    await look_at(rig, tab, path)


async def test_who_has_to_add_passkeys_first_undoes_and_stops_on_pages_that_are_accessible(ruled, tab):
    """Of the own account, and of another one than the browser is signed in to."""
    bob = ruled.browser()
    await bob.join(OTHER)
    await add(bob, SoftPasskey(ORIGIN))
    await tab.goto(str(ruled.server.make_url("/sign-in")))
    await tab.context.add_cookies(await signed_in_as(ruled, EMAIL))
    holder = (await ruled.parts.administration.find(EMAIL)).id
    await ruled.parts.waiting.ask(holder, RESET, "Somebody called", Visit("", "", "", ruled.clock()))
    await look_at(ruled, tab, "/security/passkeys-only", f"/undo#{OVER}")
    await tab.goto(str(ruled.server.make_url("/routers")))
    await press(tab, "Stop it")
    await tab.get_by_text("It is stopped.").wait_for()
    assert await ruled.parts.waiting.of(holder) == []
    path = re.search(PATH.format("undo"), (await mail_of(ruled, "A passkey was added", OTHER)).body)[1]
    await look_at(ruled, tab, path)
    await tab.get_by_label("The password that was valid before the change").fill(PASSWORD)
    await press(tab, "Undo it")
    await tab.get_by_text(f"You are still signed in as {EMAIL}").wait_for()
    await assert_no_fault(tab)
    assert (await bob.get("/routers")).path == "/sign-in"
    await tab.goto(str(ruled.server.make_url("/routers")))
    await expect(tab.get_by_role("heading", name="Sign in with passkeys only")).to_be_visible()


async def signed_in_as(rig, email):
    """The cookies of a browser that has just joined."""
    browser = rig.browser()
    await browser.join(email)
    url = str(rig.server.make_url("/"))
    return [{"name": cookie.key, "value": cookie.value, "url": url} for cookie in browser._session.cookie_jar]


async def test_who_makes_a_token_finds_every_page_accessible(rig, tab):
    await join(rig, tab)
    await rig.browser().enter()
    holder = (await rig.parts.administration.find(EMAIL)).id
    trusted = (await rig.parts.trusted.of(holder, rig.clock()))[0]
    await look_at(rig, tab, "/security/sessions", f"/security/browsers/{trusted.id}/remove")
    await look_at(rig, tab, "/security/tokens")
    await press(tab, "Make the token")
    await tab.locator("[aria-invalid=true]").first.wait_for()
    await assert_no_fault(tab)
    await tab.get_by_label("Name").fill("Home automation")
    await tab.get_by_text("See the routers").click()
    await tab.get_by_label("Your password").fill(PASSWORD)
    await press(tab, "Make the token")
    await tab.locator("#token").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await look_at(rig, tab, "/security/tokens")
    await press(tab, "Revoke Home automation")
    await expect(tab.get_by_text("The token is revoked.")).to_be_visible()


async def test_recovery_codes_become_a_file_in_a_browser(rig, tab):
    await join(rig, tab)
    await tab.goto(str(rig.server.make_url("/security/authenticators/add")))
    await enrol(rig, tab)
    shown = await tab.locator("#codes code").all_text_contents()
    async with tab.expect_download() as waits:
        await tab.get_by_role("link", name="Save as a file").click()
    saved = await waits.value
    assert saved.suggested_filename == "gatelodge-recovery-codes.txt"
    text = (await saved.path()).read_text()
    assert [line for line in text.splitlines() if re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", line)] == shown
