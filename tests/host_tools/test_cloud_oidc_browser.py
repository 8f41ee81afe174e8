"""The provider against a stranger: Apache's mod_auth_openidc, with Chromium between the two."""

import asyncio

import pytest
from playwright.async_api import expect

from host_tools.cloud import certificates
from host_tools.cloud.oidc.described import Described
from tests.host_tools import chromium_rig
from tests.host_tools.apache_rig import Apache
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig, free_port
from tests.host_tools.test_cloud_accessible import assert_no_fault
from tests.host_tools.test_cloud_browser import join

EMAIL = "ada@example.org"


@pytest.fixture
async def rig(tmp_path):
    port = free_port()
    made = certificates.load_or_create(tmp_path)
    async with Rig(
        tmp_path, tls=made.portal_context(), port=port, public_url=f"https://localhost:{port}"
    ) as rig:
        rig.parts.tasks.start(rig.parts.oidc.logins.run(made.trusted()), "logouts")
        yield rig


@pytest.fixture
async def apache(rig):
    port = free_port()
    base = f"https://localhost:{port}/app/answer"
    described = Described(
        "apache",
        "Garden App",
        [base],
        [f"https://localhost:{port}/bye.html"],
        base + "?logout=backchannel",
        plain=True,
    )
    secret = await rig.parts.oidc.clients.add(described)
    with Apache(rig.folder, rig.settings.public_url, secret, port) as apache:
        yield apache


@pytest.fixture
async def tab():
    async with chromium_rig.quiet_tab() as tab:
        yield tab


async def test_a_stranger_signs_people_in_and_hears_when_it_is_over(rig, apache, tab):
    await join(rig, tab)
    await open_when_there(tab, apache)
    await expect(tab.get_by_role("heading", name="Garden App asks who you are")).to_be_visible()
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="Agree").click()
    await expect(tab.get_by_role("heading", name="You are in")).to_be_visible()
    answer = await tab.goto(apache.page)
    assert answer.headers["x-signed-in"] == EMAIL
    # The session ends on our page; the application hears of it behind the browser's back.
    await tab.goto(rig.settings.public_url + "/routers")
    await tab.get_by_role("button", name="Sign out").click()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await tab.goto(apache.page)
            if tab.url.startswith(rig.settings.public_url):
                break
    await expect(tab.get_by_role("heading", name="Sign in")).to_be_visible()
    # And a sign-in leads back to the application.
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in", exact=True).click()
    await expect(tab.get_by_role("heading", name="You are in")).to_be_visible()


async def open_when_there(tab, apache):
    """Apache needs a moment to listen."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await tab.goto(apache.page)
            except Exception as error:
                assert "ERR_CONNECTION_REFUSED" in str(error), error
                await asyncio.sleep(0.1)
