"""Signing in at a certified provider that none of us wrote: oidc-provider, with Chromium between the two."""

import asyncio
import secrets
from pathlib import Path

import pytest
from playwright.async_api import expect

from host_tools.cloud import certificates
from host_tools.cloud.outside.config import Outside
from tests.host_tools import chromium_rig
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig, code_in, free_port
from tests.host_tools.npm_program import installed
from tests.host_tools.test_cloud_accessible import assert_no_fault

PROVIDER = Path(__file__).parents[1] / "fakes" / "oidc_provider"
BUILT = Path(__file__).parents[2] / "build" / "oidc-provider"


@pytest.fixture
async def rig(tmp_path):
    port, provider_port, secret = free_port(), free_port(), secrets.token_hex(16)
    url = f"https://localhost:{port}"
    script = await installed(PROVIDER, BUILT, "provider.js")
    command = (str(script), str(provider_port), f"{url}/outside/example/answer", secret)
    node = await asyncio.create_subprocess_exec("node", *command, stdout=asyncio.subprocess.PIPE)
    outside = Outside("example", "Example Ltd", f"http://127.0.0.1:{provider_port}", "gatelodge", secret)
    try:
        assert b"ready" in await asyncio.wait_for(node.stdout.readline(), PATIENCE_S)
        context = certificates.load_or_create(tmp_path).portal_context()
        async with Rig(tmp_path, tls=context, port=port, public_url=url, outside=(outside,)) as rig:
            yield rig
    finally:
        node.kill()
        await node.wait()


@pytest.fixture
async def tab():
    async with chromium_rig.quiet_tab() as tab:
        yield tab


async def sign_in_there(tab, name):
    await tab.get_by_placeholder("Enter any login").fill(name)
    await tab.get_by_placeholder("and password").fill("anything")
    await tab.get_by_role("button", name="Sign-in").click()


async def agree_there(tab, name):
    """On the provider's own pages: sign in as NAME, and agree."""
    if await tab.get_by_placeholder("Enter any login").count():
        await sign_in_there(tab, name)
    await tab.get_by_role("button", name="Continue").click()


async def prove_elsewhere(tab, url):
    """Who is signed in there is asked for the password again, and the provider says when (auth_time)."""
    await tab.goto(url + "/profile/data")
    await tab.get_by_role("link", name="Prove that it is you").first.click()
    await tab.get_by_role("button", name="Sign in again with Example Ltd").click()
    await sign_in_there(tab, "ada")
    await expect(tab).to_have_url(url + "/profile/data")
    await expect(tab.get_by_text("You have just proved that it is you.").first).to_be_visible()


async def test_a_person_signs_up_connects_and_signs_in_elsewhere(rig, tab):
    url = rig.settings.public_url
    await tab.goto(url + "/sign-in")
    await tab.get_by_role("link", name="Sign in with Example Ltd").click()
    await agree_there(tab, "ada")
    await expect(tab.get_by_role("heading", name="Your account at Example Ltd is new here")).to_be_visible()
    await assert_no_fault(tab)
    await tab.get_by_label("Country").select_option("BE")
    await tab.get_by_label("terms of use").check()
    await tab.get_by_role("button", name="Create account").click()
    await tab.get_by_role("link", name="Not now").click()
    await tab.goto(url + "/security/outside")
    await expect(tab.get_by_role("listitem").get_by_text("ada@example.org")).to_be_visible()
    await assert_no_fault(tab)
    await prove_elsewhere(tab, url)
    await tab.goto(url + "/security/outside")
    await tab.get_by_role("button", name="Sign out").click()
    await tab.get_by_role("link", name="Sign in with Example Ltd").click()
    await expect(tab.get_by_text("Register your first router")).to_be_visible()


async def test_a_person_connects_the_account_that_she_has_elsewhere(rig, tab):
    url = rig.settings.public_url
    bob = rig.browser()
    await bob.join("bob@example.org")
    await bob.sign_out()
    await tab.goto(url + "/sign-in")
    await tab.get_by_role("link", name="Sign in with Example Ltd").click()
    await agree_there(tab, "bob")
    await tab.get_by_role("button", name="I have an account").click()
    await tab.get_by_label("E-mail").fill("bob@example.org")
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.get_by_role("button", name="Sign in", exact=True).click()
    await tab.get_by_label("Code from the e-mail").wait_for()
    await tab.get_by_label("Code from the e-mail").fill(code_in((await rig.mails("bob@example.org"))[0]))
    await tab.get_by_role("button", name="Sign in", exact=True).click()
    await expect(tab.get_by_role("heading", name="Connect Example Ltd")).to_be_visible()
    await assert_no_fault(tab)
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.get_by_role("button", name="Connect").click()
    await expect(tab.get_by_text("The account is connected")).to_be_visible()
