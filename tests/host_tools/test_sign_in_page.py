"""Signing in, in Chromium: two codes until the time is proved, trusted browsers, a phone that is off."""

import time

import pytest
from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import PASSWORD, set_up, sign_out
from tests.host_tools.conftest import PHONE

STEP_S = 30
SEARCH_PATIENCE_MS = 180000  # for four years of steps beside other tests
CLOCK_SET = "Your two codes have set the router's clock"


@pytest.fixture
def phone(tab, router):
    """A router that is set up, and signed out of; the authenticator."""
    totp, _, _ = set_up(tab, router)
    sign_out(tab)
    return totp


def enter_password(tab, router):
    tab.goto(router.url + "/signin")
    tab.get_by_label("Password").fill(PASSWORD)
    tab.keyboard.press("Enter")


def code(phone, ahead_steps=0):
    return phone.at(int(time.time()) + ahead_steps * STEP_S)


def type_two_codes(tab, first, second):
    tab.get_by_label("Code shown now").press_sequentially(first)
    expect(tab.get_by_label("Next code")).to_be_focused()
    tab.keyboard.type(second)


def overview(tab):
    return tab.get_by_role("heading", name="The internet works")


def test_two_codes_sign_in_and_the_page_says_that_they_set_the_clock(tab, router, phone):
    router.tell("unset 400")
    enter_password(tab, router)
    type_two_codes(tab, code(phone, 1), code(phone, 2))
    expect(overview(tab)).to_be_visible()
    expect(tab.get_by_role("status")).to_contain_text(CLOCK_SET)
    expect(tab.get_by_text("Set by two codes")).to_be_visible()


def test_without_a_right_time_in_the_browser_it_says_how_far_it_has_searched(tab, router, phone):
    router.tell("unset 1")
    tab.add_init_script("Date.now = () => 0")
    enter_password(tab, router)
    years = 4 * 365 * 86400 // STEP_S  # that the router was off, as far as it can know
    type_two_codes(tab, code(phone, years), code(phone, years + 1))
    expect(tab.locator("[data-search]")).to_contain_text("days after the last time the router knew")
    expect(overview(tab)).to_be_visible(timeout=SEARCH_PATIENCE_MS)
    expect(tab.get_by_role("status")).to_contain_text(CLOCK_SET)


def test_a_typing_error_is_put_right_while_the_search_goes_on(tab, router, phone):
    router.tell("unset 30")
    enter_password(tab, router)
    first, second = code(phone, 1), code(phone, 2)
    type_two_codes(tab, first, "000000")
    expect(tab.locator("[data-search]")).to_contain_text("Searching")
    tab.get_by_label("Next code").fill("")
    tab.get_by_label("Next code").press_sequentially(second)
    expect(overview(tab)).to_be_visible()


def test_the_same_code_twice_is_told_at_its_field(tab, router, phone):
    router.tell("unset 30")
    enter_password(tab, router)
    type_two_codes(tab, code(phone, 1), code(phone, 1))
    expect(tab.locator("#next_code-error")).to_contain_text("first code again")
    expect(tab.get_by_label("Next code")).to_be_focused()


def test_a_router_that_learns_the_time_meanwhile_asks_for_one_code(tab, router, phone):
    router.tell("unset 30")
    enter_password(tab, router)
    expect(tab.get_by_label("Next code")).to_be_visible()
    router.tell("set")
    type_two_codes(tab, code(phone, 1), code(phone, 2))
    expect(tab.get_by_role("status")).to_contain_text("The router knows the time now.")
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 1))
    expect(overview(tab)).to_be_visible()


def test_a_clock_that_was_set_wrong_is_put_right_by_two_codes(tab, router, phone):
    router.tell("doubt -200")
    enter_password(tab, router)
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 1))
    expect(tab.locator("#code-error")).to_contain_text("not the code shown now")
    tab.get_by_role("link", name="Enter two codes").click()
    expect(tab.get_by_text("nobody has proved")).to_be_visible()
    expect(tab.get_by_label("Trust this browser")).to_have_count(0)
    type_two_codes(tab, code(phone, 1), code(phone, 2))
    expect(overview(tab)).to_be_visible()
    expect(tab.get_by_role("status")).to_contain_text(CLOCK_SET)
    expect(tab.get_by_text("Set by two codes")).to_be_visible()


def test_a_clock_that_two_codes_contradicted_is_not_trusted_by_a_code(tab, router, phone):
    router.tell("doubt 3")
    enter_password(tab, router)
    expect(tab.get_by_label("Trust this browser")).to_be_visible()
    tab.goto(router.url + "/signin/code?codes=two")
    type_two_codes(tab, code(phone, 1), code(phone, 2))
    expect(overview(tab)).to_be_visible()
    tab.goto(router.url + "/about")
    tab.get_by_role("button", name="Show the service code").click()
    proof = tab.get_by_role("dialog", name="Is it you?")
    proof.get_by_label("Six-digit code").press_sequentially(code(phone))
    expect(proof).to_contain_text("The router's time is in doubt")
    tab.goto(router.url)
    sign_out(tab)
    enter_password(tab, router)
    expect(tab.get_by_label("Six-digit code")).to_be_visible()
    expect(tab.get_by_label("Trust this browser")).to_have_count(0)
    expect(tab.get_by_text("Is the router's time wrong?")).to_be_visible()


def test_where_the_time_was_proved_one_code_is_asked_for_whatever_the_address_says(tab, router, phone):
    router.tell("set")
    enter_password(tab, router)
    expect(tab.get_by_label("Six-digit code")).to_be_visible()
    tab.goto(router.url + "/signin/code?codes=two")
    expect(tab.get_by_label("Six-digit code")).to_be_visible()
    expect(tab.get_by_role("link", name="Enter two codes")).to_have_count(0)


def test_the_recovery_code_stays_offered(tab, router, phone):
    router.tell("unset 30")
    enter_password(tab, router)
    tab.get_by_text("Don't have a code?").click()
    expect(tab.get_by_label("Recovery code")).to_be_visible()


def test_a_trusted_browser_skips_the_code_until_it_is_revoked(tab, router, phone):
    enter_password(tab, router)
    tab.get_by_label("Trust this browser for 30 days").check()
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 1))
    expect(overview(tab)).to_be_visible()
    cookie = next(cookie for cookie in tab.context.cookies() if cookie["name"] == "__Host-trust")
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert 29 * 86400 < cookie["expires"] - time.time() <= 30 * 86400
    sign_out(tab)
    enter_password(tab, router)
    expect(overview(tab)).to_be_visible()
    sign_out(tab)
    router.tell("unset 1")
    enter_password(tab, router)
    expect(tab.get_by_label("Next code")).to_be_visible()


def test_a_code_that_is_pasted_or_filled_in_is_sent_by_itself(tab, router, phone):
    enter_password(tab, router)
    field = tab.get_by_label("Six-digit code")
    expect(field).to_have_attribute("autocomplete", "one-time-code")
    tab.evaluate("text => { window.copied = text }", code(phone, 1)[:3] + " " + code(phone, 1)[3:])
    field.focus()
    tab.evaluate("document.execCommand('insertText', false, window.copied)")  # as pasting does
    expect(overview(tab)).to_be_visible()


def test_a_browser_that_is_not_trusted_gets_no_such_cookie(tab, router, phone):
    enter_password(tab, router)
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 1))
    expect(overview(tab)).to_be_visible()
    assert "__Host-trust" not in {cookie["name"] for cookie in tab.context.cookies()}


def test_a_phone_that_is_ahead_signs_in_and_is_told(tab, router, phone):
    while time.time() % STEP_S > STEP_S - 8:  # the next code has to stay the next one
        time.sleep(0.2)
    enter_password(tab, router)
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 1))
    expect(tab.get_by_role("status")).to_contain_text("My phone is about 30 s ahead of the router.")


def test_a_phone_that_is_far_ahead_is_told_what_to_press(tab, router, phone):
    enter_password(tab, router)
    error = tab.locator("#code-error")
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 6))
    expect(error).to_contain_text("not the code shown now")
    tab.get_by_label("Six-digit code").press_sequentially(code(phone, 7))
    expect(error).to_contain_text("ahead of the router. Turn on automatic time")


def test_the_code_pages_fit_a_narrow_phone(tab, router, phone):
    for line, query in (("set", ""), ("unset 30", ""), ("doubt 3", ""), ("doubt 3", "?codes=two")):
        router.tell(line)
        enter_password(tab, router)
        tab.locator("#code").wait_for()
        tab.goto(router.url + "/signin/code" + query)
        tab.get_by_text("Don't have a code?").click()
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], line
