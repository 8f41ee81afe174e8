"""Chromium for the cloud's pages, asynchronous: the rig's server runs in the test's own loop."""

import os
import shutil
from contextlib import asynccontextmanager

from playwright.async_api import async_playwright

from tests.host_tools import axe_rig

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
