"""For each test file: a provisioned house, Chromium, and two people who ask for it."""

import pytest
from playwright.sync_api import sync_playwright

from tests.system.people import Holder, Owner, fresh_tab
from tests.system.rig import CHROMIUM, House


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A blank router, just provisioned; nobody owns it yet."""
    with House(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def owner(browser, house):
    """Has set the router up on its admin page."""
    with fresh_tab(browser) as tab:
        yield Owner(tab, house).set_up()


@pytest.fixture(scope="module")
def ada(browser, house):
    """Has an account of the cloud."""
    with fresh_tab(browser) as tab:
        yield Holder(tab, house, "Ada").sign_up()
