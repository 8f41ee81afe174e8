"""Somebody is at the router: the serial console's words for its owner, and a factory reset that the cloud
hears of."""

import re
import time

import pytest
import serial
from playwright.sync_api import expect

from tests.system.people import PASSWORD, Holder, Owner, fresh_tab
from tests.system.rig import PATIENCE_S, until

CODE = re.compile(rb"\r\n([0-9A-Z]{5}-[0-9A-Z]{5})(?=\r\n)")


@pytest.fixture(scope="module")
def registered(ada, owner, house):
    register(ada, owner, house)


@pytest.fixture
def line(house):
    with serial.Serial(house.current["serial_port"], 115200, timeout=0.05) as line:
        yield line


def register(holder, owner, house):
    until(house.times_online, "the cloud did not welcome the router")
    holder.ask_for(house.current["service_code"])
    owner.tab.locator(".claim .number").wait_for()
    owner.approve()
    holder.sees_that_it_is_theirs()


def say(line, text, until_said):
    """Type a line; return all that is said until the text, at least."""
    line.write(text.encode() + b"\r")
    said, end = b"", time.monotonic() + PATIENCE_S
    while until_said not in said:
        assert time.monotonic() < end, f"the line said {said[-300:]!r}, and never {until_said!r}"
        said += line.read(line.in_waiting or 1)
    return said


def starts_of_the_daemon(house):
    return house.router_log().count(" daemon: firmware ")


def test_whoever_holds_the_cable_sees_how_the_router_is(house, owner, line):
    said = say(line, "\x03status", b"owner: yes\r\n")
    assert b"serial_number: " + house.current["serial_number"].encode() in said
    assert b"clock: synced\r\n" in said
    assert b"one more try" in say(line, "unlock", b"within 5 minutes.\r\n")
    say(line, "status", b"unlocked: for ")


def test_recovering_takes_the_password_which_is_never_shown(house, owner, line):
    say(line, "\x03recover", b"Password: ")
    said = say(line, "not the password", b"not the password. Try again.\r\n")
    assert said.count(b"not the password") == 1  # the refusal, and no echo
    assert CODE.findall(said) == []


def test_recovering_gives_ten_codes_that_sign_in_and_voids_the_old_ones(house, owner, line):
    say(line, "\x03recover", b"Password: ")
    said = say(line, PASSWORD, b"\r\n> ")
    codes = [code.decode() for code in CODE.findall(said)]
    assert len(set(codes)) == 10 and PASSWORD.encode() not in said
    owner.enter_password()
    owner.tab.get_by_text("Don't have a code?").click()
    for code in (owner.recovery_codes[0], codes[0]):
        owner.tab.get_by_label("Recovery code").fill(code)
        owner.tab.get_by_role("button", name="Sign in with a recovery code").click()
        if code != codes[0]:
            expect(owner.tab.locator("#recovery_code-error")).to_contain_text("not on the list")
    owner.sees_overview()
    assert "new recovery codes were made at the serial console" in house.router_log()
    assert not any(code in house.router_log() for code in codes)


def test_a_reset_that_names_another_router_changes_nothing(house, registered, line):
    starts = starts_of_the_daemon(house)
    say(line, "\x03reset", b"to go on: ")
    assert b"Nothing was changed." in say(line, "GL-0", b"\r\n> ")
    say(line, "status", b"owner: yes")
    assert starts_of_the_daemon(house) == starts


def test_a_reset_makes_it_nobodys_and_the_cloud_tells_its_owner(house, owner, ada, registered, line):
    online = house.times_online()
    say(line, "\x03reset", b"to go on: ")
    say(line, house.current["serial_number"].lower(), b"no owner any more")
    until(lambda: house.times_online() > online, "the router did not come back to its cloud")
    ada.tab.goto(ada.portal + "/routers")
    expect(ada.tab.get_by_role("heading", name="Register your first router")).to_be_visible()
    ada.tab.goto(ada.outbox_url)
    notice = ada.tab.locator("article", has_text="A router was reset")
    expect(notice).to_contain_text(house.current["serial_number"])
    expect(notice).to_contain_text(ada.email)
    owner.tab.goto(owner.url)
    expect(owner.tab.get_by_label("Service code")).to_be_visible()


def test_afterwards_the_label_sets_it_up_for_somebody_else(browser, house, owner, ada):
    with fresh_tab(browser) as tab, fresh_tab(browser) as page:
        ben = Holder(tab, house, "Ben").sign_up()
        successor = Owner(page, house).set_up()
        register(ben, successor, house)
        successor.sees("cloud.detail", "This router belongs to the account of Ben Bell.")
