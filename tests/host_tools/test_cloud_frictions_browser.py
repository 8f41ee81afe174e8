"""In Chromium: what a hurried person does. Double clicks, going back, loading again, links within a page."""

import asyncio

import pytest
from playwright.async_api import expect
from sqlalchemy import func, select

from host_tools.cloud import links
from host_tools.cloud.store.models import Event
from tests.host_tools import chromium_rig
from tests.host_tools.cloud_rig import code_in
from tests.host_tools.test_cloud_browser import EMAIL, chromium, join, rig  # noqa: F401
from tests.host_tools.test_cloud_passkeys_browser import Device, address, joined, press_passkey
from tests.host_tools.test_cloud_passkeys_browser import rig as passkeys_rig  # noqa: F401


@pytest.fixture
async def tab(chromium):  # noqa: F811
    context = await chromium.new_context(ignore_https_errors=True, has_touch=True, is_mobile=True)
    yield await context.new_page()
    await context.close()


async def sign_up(rig, tab):  # noqa: F811
    """Up to the page that asks for the mail's code."""
    await rig.browser().sign_up("ben@example.org")  # an address with an account is none of this browser's
    await chromium_rig.fill_sign_up(rig, tab, EMAIL)
    await tab.get_by_role("button", name="Create account").click()
    await expect(tab.get_by_label("6-digit code")).to_be_focused()


async def test_a_double_click_sends_a_code_once(rig, tab):  # noqa: F811
    await sign_up(rig, tab)
    posts = []
    tab.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    await tab.get_by_label("6-digit code").fill(code_in((await rig.mails(EMAIL))[0]))
    await tab.get_by_role("button", name="Confirm e-mail").dblclick()
    await expect(tab.get_by_role("heading", name="Choose a second factor")).to_be_visible()
    assert [url.rsplit("/", 1)[-1] for url in posts] == ["confirm"]


async def test_the_browser_tells_its_time_zone(rig, chromium):  # noqa: F811
    context = await chromium.new_context(ignore_https_errors=True, timezone_id="Asia/Tokyo")
    await join(rig, await context.new_page())
    assert (await rig.parts.administration.find(EMAIL)).time_zone == "Asia/Tokyo"
    await context.close()


async def test_going_back_and_loading_again_after_a_refusal_ask_for_no_form_to_be_sent_again(rig, tab):  # noqa: F811
    await sign_up(rig, tab)
    await tab.get_by_label("6-digit code").fill("000 000")
    await tab.keyboard.press("Enter")
    wrong = tab.get_by_text("That code is not right.")
    await expect(wrong).to_be_visible()
    await tab.reload()
    await expect(wrong).to_have_count(0)
    await expect(tab.get_by_label("6-digit code")).to_be_focused()
    await tab.keyboard.type("000000")
    await tab.keyboard.press("Enter")
    await expect(wrong).to_be_visible()
    await tab.get_by_role("link", name="Start again").click()
    await expect(tab.get_by_label("First name")).to_be_visible()
    await tab.go_back()
    await expect(tab.get_by_label("6-digit code")).to_be_visible()


async def test_a_phone_opens_the_key_in_its_own_app_and_copies_it(rig, tab):  # noqa: F811
    await join(rig, tab)
    await tab.goto(str(rig.server.make_url("/security/authenticators/add")))
    link = tab.get_by_role("link", name="Open it in the app on this device")
    await expect(link).to_be_visible()
    secret = (await tab.locator("#key").text_content()).replace(" ", "")
    assert (await link.get_attribute("href")).startswith("otpauth://totp/")
    assert f"secret={secret}" in await link.get_attribute("href")


async def test_the_first_field_that_is_wrong_has_the_focus_whatever_kind_it_is(rig, tab):  # noqa: F811
    await join(rig, tab)
    await tab.goto(str(rig.server.make_url("/help/new")))
    await tab.get_by_label("Subject").fill("No internet")
    await tab.get_by_role("button", name="Send to support").click()
    await expect(tab.get_by_role("alert")).to_have_text("Write the message.")
    await expect(tab.locator("textarea")).to_be_focused()


async def test_a_skip_link_is_no_code_and_a_code_is_no_skip_link(rig, tab):  # noqa: F811
    """On the page that a mail's link leads to, the fragment may be either."""
    page = str(rig.server.make_url("/undo"))
    field = tab.get_by_label("Code of the message")
    await tab.goto(page + "#main")
    await expect(tab.locator("html.scripted")).to_have_count(1)
    assert tab.url == page + "#main"
    assert await field.input_value() == ""
    await field.press_sequentially("half a code")
    await tab.locator(".skip").focus()
    await tab.keyboard.press("Enter")  # the skip link, once more
    await expect(field).to_have_value("half a code")
    assert tab.url == page + "#main"
    await tab.evaluate("(code) => { location.hash = code; }", links.grouped(links.new_code()))
    await expect(tab.get_by_role("heading", name="This link is over")).to_be_visible()
    assert tab.url == page
    await tab.locator(".skip").focus()
    await tab.keyboard.press("Enter")
    await tab.wait_for_url(page + "#main")
    await expect(tab.get_by_role("heading", name="This link is over")).to_be_visible()


async def test_of_two_browsers_that_switch_passkeys_only_on_at_once_one_does(passkeys_rig, chromium):  # noqa: F811
    rig = passkeys_rig  # noqa: F811
    one, two = [await Device.start(chromium) for _ in range(2)]
    await joined(rig, one)
    await two.keep((await one.passkeys())[0])
    await one.tell("clearCredentials")  # a device makes one: the next is another's
    await one.tab.goto(address(rig, "/security/passkeys/add"))
    await one.tab.get_by_role("button", name="Go on").click()
    await one.tab.get_by_role("button", name="Make the passkey").click()
    await expect(one.tab.get_by_text("Passkey added")).to_have_count(1)
    await press_passkey(rig, two.tab)
    await expect(two.tab.get_by_text("Register your first router")).to_be_visible()
    buttons = [device.tab.get_by_role("button", name="Switch it on") for device in (one, two)]
    for device, button in zip((one, two), buttons, strict=True):
        await device.tab.goto(address(rig, "/security/passkeys-only"))
        await button.wait_for()
    await asyncio.gather(*(button.click() for button in buttons))
    inside = []
    for device, button in zip((one, two), buttons, strict=True):
        await expect(button).to_have_count(0)  # each was answered
        await device.tab.goto(address(rig, "/security"))
        inside.append(device.tab.url == address(rig, "/security"))
    assert sorted(inside) == [False, True]
    async with rig.parts.database.read() as session:
        switched = select(func.count()).select_from(Event).where(Event.kind == "passkeys_only_on")
        assert await session.scalar(switched) == 1
