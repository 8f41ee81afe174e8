"""A router comes into an account of the cloud: the code on its label, its own link, its owner's approval."""

import re

import pytest
from playwright.sync_api import expect

from tests.system.people import Holder, fresh_tab
from tests.system.rig import until

UNKNOWN_CODE = "000G-40R4-0M30-E209-Z"  # well formed, and on no label


@pytest.fixture(scope="module")
def registered(ada, owner, house):
    """Ada's account has the router. The numbers that the portal and the router's page showed."""
    until(house.times_online, "the cloud did not welcome the router")
    number = ada.ask_for(house.current["service_code"])
    shown = owner.number_of_claim()
    owner.approve()
    ada.sees_that_it_is_theirs()
    return number, shown


def test_an_account_takes_the_code_of_the_mail_and_begins_without_routers(ada):
    ada.tab.goto(ada.portal + "/routers")
    expect(ada.tab.get_by_role("heading", name="Register your first router")).to_be_visible()
    expect(ada.tab.locator(".who")).to_contain_text(ada.email)


def test_with_an_authenticator_signing_in_takes_the_password_and_a_code(ada):
    ada.add_authenticator()
    ada.sign_out()
    ada.enter_password()
    expect(ada.tab.get_by_role("heading", name="Enter the code")).to_be_visible()
    ada.tab.goto(ada.portal + "/routers")
    expect(ada.tab.get_by_role("heading", name="Sign in")).to_be_visible()
    ada.enter_password()
    ada.enter_code(ada.phone.next_code())
    expect(ada.tab.locator(".who")).to_contain_text(ada.email)


def test_the_owner_approves_beside_the_same_number_and_both_pages_say_whose_it_is(ada, owner, registered):
    number, shown = registered
    assert re.fullmatch(r"\d{3} \d{3}", number)
    assert number == shown
    owner.sees("cloud.detail", "This router belongs to the account of Ada Bell.")
    ada.open_router()
    ada.sees_router("Online")


def test_a_second_account_learns_nothing_and_gets_nothing(browser, house, owner, registered):
    with fresh_tab(browser) as tab:
        ben = Holder(tab, house, "Ben").sign_up()
        unknown = answer_to(ben, UNKNOWN_CODE)
        assert answer_to(ben, house.current["service_code"]) == unknown
        owner.tab.reload()
        owner.sees_overview()
        expect(owner.tab.locator(".claim")).to_be_hidden()
        owner.sees("cloud.detail", "This router belongs to the account of Ada Bell.")
        assert house.router_log().count("waits for the owner's answer") == 1
        ben.tab.goto(f"{ben.portal}/routers/{house.current['serial_number']}")
        expect(ben.tab.get_by_role("heading")).to_have_text("There is nothing at this address.")


def answer_to(holder, service_code):
    """The portal's whole answer, without what differs between two claims on the same code."""
    number = holder.ask_for(service_code)
    text = holder.tab.locator("main").inner_text()
    return re.sub(r"\d+:\d\d", "TIME", text.replace(number, "NUMBER"))


def test_one_tick_brings_the_routers_diagnostics_to_a_request_without_its_secrets(ada, house, registered):
    ada.tab.goto(ada.url + "/profile")
    ada.tab.get_by_role("link", name="Help", exact=True).click()
    expect(ada.tab.get_by_role("link", name="Write to support")).to_be_visible()
    assert ada.tab.url == house.current["help_url"] + "/help"  # another origin, by the account's session
    ada.tab.get_by_role("link", name="Write to support").click()
    ada.tab.get_by_label("Subject").fill("No internet")
    ada.tab.get_by_label("Which router").select_option(house.current["serial_number"])
    ada.tab.get_by_label("What happens").fill("It stopped at ten.")
    ada.tab.get_by_label("Attach the router's diagnostics").check()
    ada.tab.get_by_role("button", name="Send to support").click()
    expect(ada.tab.get_by_text("Attached", exact=True)).to_be_visible()
    ada.tab.get_by_role("link", name="Diagnostics of").click()
    said = ada.tab.locator("main")
    for text in ("MicroPython", "Load, 1 minute", "Devices seen", "the admin page listens on port"):
        expect(said).to_contain_text(text)
    bare = re.sub(r"[^A-Z0-9]", "", said.inner_text().upper())
    assert house.current["service_code"].replace("-", "") not in bare
    assert ada.email.upper() not in said.inner_text().upper()
    assert house.router_log().count("command diagnostics") == 1


def test_a_restart_from_the_portal_restarts_the_router_and_tells_the_result(ada, owner, house, registered):
    ada.open_router()
    qemu, up_before_s = house.pid_of("qemu"), up_for_s(ada)
    ada.tab.get_by_role("link", name="Restart router").click()
    ada.tab.get_by_role("button", name="Restart router").click()
    expect(ada.tab.get_by_text(re.compile(r"Restarted, and back after \d+ s\."))).to_be_visible()
    ada.sees_router("Online")
    assert up_for_s(ada) < up_before_s
    assert house.pid_of("qemu") == qemu  # nobody but the router itself has restarted it
    assert house.router_log().count("the admin page listens") == 2
    expect(owner.tab.get_by_text("The router restarted, which ends every session.")).to_be_visible()


def up_for_s(holder):
    count, unit = holder.tab.locator("[data-field=uptime]").inner_text().split()
    return int(count) * {"second": 1, "minute": 60}[unit.rstrip("s")]
