"""What tests share: Chromium, an admin page, and a cloud with two people who have accounts."""

import pytest
from playwright.sync_api import sync_playwright

from host_tools.cloud.oidc.described import GRANTS, Described
from tests.host_tools.admin_page_rig import CHROMIUM, AdminPage
from tests.host_tools.cloud_rig import Rig
from tests.host_tools.device_hub_rig import HubRig
from tests.host_tools.oidc_rig import AFTER, BACK, App

PATIENCE_MS = 15000
PHONE = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def router(tmp_path):
    page = AdminPage(tmp_path)
    yield page
    page.stop()


@pytest.fixture
def tab(browser, router):
    """A tab of a fresh browser. Whatever the console or the page's policy complains of fails the test."""
    context = browser.new_context(ignore_https_errors=True, viewport=PHONE, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text))
    yield tab
    context.close()
    # Chromium tells of each refused form and each lost connection there; both are answers that tests ask for.
    assert [text for text in complaints if "Failed to load resource" not in text] == []


@pytest.fixture
async def rig(tmp_path):
    """The portal, with a database of its own."""
    async with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
async def ada(rig):
    """The browser of somebody who has just signed up."""
    browser = rig.browser()
    await browser.join()
    return browser


@pytest.fixture
async def eve(rig):
    """The browser of a second account."""
    browser = rig.browser()
    await browser.join("eve@example.org")
    return browser


@pytest.fixture
async def hub_rig(tmp_path):
    """The routers' hub alone, behind its listener."""
    rig = HubRig(tmp_path)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def app(rig):
    """An application of the rig's provider, with every grant."""
    described = Described("app", "Garden App", [BACK], [AFTER], grants=GRANTS, plain=True)
    return App(rig, await rig.parts.oidc.clients.add(described))
