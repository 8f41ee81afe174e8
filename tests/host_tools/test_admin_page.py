"""The admin page in Chromium: the wizard, sign-in, live values, a claim, and a daemon that restarts."""

import io

import pyotp
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from tests.host_tools.admin_page_rig import CHROMIUM, PASSWORD, SERVICE_CODE, AdminPage

FIRST_LOAD_BYTES = 60 * 1024
FIRST_LOAD_REQUESTS = 3
LATER_LOAD_BYTES = 15 * 1024
PATIENCE_MS = 15000
PHONE = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def router(tmp_path):
    page = AdminPage(tmp_path)
    yield page
    page.stop()


@pytest.fixture
def tab(browser, router):
    """A tab of a fresh browser. Whatever the console or the page's policy complains of fails the test."""
    context = browser.new_context(ignore_https_errors=True, viewport=PHONE, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text))
    yield tab
    context.close()
    # Chromium tells of each refused form and each lost connection there; both are answers that tests ask for.
    assert [text for text in complaints if "Failed to load resource" not in text] == []


def decode_qr(tab):
    picture = tab.locator("[data-qr] svg").screenshot()
    return zxingcpp.read_barcode(Image.open(io.BytesIO(picture))).text


def set_up(tab, router):
    """Through the wizard. Returns (authenticator, recovery codes, the code that was used)."""
    tab.goto(router.url)
    tab.get_by_label("Service code").fill(SERVICE_CODE.lower())
    tab.keyboard.press("Enter")
    tab.get_by_label("New password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    totp = pyotp.parse_uri(decode_qr(tab))
    code = totp.now()
    tab.get_by_label("Six-digit code").press_sequentially(code)
    codes = tab.locator("[data-codes] li")
    codes.first.wait_for()
    found = codes.all_inner_texts()
    tab.get_by_label("safe place").check()
    tab.get_by_role("button", name="Open the overview").click()
    tab.locator("[data-chart] svg").wait_for()
    return totp, found, code


def sign_out(tab):
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_text("You are signed out.")).to_be_visible()


def enter_password(tab):
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")
    tab.get_by_label("Six-digit code").wait_for()


def test_an_owner_sets_up_signs_out_and_signs_in_and_no_code_works_twice(tab, router):
    totp, codes, used = set_up(tab, router)
    assert len(set(codes)) == 10
    sign_out(tab)
    enter_password(tab)
    tab.get_by_label("Six-digit code").press_sequentially(used)
    expect(tab.locator("#code-error")).to_contain_text("used")
    expect(tab.get_by_label("Six-digit code")).to_have_attribute("aria-invalid", "true")
    tab.get_by_text("Don't have a code?").click()
    tab.get_by_label("Recovery code").fill(codes[3].lower())
    tab.get_by_role("button", name="Sign in with a recovery code").click()
    expect(tab.get_by_role("heading", name="The internet works")).to_be_visible()
    tab.goto(router.url + "/about")
    expect(tab.get_by_text("Recovery codes left")).to_be_visible()
    expect(tab.locator("dd", has_text="9")).to_be_visible()


def test_the_recovery_codes_can_be_saved_and_must_be_acknowledged(tab, router):
    tab.goto(router.url)
    tab.get_by_label("Service code").fill(SERVICE_CODE)
    tab.keyboard.press("Enter")
    tab.get_by_label("New password").fill(PASSWORD)
    expect(tab.locator("[data-strength] span")).to_have_text("Strong")
    tab.keyboard.press("Enter")
    tab.get_by_label("Six-digit code").press_sequentially(pyotp.parse_uri(decode_qr(tab)).now())
    expect(tab.get_by_role("button", name="Open the overview")).to_be_disabled()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as a file").click()
    saved = download.value.path().read_text()
    assert all(code in saved for code in tab.locator("[data-codes] li").all_inner_texts())


def test_an_error_is_tied_to_its_field_and_says_what_to_do(tab, router):
    tab.goto(router.url)
    tab.get_by_label("Service code").fill(SERVICE_CODE[:-1])
    tab.keyboard.press("Enter")
    field = tab.get_by_label("Service code")
    expect(tab.locator("#service_code-error")).to_have_text(
        "A service code has 17 characters, this has 16. Check the label."
    )
    assert "service_code-error" in field.get_attribute("aria-describedby")
    expect(field).to_be_focused()


def test_live_values_arrive_and_failing_parts_leave_the_others_alone(tab, router):
    set_up(tab, router)
    router.tell("cut")
    expect(tab.get_by_role("heading", name="No internet")).to_be_visible()
    expect(tab.locator("[data-live='traffic.received']")).to_have_text("0 bit/s")
    router.tell("fail neighbours")
    expect(tab.locator("[data-live-state=neighbours] .failed")).to_be_visible()
    router.tell("join")
    expect(tab.get_by_role("heading", name="The internet works")).to_be_visible()
    router.tell("heal")
    expect(tab.locator("[data-live-state=neighbours] .failed")).to_be_hidden()
    router.tell("alone")
    expect(tab.get_by_text("No device has spoken yet.")).to_be_visible()


def test_a_claim_shows_its_number_and_is_approved(tab, router):
    set_up(tab, router)
    router.tell("claim")
    expect(tab.locator(".number")).to_have_text("482 913")
    tab.get_by_role("button", name="Approve").click()
    expect(tab.get_by_role("status")).to_have_text("Approved. The cloud account will show this router.")
    expect(tab.locator(".claim")).to_be_hidden()
    expect(tab.get_by_text("Ada Lovelace through the cloud")).to_be_visible()


def test_a_page_whose_daemon_restarts_says_so_and_comes_back_by_itself(tab, router):
    set_up(tab, router)
    router.stop()
    expect(tab.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    router.start()
    expect(tab.get_by_text("The router restarted, which ends every session.")).to_be_visible()


def test_with_an_unset_clock_the_code_page_offers_the_recovery_code(tab, router):
    _, codes, _ = set_up(tab, router)
    sign_out(tab)
    router.tell("unset")
    enter_password(tab)
    tab.get_by_label("Recovery code").fill(codes[0])
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("Not set yet.")).to_be_visible()


def test_the_first_load_is_small_and_later_ones_smaller(tab, router):
    weights = []
    tab.on("requestfinished", lambda request: weights.append(weight_of(request)))
    tab.goto(router.url + "/setup", wait_until="networkidle")
    assert len(weights) <= FIRST_LOAD_REQUESTS
    assert sum(weights) <= FIRST_LOAD_BYTES
    weights.clear()
    tab.goto(router.url + "/setup", wait_until="networkidle")
    assert sum(weights) <= LATER_LOAD_BYTES


def weight_of(request):
    sizes = request.sizes()
    return sizes["responseHeadersSize"] + sizes["responseBodySize"]


def test_nothing_overflows_a_narrow_phone(tab, router):
    set_up(tab, router)
    for path in ("/", "/about"):
        tab.goto(router.url + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
