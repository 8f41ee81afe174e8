"""The system page in Chromium: time, room, the log and its file, and how the router goes down."""

import re
import time

import pytest
from gatelodge.contract import service_code
from playwright.sync_api import expect

from tests.fakes.admin_page import SERVICE_CODE
from tests.host_tools.admin_page_rig import PASSWORD, set_up, weight_of
from tests.host_tools.conftest import PHONE

LATER_LOAD_BYTES = 15 * 1024


@pytest.fixture
def system(tab, router):
    """The system page of an owner who gave a code a moment ago. Returns (authenticator, the code)."""
    totp, _, used = set_up(tab, router)
    tab.goto(router.url + "/system")
    return totp, used


def log_of(router):
    return (router.folder / "log.txt").read_text()


def wait_for_end(router):
    router.process.wait(20)


def test_it_tells_the_time_its_source_and_the_room_that_is_left(tab, system):
    expect(tab.get_by_role("heading", name="Running for 2 days 4 hours")).to_be_visible()
    expect(tab.locator("[data-live='clock.now']")).to_have_text(re.compile(r"\d{4}, \d\d:\d\d\sUTC"))
    expect(tab.locator("dd", has_text="Set by network time")).to_be_visible()
    expect(tab.locator("dd", has_text="of 132.1 MB")).to_be_visible()
    expect(tab.locator("nav [aria-current=page]")).to_have_text("System")


def test_an_unset_clock_is_said_and_the_page_lives(tab, router, system):
    router.tell("unset")
    expect(tab.locator("[data-live='clock.now']")).to_contain_text("waits for network time")
    expect(tab.locator(".headline")).to_have_attribute("data-state", "waiting")
    router.tell("fail facts")
    expect(tab.locator("[data-live-state=router] .failed")).to_be_visible()
    expect(tab.locator("[data-live-state=clock] .failed")).to_be_hidden()


def test_the_log_is_filtered_by_level_and_by_words(tab, system):
    lines = tab.locator(".log li")
    expect(lines).to_have_count(32)
    tab.get_by_label("Show", exact=True).select_option("Warnings and errors")
    tab.get_by_role("button", name="Filter").click()
    expect(lines.filter(has_text="network time")).to_have_count(1)
    expect(lines.filter(has_text="heartbeat")).to_have_count(0)
    tab.get_by_label("Show", exact=True).select_option("Every line")
    tab.get_by_label("With the words").fill("HEARTBEAT 7 ")
    tab.keyboard.press("Enter")
    expect(lines).to_have_count(1)
    expect(tab.get_by_label("With the words")).to_have_value("HEARTBEAT 7 ")
    tab.get_by_label("With the words").fill("a unicorn & <more>")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("No line matches.")).to_be_visible()


def test_what_is_in_the_log_is_text_and_no_markup(tab, router, system):
    tab.goto(router.url + "/system?level=warning")
    expect(tab.locator(".log li", has_text="<b>network time</b>")).to_be_visible()
    expect(tab.locator(".log li b")).to_have_text(["warning"] * tab.locator(".log li").count())


def test_the_log_is_saved_as_a_file_with_the_same_choice_and_no_secret(tab, router, system):
    tab.get_by_label("With the words").fill("heartbeat")
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download as a file").click()
    assert download.value.suggested_filename == "gatelodge-log.txt"
    saved = download.value.path().read_text()
    assert saved.startswith("Log of router GL26A0000042, firmware 0.1.0.\n")
    assert saved.count("heartbeat") == 60 and saved.index("heartbeat 0 ") < saved.index("heartbeat 59 ")
    for secret in (PASSWORD, SERVICE_CODE, service_code.format_grouped(SERVICE_CODE), system[0].secret):
        assert secret not in saved + log_of(router)


def test_a_restart_is_said_waited_for_and_ends_at_the_sign_in(tab, router, system):
    tab.get_by_role("button", name="Restart router").click()
    expect(tab.get_by_role("status").first).to_have_text("The router restarts.")
    wait_for_end(router)
    assert "the router goes down" in log_of(router)
    assert "the router restarts, asked by the admin page, from 127.0.0.1" in log_of(router)
    expect(tab.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    router.start()
    expect(tab.get_by_text("The router restarted, which ends every session.")).to_be_visible()


def test_power_off_says_what_it_means_before_and_after(tab, router, system):
    expect(tab.get_by_role("button", name="Power off router")).to_be_hidden()
    tab.locator("summary", has_text="Power off").click()
    tab.get_by_role("button", name="Power off router").click()
    expect(tab.get_by_role("status").first).to_contain_text("unplug it and plug it in")
    wait_for_end(router)


def test_a_factory_reset_names_the_loss_and_leads_to_the_wizard(tab, router, system):
    tab.locator("summary", has_text="Factory reset").click()
    expect(tab.get_by_text("This erases the password, every authenticator")).to_be_visible()
    tab.get_by_role("button", name="Erase everything and reset").click()
    expect(tab.get_by_role("status").first).to_contain_text("no owner any more")
    wait_for_end(router)
    router.start()
    expect(tab.get_by_label("Service code")).to_be_visible()
    assert "was reset by the admin page" in log_of(router)
    set_up(tab, router)


def test_a_code_is_asked_for_again_once_the_last_is_five_minutes_old(tab, router, system):
    totp, used = system
    router.tell("later 301")
    tab.get_by_role("button", name="Restart router").click()
    expect(tab.get_by_role("heading", name="Is it you?")).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_role("heading", name="Is it you?")).to_be_hidden()
    assert router.process.poll() is None
    tab.get_by_role("button", name="Restart router").click()
    expect(tab.get_by_role("heading", name="Is it you?")).to_be_visible()
    code = totp.at(time.time(), counter_offset=1)  # the next one: the clocks may differ by a step
    assert code != used
    tab.get_by_label("Six-digit code").press_sequentially(code)
    expect(tab.get_by_role("status").first).to_have_text("The router restarts.")
    wait_for_end(router)


def test_without_a_session_nothing_is_told_and_nothing_goes_down(router):
    for path in ("/system", "/system/log.txt"):
        assert router.ask("GET", path)[0] == 303
    for path in ("restart", "power-off", "reset"):
        assert router.ask("POST", "/api/system/" + path, {})[0] in (401, 409)
        assert router.ask("GET", "/api/system/" + path)[0] == 405
    assert router.process.poll() is None


def test_long_lines_are_cut_on_the_page_and_leave_it_small(tab, router, system):
    router.tell("talk")
    tab.goto(router.url + "/system")
    expect(tab.locator(".log li", has_text="x…").first).to_be_visible()
    assert 10 < tab.locator(".log li").count() < 32
    assert len(tab.content().encode()) <= LATER_LOAD_BYTES


def test_a_later_load_is_small_and_nothing_overflows_a_phone(tab, router, system):
    weights = []
    tab.on("requestfinished", lambda request: weights.append((request.url, weight_of(request))))
    tab.reload()
    tab.locator("[data-live='clock.now']").wait_for()
    assert sum(size for url, size in weights if "/live" not in url) <= LATER_LOAD_BYTES, weights
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
