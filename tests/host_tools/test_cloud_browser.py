"""The portal in Chromium, with and without script: forms, live values, the QR code as a phone reads it."""

import io

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import expect

from host_tools.cloud import certificates
from tests.host_tools import chromium_rig
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in

EMAIL = "ada@example.org"
SERIAL = "GL-0001"
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 640}


@pytest.fixture
async def rig(tmp_path):
    context = certificates.load_or_create(tmp_path).portal_context()
    async with Rig(tmp_path, tls=context) as rig:
        rig.clock.now = float(int(rig.clock.now))
        yield rig


@pytest.fixture
async def chromium():
    async with chromium_rig.started() as browser:
        yield browser


@pytest.fixture
async def tab(chromium):
    """A tab of a fresh browser. Whatever its console complains of, refused styles too, fails the test."""
    context = await chromium.new_context(ignore_https_errors=True, viewport=PHONE)
    tab = await context.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield tab
    await context.close()
    assert complaints == []


async def join(rig, tab):
    await chromium_rig.fill_sign_up(rig, tab, EMAIL)
    await tab.get_by_role("button", name="Create account").click()
    await tab.get_by_label("6-digit code").fill(code_in((await rig.mails(EMAIL))[0]))
    await tab.get_by_role("button", name="Confirm e-mail").click()
    await tab.get_by_role("link", name="Not now").click()
    await expect(tab.get_by_text("Register your first router")).to_be_visible()


async def claim(rig, tab):
    """Registered up to the wait for approval, by hand."""
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    await tab.get_by_role("link", name="Register a router").click()
    await tab.get_by_label("Service code").fill(code.lower())
    await tab.get_by_role("button", name="Register router").click()
    await expect(tab.get_by_text("Waiting for approval")).to_be_visible()
    await rig.until(lambda: SERIAL in rig.hub.claims)


async def test_every_form_works_without_script(rig, chromium):
    context = await chromium.new_context(ignore_https_errors=True, java_script_enabled=False)
    tab = await context.new_page()
    await join(rig, tab)
    await claim(rig, tab)
    await rig.hub.answer(SERIAL, True)
    await tab.goto(str(rig.server.make_url(f"/routers/{SERIAL}")))
    await tab.get_by_role("link", name="Restart router").click()
    await tab.get_by_role("button", name="Restart router").click()
    await expect(tab.get_by_text("Restarting. The result comes here.")).to_be_visible()
    await context.close()


async def test_the_waiting_page_goes_on_by_itself(rig, tab):
    await join(rig, tab)
    await claim(rig, tab)
    number = await tab.locator(".number strong").inner_text()
    assert number.replace(" ", "") == rig.hub.claims[SERIAL]["number"]
    await rig.hub.answer(SERIAL, True)
    await expect(tab.get_by_text("The router is yours")).to_be_visible()


async def test_an_open_page_follows_the_router(rig, tab):
    await join(rig, tab)
    await claim(rig, tab)
    await rig.hub.answer(SERIAL, True)
    await tab.get_by_role("link", name="Show the router").click()
    await expect(tab.locator("[data-field=load]")).to_have_text("0.25")
    await rig.hub.connect(SERIAL, load=1.5)
    await expect(tab.locator("[data-field=load]")).to_have_text("1.50")
    await rig.hub.disconnect(SERIAL)
    await expect(tab.locator("h1")).to_have_text("Offline")


async def test_a_phone_reads_the_key_from_the_qr_code_in_the_dark_too(rig, tab):
    await join(rig, tab)
    await tab.emulate_media(color_scheme="dark")
    await tab.goto(str(rig.server.make_url("/security/authenticators/add")))
    picture = Image.open(io.BytesIO(await tab.locator("svg.qr").screenshot()))
    totp = pyotp.parse_uri(zxingcpp.read_barcode(picture).text)
    await tab.get_by_label("Code the app shows now").fill(totp.at(int(rig.clock())))
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.get_by_role("button", name="Verify and save").click()
    await expect(tab.locator("#codes li")).to_have_count(10)


async def test_nothing_overflows_a_narrow_phone(rig, tab):
    await join(rig, tab)
    await claim(rig, tab)
    await rig.hub.answer(SERIAL, True)
    await expect(tab.get_by_text("The router is yours")).to_be_visible()
    await tab.set_viewport_size(NARROW)
    for path in ("/routers", f"/routers/{SERIAL}", "/routers/register", "/security/authenticators/add"):
        await tab.goto(str(rig.server.make_url(path)))
        assert await tab.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path


async def test_an_open_page_of_a_trusted_browser_is_told_and_lets_the_new_one_in(rig, chromium, tab):
    await join(rig, tab)
    context = await chromium.new_context(ignore_https_errors=True)
    new = await context.new_page()
    await new.goto(str(rig.server.make_url("/sign-in")))
    await new.get_by_label("E-mail").fill(EMAIL)
    await new.get_by_label("Password", exact=True).fill(PASSWORD)
    await new.get_by_role("button", name="Sign in", exact=True).click()
    number = await new.locator(".number strong").inner_text()
    await tab.get_by_role("link", name="See who it is").click()
    await tab.get_by_label("Number that the other browser shows").fill(number)
    await tab.get_by_role("button", name="Let it in").click()
    await expect(new.get_by_text("Register your first router")).to_be_visible()  # by itself
    await context.close()
