"""The router's owner in a browser: the wizard, the overview, one-time codes, and a clock that is not set."""

import re
import ssl

import pytest
from playwright.sync_api import expect

from host_tools.release import board_image, bundle
from tests.system.people import Owner, fresh_tab
from tests.system.rig import REFERENCE, House, fetch, until

MEMORY = re.compile(r"(\d+\.\d) MB of (\d+\.\d) MB")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Only the cloud tells this router the time: without the cloud there is none."""
    with House(tmp_path_factory.mktemp("house"), "--no-network-time") as house:
        until(house.times_online, "the cloud did not welcome the router")
        yield house


@pytest.fixture(scope="module")
def owner(browser, house):
    """Has been through the wizard and is signed in after it, until the last test."""
    with fresh_tab(browser) as tab:
        yield Owner(tab, house).set_up()


@pytest.fixture
def tab(browser):
    with fresh_tab(browser) as tab:
        yield tab


def test_plain_http_leads_to_the_same_page_over_https(tab, house, owner):
    tab.goto(house.current["http_url"] + "/signin?because=out")
    assert tab.url == owner.url + "/signin?because=out"
    expect(tab.get_by_text("You are signed out.")).to_be_visible()


def test_the_factorys_authority_verifies_the_page_and_nobody_elses_does(house):
    status, body = fetch(house.current["admin_url"] + "/signin", house.trust)
    assert status == 200
    assert "<title>Sign in · Gatelodge</title>" in body
    with pytest.raises(ssl.SSLCertVerificationError):
        fetch(house.current["admin_url"] + "/signin", ssl.create_default_context())


def test_the_wizard_gives_ten_recovery_codes_and_opens_the_overview(owner):
    assert len(set(owner.recovery_codes)) == 10
    expect(owner.tab.get_by_role("heading", name="The internet works")).to_be_visible()


def test_the_overview_shows_what_the_router_really_is(owner):
    text = {
        key: owner.tab.locator(f"[data-live='router.{key}']").inner_text()
        for key in ("model", "firmware", "uptime", "memory")
    }
    assert text["model"] == board_image.load_board(REFERENCE)["model"]
    assert text["firmware"] == bundle.version()
    assert re.fullmatch(r"\d+ (second|minute)s?", text["uptime"])
    used, total = map(float, MEMORY.fullmatch(text["memory"]).groups())
    assert 0 < used < total < 134.3  # of its 128 MiB the kernel keeps some


def test_the_internet_page_shows_the_line_as_it_is(owner):
    owner.tab.goto(owner.url + "/internet")
    port = owner.tab.get_by_role("row", name="eth0")
    expect(port).to_contain_text("10.0.2.15")
    expect(port).to_contain_text("Up")
    owner.tab.goto(owner.url)
    owner.sees_overview()


def test_without_the_time_two_codes_in_a_row_sign_in_and_set_the_clock(owner, house):
    with house.without_cloud():
        house.kill("qemu")
        house.wait_for_admin_page()
        enter_recovery_code(owner, owner.recovery_codes[0])
        owner.sees("clock.detail", re.compile("^Not set yet."))
        owner.sign_out()
        owner.enter_password()
        owner.enter_two_codes(*owner.phone.next_two())
        owner.sees_overview()
        expect(owner.tab.get_by_role("status")).to_contain_text("Your two codes have set the router's clock")
        owner.sees("clock.detail", re.compile("^Set by two codes"))
        assert " clock: set by two codes" in house.router_log()
    owner.sees("clock.detail", re.compile("^Set by the cloud"))


def enter_recovery_code(owner, code):
    owner.enter_password()
    owner.tab.get_by_text("Don't have a code?").click()
    owner.tab.get_by_label("Recovery code").fill(code)
    owner.tab.keyboard.press("Enter")
    owner.sees_overview()


def test_a_code_opens_once(owner):
    owner.sign_out()
    owner.sign_in()
    owner.sign_out()
    owner.enter_password()
    owner.enter_code(owner.last_code)
    expect(owner.tab.locator("#code-error")).to_contain_text("That code has been used.")
    owner.tab.goto(owner.url)
    expect(owner.tab).to_have_url(owner.url + "/signin")
