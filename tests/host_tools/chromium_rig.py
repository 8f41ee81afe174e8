"""Chromium for the cloud's pages, asynchronous: the rig's server runs in the test's own loop."""

import os
import shutil
from contextlib import asynccontextmanager

from playwright.async_api import async_playwright

from tests.host_tools import axe_rig
from tests.host_tools.cloud_rig import PASSWORD

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
PATIENCE_MS = 20000


@asynccontextmanager
async def started(*arguments):
    async with async_playwright() as playwright:
        program = {"executable_path": CHROMIUM, "args": ["--no-sandbox", *arguments]}
        browser = await playwright.chromium.launch(**program)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def quiet_tab():
    """A tab of a fresh browser, as axe-core is to find it."""
    async with started() as browser:
        context = await browser.new_context(**axe_rig.QUIET)
        context.set_default_timeout(PATIENCE_MS)
        yield await context.new_page()


async def fill_sign_up(rig, tab, email):
    """Each field of the form, which nobody has sent yet."""
    await tab.goto(str(rig.server.make_url("/sign-up")))
    for label, text in (("First name", "Ada"), ("Last name", "Bell"), ("E-mail", email)):
        await tab.get_by_label(label).fill(text)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.get_by_label("Country").select_option("BE")
    await tab.get_by_label("terms of use").check()
