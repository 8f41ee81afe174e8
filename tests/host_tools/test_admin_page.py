"""The admin page in Chromium: the wizard, sign-in, live values, a claim, and a daemon that restarts."""

import pyotp
from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import (
    PASSWORD,
    SERVICE_CODE,
    decode_qr,
    enter_password,
    set_up,
    sign_out,
    weight_of,
)
from tests.host_tools.conftest import PATIENCE_MS, PHONE

FIRST_LOAD_BYTES = 60 * 1024
FIRST_LOAD_REQUESTS = 3
LATER_LOAD_BYTES = 15 * 1024


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
    tab.goto(router.url + "/security")
    expect(tab.get_by_text("9 of 10 left")).to_be_visible()


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
    expect(tab.locator("[data-live-state=devices] .failed")).to_be_visible()
    router.tell("join")
    expect(tab.get_by_role("heading", name="The internet works")).to_be_visible()
    router.tell("heal")
    expect(tab.locator("[data-live-state=devices] .failed")).to_be_hidden()
    router.tell("alone")
    expect(tab.get_by_text("No device has spoken yet.")).to_be_visible()


def test_a_claim_shows_its_number_and_is_approved(tab, router):
    _, codes, _ = set_up(tab, router)
    router.tell("later 301")  # the code of the wizard proves no more
    router.tell("claim")
    expect(tab.locator(".number")).to_have_text("482 913")
    tab.get_by_role("button", name="Approve").click()
    tab.locator("#prove").get_by_label("Six-digit code").fill(codes[0])
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("status")).to_have_text("Approved. The cloud account will show this router.")
    expect(tab.locator(".claim")).to_be_hidden()
    expect(tab.get_by_text("Ada Lovelace through the cloud")).to_be_visible()


def test_a_page_whose_daemon_restarts_says_so_and_comes_back_by_itself(tab, router):
    set_up(tab, router)
    router.stop()
    expect(tab.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    router.start()
    expect(tab.get_by_text("The router restarted, which ends every session.")).to_be_visible()


def test_who_signs_out_is_told_so_however_late_and_another_tab_that_it_ended(tab, router):
    set_up(tab, router)
    other = tab.context.new_page()
    other.goto(router.url)

    def answer_late(route):
        answer = route.fetch()
        expect(other.get_by_text("Your session ended.")).to_be_visible(timeout=PATIENCE_MS)
        tab.wait_for_function("live.waiting")  # its stream has told it too, and has closed
        tab.evaluate("askAgain()")
        route.fulfill(response=answer)

    tab.route("**/api/sign-out", answer_late)
    tab.get_by_role("button", name="Sign out").click()
    expect(tab.get_by_text("You are signed out.")).to_be_visible(timeout=PATIENCE_MS)


def test_with_an_unset_clock_the_code_page_offers_the_recovery_code(tab, router):
    _, codes, _ = set_up(tab, router)
    sign_out(tab)
    router.tell("unset")
    enter_password(tab)
    tab.get_by_text("Don't have a code?").click()
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


def test_nothing_overflows_a_narrow_phone(tab, router):
    set_up(tab, router)
    for path in ("/", "/devices", "/internet", "/cloud", "/about"):
        tab.goto(router.url + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
