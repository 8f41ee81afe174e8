"""The portal at its own origin, in Chromium: in by the account, asked again there for a release, and out."""

import pytest
from playwright.async_api import expect

from host_tools.cloud.oidc.decision import FRESH_S
from host_tools.cloud.sites.kinds import PORTAL
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.site_rig import own_origins
from tests.host_tools.test_cloud_accessible import assert_no_fault
from tests.host_tools.test_cloud_browser import EMAIL, SERIAL, claim, join
from tests.host_tools.test_cloud_help_site_browser import tab  # noqa: F401 - a fixture


@pytest.fixture
async def rig(tmp_path):
    async with own_origins(tmp_path, PORTAL) as rig:
        yield rig


async def test_a_router_is_registered_there_and_released_after_a_fresh_sign_in(rig, tab):  # noqa: F811
    await join(rig, tab)
    assert tab.url == rig.url["portal"] + "/routers"  # on by itself
    await claim(rig, tab)
    await rig.hub.answer(SERIAL, True)
    await tab.get_by_role("link", name="Show the router").click()  # the live page has seen it
    await tab.get_by_role("link", name="Release router…").click()
    await expect(tab.get_by_role("link", name="Prove that it is you")).to_be_visible()
    await assert_no_fault(tab)
    rig.clock.now += FRESH_S + 1
    await tab.get_by_role("link", name="Prove that it is you").click()
    await tab.get_by_role("button", name="Sign in again").click()
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in", exact=True).click()
    await expect(tab.get_by_text("You have just proved that it is you.")).to_be_visible()
    assert tab.url == f"{rig.url['portal']}/routers/{SERIAL}/release"
    await tab.get_by_role("button", name="Release router").click()
    await expect(tab.get_by_text("The router is released.")).to_be_visible()
    await tab.get_by_role("button", name="Sign out").click()
    await expect(tab.get_by_role("heading", name="Sign out")).to_be_visible()
    await tab.get_by_role("button", name="Sign out").last.click()
    await expect(tab.get_by_role("heading", name=PORTAL.signed_out)).to_be_visible()
    await assert_no_fault(tab)
