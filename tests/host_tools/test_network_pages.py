"""Devices, the internet, the cloud and about in Chromium, in each of their states."""

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import SERVICE_CODE, set_up, weight_of
from tests.host_tools.conftest import PHONE

LATER_LOAD_BYTES = 15 * 1024


def opened(tab, router, path):
    set_up(tab, router)
    tab.goto(router.url + path)


def test_devices_are_named_counted_and_told_apart(tab, router):
    opened(tab, router, "/devices")
    expect(tab.get_by_role("heading", name="3 devices are here")).to_be_visible()
    laptop = tab.locator("tr", has_text="Adas-MacBook-Pro")
    for text in ("Apple", "192.168.1.23", "fd00:1::17", "3c:22:fb:10:4e:91", "Here"):
        expect(laptop).to_contain_text(text)
    private = tab.locator("tr", has_text="Private address")
    expect(private).to_contain_text("Away")
    expect(private).to_contain_text("Unnamed device")


def test_the_modem_is_no_device(tab, router):
    opened(tab, router, "/devices")
    expect(tab.get_by_role("heading", name="3 devices are here")).to_be_visible()
    expect(tab.get_by_text("10.0.2.2")).to_have_count(0)


def test_the_list_of_devices_lives_and_says_when_it_is_empty_or_cannot_be_read(tab, router):
    opened(tab, router, "/devices")
    router.tell("fail neighbours")
    expect(tab.locator(".card .failed")).to_be_visible()
    expect(tab.locator("tr", has_text="Adas-MacBook-Pro")).to_be_visible()  # what was known stays
    router.tell("heal")
    expect(tab.locator(".card .failed")).to_be_hidden()
    router.tell("alone")
    expect(tab.get_by_role("heading", name="No device yet")).to_be_visible()
    expect(tab.get_by_text("Connect a phone or a laptop")).to_be_visible()
    expect(tab.locator("td", has_text="Each is listed here")).to_be_visible()


def test_a_page_that_meets_a_failing_router_says_so_and_recovers(tab, router):
    set_up(tab, router)
    router.tell("fail neighbours")
    tab.goto(router.url + "/devices")
    expect(tab.get_by_role("heading", name="Not known right now")).to_be_visible()
    expect(tab.locator(".card .failed")).to_be_visible()
    router.tell("heal")
    expect(tab.get_by_role("heading", name="3 devices are here")).to_be_visible()


def test_a_name_from_a_device_is_text_and_no_markup(tab, router):
    router.tell("name <b>&lt;img src=x onerror=alert(1)>")
    opened(tab, router, "/devices")
    expect(tab.get_by_text("<b>&lt;img")).to_be_visible()
    expect(tab.locator("tbody img, tbody b")).to_have_count(0)


def test_the_line_is_told_and_the_chart_has_its_past(tab, router):
    opened(tab, router, "/internet")
    expect(tab.get_by_role("heading", name="The internet works")).to_be_visible()
    for text in ("eth0", "Up, 1.0 Gbit/s", "10.0.2.15, 2001:db8:4:1::15", "10.0.2.2, fe80::2", "10.0.2.3"):
        expect(tab.locator("dd", has_text=text).first).to_be_visible()
    expect(tab.locator("tr", has_text="Home network")).to_contain_text("GB")
    points = tab.locator("[data-chart] path.line").first.get_attribute("d").count("L")
    assert points >= 290


def test_a_cut_line_turns_the_largest_fact_and_the_facts_below(tab, router):
    opened(tab, router, "/internet")
    router.tell("cut")
    expect(tab.get_by_role("heading", name="No internet")).to_be_visible()
    expect(tab.locator("[data-live='line.link']")).to_have_text("Down")
    expect(tab.locator("[data-live='line.address']")).to_have_text("None yet")
    router.tell("fail line")
    expect(tab.locator("[data-live-state=line] .failed")).to_be_visible()
    expect(tab.locator("[data-live-state=interfaces] .failed")).to_be_hidden()


def test_the_overview_leads_to_both(tab, router):
    set_up(tab, router)
    tab.get_by_role("link", name="Show the devices").click()
    expect(tab.get_by_role("heading", name="3 devices are here")).to_be_visible()
    tab.get_by_role("link", name="Internet", exact=True).click()
    expect(tab.get_by_role("heading", name="The internet works")).to_be_visible()
    box = tab.get_by_role("link", name="Internet", exact=True).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.parametrize("path", ["/devices", "/internet", "/cloud", "/about"])
def test_a_page_is_small_and_fits_a_narrow_phone(tab, router, path):
    set_up(tab, router)
    weights = []
    tab.on("requestfinished", lambda request: weights.append(weight_of(request)))
    with tab.expect_event("requestfinished", lambda request: request.url.endswith(path)):
        tab.goto(router.url + path)
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert 0 < sum(weights) <= LATER_LOAD_BYTES


def test_a_full_house_is_listed_whole_and_its_page_stays_small(tab, router):
    set_up(tab, router)
    router.tell("crowd")
    weights = []
    tab.on("requestfinished", lambda request: weights.append(weight_of(request)))
    with tab.expect_event("requestfinished", lambda request: request.url.endswith("/devices")):
        tab.goto(router.url + "/devices")
    assert 0 < sum(weights) <= LATER_LOAD_BYTES
    rows = tab.locator("tbody tr")
    expect(rows).to_have_count(64)
    expect(rows.filter(has_text="гостиной").last).to_contain_text("fd00:1::1")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_unknown_page_has_no_live_values(tab, router):
    set_up(tab, router)
    assert tab.evaluate("fetch('/live?page=../store').then(answer => answer.status)") == 404


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def test_a_router_of_nobody_is_registered_by_a_link_from_its_own_page(tab, router):
    opened(tab, router, "/cloud")
    expect(tab.get_by_role("heading", name="Connected")).to_be_visible()
    press(tab, "Register this router")
    link = tab.get_by_role("link", name="Register in my account")
    expect(link).to_be_visible()
    picture = tab.locator(".card .qr svg").screenshot()
    assert zxingcpp.read_barcode(Image.open(io.BytesIO(picture))).text == link.get_attribute("href")
    router.tell("claim")
    expect(tab.locator(".number")).to_have_text("482 913")
    press(tab, "Approve")
    expect(tab.get_by_role("button", name="Release router")).to_be_visible()


def test_a_link_can_be_taken_back(tab, router):
    opened(tab, router, "/cloud")
    press(tab, "Register this router")
    press(tab, "Stop")
    expect(tab.get_by_role("button", name="Register this router")).to_be_visible()


def test_an_owner_releases_the_router_with_a_code(tab, router):
    router.tell("deaf")
    router.tell("owned")
    _, codes, _ = set_up(tab, router)
    router.tell("later 400")  # the code of the wizard proves no more
    tab.goto(router.url + "/cloud")
    expect(tab.get_by_text("ada@example.org")).to_be_visible()
    press(tab, "Release router")
    tab.locator("#prove").get_by_label("Six-digit code").fill(codes[0])
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("status").filter(has_text="Released.")).to_be_visible()
    expect(tab.get_by_text("Released here. The cloud hears of it")).to_be_visible()
    expect(tab.locator("[data-live='account.name']")).to_have_text("Nobody's")


def test_without_the_cloud_the_page_says_why_and_offers_nothing(tab, router):
    opened(tab, router, "/cloud")
    router.tell("offline")
    expect(tab.get_by_role("heading", name="Not connected")).to_be_visible()
    expect(tab.locator("[data-live='link.error']")).to_have_text("The cloud's certificate is not trusted.")
    expect(tab.get_by_role("button", name="Register this router")).to_have_count(0)


def test_about_tells_versions_and_licences_and_the_service_code_for_a_code(tab, router):
    _, codes, _ = set_up(tab, router)
    router.tell("later 400")
    tab.goto(router.url + "/about")
    for text in ("GL26A0000042", "0.1.0", "6.12.0-arm64", "Apache-2.0", "libffi"):
        expect(tab.get_by_text(text, exact=True).first).to_be_visible()
    press(tab, "Show the service code")
    expect(tab.locator("#prove")).to_be_visible()
    assert SERVICE_CODE not in tab.content()
    tab.locator("#prove").get_by_label("Six-digit code").fill(codes[0])
    tab.keyboard.press("Enter")
    expect(tab.get_by_text(SERVICE_CODE)).to_be_visible()
