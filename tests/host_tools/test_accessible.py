"""The admin page for everybody: axe-core in both colour schemes, the keyboard alone, a screen of 320 px."""

import time

import pyotp
import pytest
from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import (
    PASSWORD,
    SERVICE_CODE,
    AdminPage,
    decode_qr,
    enter_password,
    set_up,
)
from tests.host_tools.axe_rig import QUIET, faults, missed, tab_to
from tests.host_tools.conftest import PATIENCE_MS

PAGES = ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about")
DIALOGS = (
    "Change the password",
    "Add an authenticator",
    "Change My phone",
    "Switch two-factor off",
    "Make new codes",
    "Create a token",
)


def opened(browser):
    context = browser.new_context(**QUIET)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


@pytest.fixture(scope="module")
def home(browser, tmp_path_factory):
    """(router, tab of its owner) for every test of this file that changes neither."""
    router = AdminPage(tmp_path_factory.mktemp("home"))
    tab = opened(browser)
    set_up(tab, router)
    yield router, tab
    tab.context.close()
    router.stop()


@pytest.fixture
def newcomer(browser, router):
    """A tab of somebody at a blank router."""
    tab = opened(browser)
    yield tab
    tab.context.close()


@pytest.fixture
def visitor(browser, home):
    """(router, tab without a session); the router's clock is set again afterwards."""
    tab = opened(browser)
    tab.goto(home[0].url)
    yield home[0], tab
    home[0].tell("set")
    tab.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_on_a_page_of_the_rail(home, path):
    router, tab = home
    tab.goto(router.url + path)
    assert faults(tab) == []


@pytest.mark.parametrize("path", PAGES[:-1])
def test_what_changes_by_itself_is_said(home, path):
    router, tab = home
    tab.goto(router.url + path)
    largest = tab.locator(".headline h1 [data-live]")
    assert largest.evaluate("it => it.closest('[aria-live]').getAttribute('aria-live')") == "polite"
    for claim in tab.locator("[data-live-html=claim]").all():
        expect(claim).to_have_attribute("aria-live", "assertive")
    expect(tab.locator("#lost")).to_have_attribute("role", "alert")
    expect(tab.locator("#say")).to_have_attribute("role", "status")


@pytest.mark.parametrize("path", PAGES)
def test_tab_reaches_everything_on_a_page_of_the_rail_and_is_seen_there(home, path):
    router, tab = home
    tab.goto(router.url + path)
    assert missed(tab) == []


def test_axe_finds_nothing_in_a_step_of_the_wizard(newcomer, router):
    tab = newcomer
    tab.goto(router.url)
    tab.get_by_label("Service code").fill(SERVICE_CODE[:-1])
    tab.keyboard.press("Enter")
    expect(tab.locator("#service_code-error")).not_to_be_empty()
    assert faults(tab) == []
    tab.get_by_label("Service code").fill(SERVICE_CODE)
    tab.keyboard.press("Enter")
    tab.get_by_label("New password").fill(PASSWORD)
    expect(tab.locator("[data-strength] span")).to_have_text("Strong")
    assert faults(tab) == []
    tab.keyboard.press("Enter")
    code = pyotp.parse_uri(decode_qr(tab)).now()
    assert faults(tab) == []
    tab.get_by_label("Six-digit code").press_sequentially(code)
    tab.locator("[data-codes] li").first.wait_for()
    assert faults(tab) == []


def test_axe_finds_nothing_where_the_password_is_asked_for(visitor):
    _, tab = visitor
    tab.get_by_label("Password").fill("not this one")
    tab.keyboard.press("Enter")
    expect(tab.locator("#password-error")).to_contain_text("not the password")
    assert faults(tab) == []


@pytest.mark.parametrize("clock", ["set", "unset 30"])
def test_axe_finds_nothing_where_codes_are_asked_for(visitor, clock):
    router, tab = visitor
    router.tell(clock)
    enter_password(tab)
    tab.get_by_text("Don't have a code?").click()
    assert faults(tab) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_axe_finds_nothing_in_a_dialog_of_the_security_page(home, name):
    router, tab = home
    tab.goto(router.url + "/security")
    tab.get_by_role("button", name=name, exact=True).click()
    tab.get_by_role("dialog").get_by_role("button", name="Cancel").wait_for()
    assert faults(tab) == []


@pytest.mark.parametrize("name", ["Make a backup", "Restore a backup", "Install an update"])
def test_axe_finds_nothing_in_a_dialog_of_the_system_page(home, name):
    router, tab = home
    tab.goto(router.url + "/system")
    tab.get_by_role("button", name=name, exact=True).click()
    tab.get_by_role("dialog").get_by_role("button", name="Cancel").wait_for()
    assert faults(tab) == []


def test_axe_finds_nothing_where_a_page_tells_of_trouble(home):
    router, tab = home
    try:
        for line in ("cut", "offline", "fail neighbours", "claim"):
            router.tell(line)
        for path in ("/", "/devices", "/cloud"):
            tab.goto(router.url + path)
            tab.locator("[data-state=failed], [data-state=waiting]").first.wait_for()
            assert faults(tab) == [], path
    finally:
        for line in ("join", "online", "heal"):
            router.tell(line)


def test_axe_finds_nothing_on_a_page_whose_router_is_gone(newcomer, router):
    set_up(newcomer, router)
    router.stop()
    expect(newcomer.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    assert faults(newcomer) == []
    router.start()


def test_the_wizard_and_a_sign_in_need_no_pointer(newcomer, router):
    tab, keys = newcomer, newcomer.keyboard
    tab.goto(router.url)
    expect(tab.get_by_label("Service code")).to_be_visible()
    tab_to(tab, "Service code")
    keys.type(SERVICE_CODE)
    keys.press("Enter")
    expect(tab.get_by_label("New password")).to_be_focused()
    keys.type(PASSWORD)
    tab_to(tab, "Continue")
    keys.press("Enter")
    totp = pyotp.parse_uri(decode_qr(tab))
    expect(tab.get_by_label("Six-digit code")).to_be_focused()
    keys.type(totp.now())
    tab.locator("[data-codes] li").first.wait_for()
    tab_to(tab, "safe place")
    keys.press("Space")
    tab_to(tab, "Open the overview")
    keys.press("Enter")
    tab.locator("[data-chart] svg").wait_for()
    tab_to(tab, "Sign out")
    keys.press("Enter")
    expect(tab.get_by_text("You are signed out.")).to_be_visible()
    expect(tab.get_by_label("Password")).to_be_focused()
    keys.type(PASSWORD)
    tab_to(tab, "Continue")
    keys.press("Enter")
    expect(tab.get_by_label("Six-digit code")).to_be_focused()
    keys.type(totp.at(time.time(), counter_offset=1))
    expect(tab.get_by_role("heading", name="The internet works")).to_be_visible()


def test_the_first_stop_of_a_page_leads_past_its_rail(home):
    router, tab = home
    tab.goto(router.url + "/security")
    tab_to(tab, "Skip to the content")
    tab.keyboard.press("Enter")
    tab_to(tab, "Change the password")
    assert tab.evaluate("[...window.passed].every((it) => !it.closest('.rail'))")


def test_the_proof_is_asked_for_and_left_by_keyboard(newcomer, router):
    tab = newcomer
    set_up(tab, router)
    router.tell("later 301")
    tab.goto(router.url + "/system")
    tab_to(tab, "Restart router")
    tab.keyboard.press("Enter")
    proof = tab.get_by_role("dialog", name="Is it you?")
    expect(proof.get_by_label("Six-digit code")).to_be_focused()
    assert faults(tab) == []
    tab_to(tab, "Cancel")
    tab.keyboard.press("Enter")
    expect(proof).to_be_hidden()
    expect(tab.get_by_role("button", name="Restart router")).to_be_focused()
