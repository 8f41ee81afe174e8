"""A provisioned house for each test file, and Chromium."""

import pytest
from playwright.sync_api import sync_playwright

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
