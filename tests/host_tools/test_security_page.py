"""The security page in Chromium: every change that an owner makes there, with its proof."""

import time

import pyotp
import pytest
from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import (
    PASSWORD,
    decode_qr,
    enter_password,
    set_up,
    sign_out,
    weight_of,
)
from tests.host_tools.conftest import PATIENCE_MS, PHONE

NEW_PASSWORD = "seven herons left the weir"
LATER_LOAD_BYTES = 15 * 1024


@pytest.fixture
def other(browser, router):
    """A tab of another browser."""
    context = browser.new_context(ignore_https_errors=True, viewport=PHONE)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


class Owner:
    """Somebody who has set the router up and is on its security page."""

    def __init__(self, tab, router):
        self.tab, self.router = tab, router
        self.totp, self.codes, self.used = set_up(tab, router)
        tab.goto(router.url + "/security")

    def next_code(self):
        """A code that no session has used yet: the app's next one, of which one step of tolerance is left."""
        at = int(time.time())
        while (code := self.totp.at(at)) == self.used:
            at += 30
        self.used = code
        return code

    def press(self, name):
        self.tab.get_by_role("button", name=name, exact=True).click()

    def said(self, text):
        expect(self.tab.get_by_role("status")).to_contain_text(text)


@pytest.fixture
def owner(tab, router):
    return Owner(tab, router)


def test_the_page_says_first_whether_a_lost_phone_is_a_lost_router(owner):
    heading = owner.tab.get_by_role("heading", level=1)
    expect(heading).to_have_text("Two-factor is on, 10 recovery codes left")
    expect(owner.tab.get_by_text("Signed in now")).to_be_visible()
    expect(owner.tab.locator("[aria-current=page]")).to_have_text("Security")


def test_the_password_is_changed_and_the_old_one_opens_nothing(owner):
    owner.press("Change the password")
    dialog = owner.tab.get_by_role("dialog")
    dialog.get_by_label("Password until now").fill("not this one")
    dialog.get_by_label("New password").fill(NEW_PASSWORD)
    expect(dialog.locator("[data-strength] span")).to_have_text("Strong")
    owner.tab.keyboard.press("Enter")
    expect(dialog.locator("#old_password-now-error")).to_contain_text("not the password")
    expect(dialog.get_by_label("Password until now")).to_be_focused()
    dialog.get_by_label("Password until now").fill(PASSWORD)
    owner.tab.keyboard.press("Enter")
    owner.said("The password is changed.")
    sign_out(owner.tab)
    owner.tab.get_by_label("Password").fill(PASSWORD)
    owner.tab.keyboard.press("Enter")
    expect(owner.tab.locator("#password-error")).to_contain_text("not the password")
    owner.tab.get_by_label("Password").fill(NEW_PASSWORD)
    owner.tab.keyboard.press("Enter")
    owner.tab.get_by_label("Six-digit code").wait_for()


def test_an_authenticator_is_added_renamed_removed_and_brought_back(owner):
    tab = owner.tab
    owner.press("Add an authenticator")
    dialog = tab.get_by_role("dialog")
    second = pyotp.parse_uri(decode_qr(tab))
    dialog.get_by_label("Name of this authenticator").fill("Tablet")
    dialog.get_by_label("Six-digit code").press_sequentially(second.now())
    owner.said("The authenticator is added.")
    owner.press("Change Tablet")
    tab.get_by_role("dialog").get_by_label("Name of this authenticator").fill("Old <tablet>")
    owner.press("Save the name")
    expect(tab.get_by_text("Old <tablet>", exact=True)).to_be_visible()
    owner.press("Change Old <tablet>")
    owner.press("Remove it")
    owner.said("The authenticator is removed.")
    expect(tab.get_by_text("“Old <tablet>” was removed.")).to_be_visible()
    owner.press("Undo")
    owner.said("The authenticator is back.")
    expect(tab.locator("#authenticators li")).to_have_count(2)


def test_a_wrong_code_adds_no_authenticator_and_says_so_at_its_field(owner):
    owner.press("Add an authenticator")
    code = owner.tab.get_by_role("dialog").get_by_label("Six-digit code")
    code.press_sequentially("000000")
    expect(owner.tab.locator("#enrol-code-error")).to_contain_text("not the code shown now")
    expect(code).to_be_focused()
    owner.press("Cancel")
    expect(owner.tab.locator("#authenticators li")).to_have_count(1)


def test_two_factor_goes_off_with_password_and_code_and_on_with_new_recovery_codes(owner):
    tab = owner.tab
    owner.press("Switch two-factor off")
    dialog = tab.get_by_role("dialog")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_label("Six-digit code").fill(owner.next_code())
    dialog.get_by_role("button", name="Switch two-factor off").click()
    owner.said("Two-factor is off.")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Two-factor is off")
    expect(tab.locator(".headline")).to_have_attribute("data-state", "trouble")
    owner.router.tell("later 301")
    owner.press("Add an authenticator")
    proof = tab.get_by_role("dialog", name="Is it you?")
    proof.get_by_label("Password").fill(PASSWORD)
    proof.get_by_role("button", name="Continue").click()
    code = pyotp.parse_uri(decode_qr(tab)).now()
    tab.get_by_role("dialog").get_by_label("Six-digit code").press_sequentially(code)
    expect(tab.locator("[data-codes] li")).to_have_count(10)
    tab.keyboard.press("Escape")
    expect(tab.locator("[data-codes] li").first).to_be_visible()
    expect(tab.get_by_role("button", name="Done")).to_be_disabled()
    tab.get_by_label("safe place").check()
    owner.press("Done")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Two-factor is on, 10 recovery codes left")


def test_new_recovery_codes_are_shown_once_and_void_the_old_ones(owner):
    tab = owner.tab
    owner.press("Make new codes")
    tab.get_by_role("dialog").get_by_role("button", name="Make new codes").click()
    expect(tab.locator("[data-codes] li")).to_have_count(10)
    fresh = tab.locator("[data-codes] li").all_inner_texts()
    assert not set(fresh) & set(owner.codes)
    with tab.expect_download() as download:
        owner.press("Save as a file")
    assert all(code in download.value.path().read_text() for code in fresh)
    tab.emulate_media(media="print")
    expect(tab.locator("[data-codes]")).to_be_visible()
    for other in (tab.get_by_role("heading", level=1), tab.locator(".rail"), tab.get_by_label("safe place")):
        expect(other).to_be_hidden()
    tab.emulate_media(media="screen")
    tab.get_by_label("safe place").check()
    owner.press("Done")
    expect(tab.get_by_text("10 of 10 left")).to_be_visible()
    sign_out(tab)
    enter_password(tab)
    tab.get_by_text("Don't have a code?").click()
    tab.get_by_label("Recovery code").fill(owner.codes[0])
    tab.get_by_role("button", name="Sign in with a recovery code").click()
    expect(tab.locator("#recovery_code-error")).to_contain_text("not on the list")


def another_session(owner, tab, code):
    """Signed in from another browser, by a recovery code."""
    tab.goto(owner.router.url)
    enter_password(tab)
    tab.get_by_text("Don't have a code?").click()
    tab.get_by_label("Recovery code").fill(code)
    tab.get_by_role("button", name="Sign in with a recovery code").click()
    tab.locator("[data-chart] svg").wait_for()


def test_another_session_is_listed_and_ended(owner, other):
    another_session(owner, other, owner.codes[0])
    owner.tab.reload()
    rows = owner.tab.locator("#sessions li")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="This one")).to_contain_text("by setting up")
    expect(rows.filter(has_not_text="This one")).to_contain_text("by a recovery code")
    rows.filter(has_not_text="This one").get_by_role("button").click()
    owner.said("The session has ended.")
    expect(rows).to_have_count(1)
    expect(other.get_by_text("Your session ended.")).to_be_visible()


def test_a_trusted_browser_is_listed_and_removed_with_its_sessions(owner, other):
    other.goto(owner.router.url)
    enter_password(other)
    other.get_by_label("Trust this browser").check()
    other.get_by_label("Six-digit code").press_sequentially(owner.next_code())
    other.locator("[data-chart] svg").wait_for()
    owner.tab.reload()
    rows = owner.tab.locator("#browsers li")
    expect(rows).to_contain_text("Last used just now from 127.0.0.1.")
    expect(owner.tab.get_by_text("2 sessions, 1 trusted browser")).to_be_visible()
    rows.get_by_role("button").click()
    owner.said("The browser is not trusted any more, and its sessions have ended.")
    expect(rows).to_have_count(0)
    expect(other.get_by_text("Your session ended.")).to_be_visible()


def test_not_me_ends_the_others_and_asks_for_a_new_password(owner, other):
    another_session(owner, other, owner.codes[0])
    owner.tab.reload()
    owner.press("This was not me")
    owner.said("Every other session, every trusted browser and every API token has ended.")
    expect(owner.tab.get_by_role("dialog").get_by_label("New password")).to_be_visible()
    expect(other.get_by_text("Your session ended.")).to_be_visible()


def test_what_is_asked_long_after_the_last_code_asks_for_one_and_then_goes_on(owner):
    owner.router.tell("later 301")
    owner.press("Make new codes")
    owner.tab.get_by_role("dialog").get_by_role("button", name="Make new codes").click()
    proof = owner.tab.get_by_role("dialog", name="Is it you?")
    proof.get_by_label("Six-digit code").fill(owner.codes[0])
    proof.get_by_role("button", name="Continue").click()
    expect(owner.tab.locator("[data-codes] li")).to_have_count(10)


def test_the_history_shows_the_last_ones_and_on_request_all(owner):
    for number in range(6):
        owner.press("Change My phone" if number == 0 else f"Change Phone {number - 1}")
        owner.tab.get_by_role("dialog").get_by_label("Name of this authenticator").fill(f"Phone {number}")
        owner.press("Save the name")
        owner.said("The name is changed.")
        expect(owner.tab.get_by_text(f"Phone {number}", exact=True)).to_be_visible()
    rows = owner.tab.locator("#entries tr")
    expect(rows).to_have_count(5)
    owner.press("Show the last 50")
    expect(rows).to_have_count(7)
    expect(rows.last).to_contain_text("Set up the router")
    expect(rows.nth(5)).to_be_focused()


def test_a_part_that_cannot_be_read_takes_no_other_along(owner):
    owner.router.tell("damage")
    owner.tab.reload()
    expect(owner.tab.locator("#history")).to_contain_text("could not be read")
    expect(owner.tab.get_by_text("10 of 10 left")).to_be_visible()


def test_nothing_overflows_and_a_later_load_stays_small(owner, other):
    another_session(owner, other, owner.codes[0])
    weights = []
    owner.tab.on("requestfinished", lambda request: weights.append(weight_of(request)))
    owner.tab.reload()
    expect(owner.tab.locator("#sessions li")).to_have_count(2)
    assert sum(weights) <= LATER_LOAD_BYTES
    for name in ("Change the password", "Add an authenticator", "Change My phone", "Switch two-factor off"):
        owner.press(name)
        owner.tab.get_by_role("dialog").get_by_role("button", name="Cancel").wait_for()
        assert owner.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
        assert owner.tab.evaluate(
            "[...document.querySelectorAll('dialog[open]')].every((d) => d.scrollWidth <= d.clientWidth)"
        ), name
        owner.press("Cancel")


def test_everything_is_reached_by_keyboard(owner):
    tab = owner.tab
    tab.get_by_role("button", name="Change the password").focus()
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Password until now")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog")).to_be_hidden()
    expect(tab.get_by_role("button", name="Change the password")).to_be_focused()
