"""API tokens on the security page, in Chromium."""

import re

import pytest
from playwright.sync_api import expect

from tests.host_tools.conftest import PHONE
from tests.host_tools.test_security_page import Owner


@pytest.fixture
def owner(tab, router):
    return Owner(tab, router)


def make(owner, *ticks, name="Home assistant", lifetime=None):
    """The token that the page shows."""
    owner.press("Create a token")
    dialog = owner.tab.get_by_role("dialog", name="Create an API token")
    dialog.get_by_label("Name").fill(name)
    for words in ticks:
        dialog.get_by_label(words).check()
    if lifetime:
        dialog.get_by_label("It works for").select_option(lifetime)
    owner.press("Create the token")
    made = owner.tab.locator("#made-token")
    expect(made).to_have_text(re.compile("^glr_[0-9a-f]{72}$"))
    return made.inner_text()


def asks(owner, token, path):
    return owner.router.ask("GET", path, Authorization="Bearer " + token)[0]


def test_there_is_none_at_first_and_the_page_says_what_one_is_for(owner):
    card = owner.tab.locator("#tokens")
    expect(card).to_contain_text("a program of yours reads this router")
    expect(card.get_by_role("button", name="Create a token")).to_be_visible()


def test_a_token_is_made_shown_once_copied_used_listed_and_revoked(owner):
    owner.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    token = make(owner, "Read the log", "Restart the router", lifetime="1 year")
    owner.press("Copy")
    expect(owner.tab.get_by_role("button", name="Copied")).to_be_visible()
    assert owner.tab.evaluate("navigator.clipboard.readText()") == token
    owner.tab.keyboard.press("Escape")
    expect(owner.tab.locator("#made-token")).to_be_visible()  # it is on no other page
    assert (asks(owner, token, "/api/log"), asks(owner, token, "/api/devices")) == (200, 403)

    owner.press("Done")
    row = owner.tab.locator("#tokens li")
    expect(row).to_contain_text("log:read, router:restart")
    expect(row).to_contain_text("Last used just now")
    expect(row).to_contain_text("Works until")
    assert token not in owner.tab.content()

    owner.press("Revoke Home assistant")
    owner.said("The token is revoked.")
    expect(owner.tab.locator("#tokens li")).to_have_count(0)
    assert asks(owner, token, "/api/log") == 401
    expect(owner.tab.locator("#entries tr").first).to_contain_text("Revoked an API token")
    expect(owner.tab.locator("#entries tr").nth(1)).to_contain_text("Made an API token")


def test_a_token_that_may_do_nothing_is_not_made(owner):
    owner.press("Create a token")
    owner.press("Create the token")
    dialog = owner.tab.get_by_role("dialog", name="Create an API token")
    expect(dialog.get_by_role("alert").filter(has_text="at least one thing")).to_be_visible()
    dialog.get_by_label("Read the log").check()
    owner.press("Create the token")
    expect(owner.tab.locator("#made-token")).to_contain_text("glr_")


def test_a_code_is_asked_for_before_one_is_made(owner):
    owner.router.tell("later 301")
    owner.press("Create a token")
    owner.tab.get_by_role("dialog").get_by_label("Read the log").check()
    owner.press("Create the token")
    proof = owner.tab.get_by_role("dialog", name="Is it you?")
    proof.get_by_label("Six-digit code").fill(owner.next_code())
    expect(owner.tab.locator("#made-token")).to_contain_text("glr_")


def test_it_fits_a_small_phone(owner):
    make(owner, "Read the log")
    assert owner.tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert owner.tab.evaluate(
        "[...document.querySelectorAll('dialog[open]')].every((d) => d.scrollWidth <= d.clientWidth)"
    )
