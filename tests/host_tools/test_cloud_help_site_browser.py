"""The help centre and the portal at two origins, in Chromium: in by the portal, and out of both."""


import pytest
from playwright.async_api import expect

from host_tools.cloud.sites.kinds import HELP
from tests.host_tools import chromium_rig
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.site_rig import own_origins
from tests.host_tools.test_cloud_accessible import assert_no_fault
from tests.host_tools.test_cloud_browser import EMAIL, join

# From one origin to the other and back, on a busy computer.
expect.set_options(timeout=chromium_rig.PATIENCE_MS)


@pytest.fixture
async def rig(tmp_path):
    async with own_origins(tmp_path, HELP) as rig:
        yield rig


@pytest.fixture
async def tab():
    async with chromium_rig.quiet_tab() as tab:
        yield tab


async def test_one_sign_in_at_the_portal_opens_both_and_one_sign_out_closes_both(rig, tab):
    await join(rig, tab)
    await tab.get_by_role("link", name="Help", exact=True).click()
    await expect(tab.get_by_role("heading", name="Help", exact=True)).to_be_visible()
    assert tab.url == rig.url["help"] + "/help"
    await assert_no_fault(tab)
    await tab.get_by_role("link", name="Write to support").click()
    await tab.get_by_label("Subject").fill("No internet")
    await tab.get_by_label("What happens").fill("It stopped at ten.")
    await tab.get_by_role("button", name="Send to support").click()
    await expect(tab.get_by_text("Waiting for support")).to_be_visible()
    await tab.get_by_role("button", name="Sign out").click()
    await expect(tab.get_by_role("heading", name="Sign out")).to_be_visible()
    assert tab.url.startswith(rig.settings.public_url + "/oidc/logout")
    await tab.get_by_role("button", name="Sign out").last.click()
    await expect(tab.get_by_text("You are signed out of the help centre")).to_be_visible()
    await assert_no_fault(tab)
    await tab.get_by_role("link", name="Sign in again").click()
    await expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in", exact=True).click()
    await expect(tab.get_by_text("No internet")).to_be_visible()
    assert tab.url == rig.url["help"] + "/help"


async def test_an_answer_that_fits_no_question_says_so(rig, tab):
    await tab.goto(rig.url["help"] + "/signed-in?code=x&state=y")
    await expect(tab.get_by_role("heading", name="You are not signed in")).to_be_visible()
    await assert_no_fault(tab)
