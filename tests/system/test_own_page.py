"""What begins on the router's own pages: who is in its network, its registration by a link, its release."""

import re

from playwright.sync_api import expect

from tests.system.rig import until


def opened(owner, path):
    owner.tab.goto(owner.url + path)
    return owner.tab


def test_the_computer_behind_the_router_is_a_device_and_the_modem_is_none(owner):
    tab = opened(owner, "/devices")
    expect(tab.get_by_role("heading", name=re.compile("[123] devices? (is|are) here"))).to_be_visible()
    expect(tab.locator("td", has_text="10.0.2.2")).to_have_count(0)


def test_a_neighbour_that_speaks_ipv6_alone_is_a_device(owner):
    """QEMU's other router on the home's side, which has announced itself (RFC 4861 section 4.2)."""
    tab = opened(owner, "/devices")
    other = tab.locator("tr", has_text="52:56:00:00:00:02")
    expect(other).to_contain_text("fe80::2")
    expect(other).not_to_contain_text("192.168.")
    expect(tab.get_by_text("IPv6 alone")).to_have_count(0)


def test_the_line_tells_its_address_gateway_and_name_server(owner):
    tab = opened(owner, "/internet")
    expect(tab.locator("[data-live='line.addresses']")).to_contain_text("10.0.2.15")
    expect(tab.locator("[data-live='line.gateways']")).to_contain_text("10.0.2.2")
    expect(tab.locator("[data-live='line.name_servers']")).to_contain_text("10.0.2.3")


def test_about_names_the_slot_that_runs_and_the_kernel(owner):
    tab = opened(owner, "/about")
    expect(tab.locator("dd", has_text=re.compile("^A$"))).to_be_visible()
    expect(tab.locator("dd", has_text="arm64")).to_be_visible()


def test_a_link_of_the_routers_page_registers_it_beside_the_same_number(owner, ada, house):
    until(house.times_online, "the cloud did not welcome the router")
    tab = opened(owner, "/cloud")
    tab.get_by_role("button", name="Register this router").click()
    link = tab.get_by_role("link", name="Register in my account")
    expect(link).to_be_visible()
    ada.tab.goto(link.get_attribute("href"))
    ada.tab.get_by_role("button", name="Register router").click()
    number = ada.tab.locator(".number strong").inner_text()
    assert number == owner.number_of_claim()
    owner.approve()
    ada.sees_that_it_is_theirs()
    expect(tab.get_by_text(ada.email)).to_be_visible()


def test_the_owner_releases_it_with_a_code_and_the_account_is_told(owner, ada):
    tab = opened(owner, "/cloud")
    tab.get_by_role("button", name="Release router").click()
    if tab.locator("#prove").is_visible():
        tab.locator("#prove").get_by_label("Six-digit code").fill(owner.phone.next_code())
    expect(tab.get_by_role("status").filter(has_text="Released.")).to_be_visible()
    expect(tab.locator("[data-live='account.name']")).to_have_text("Nobody's")
    ada.tab.goto(ada.portal + "/routers")
    expect(ada.tab.get_by_text("Register your first router")).to_be_visible()
    ada.tab.goto(ada.outbox_url)
    expect(ada.tab.locator("article", has_text="was released on its own page")).to_be_visible()
