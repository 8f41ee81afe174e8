"""When a session is over, nothing of it stays in a browser that shows its pages (ASVS 5, 14.3.1)."""

import asyncio
import json

import pytest
from playwright.async_api import expect

from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.accounts.sessions import IDLE_S, OVERLAP_S
from host_tools.cloud.pages.over import OVER
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S
from tests.host_tools.test_cloud_browser import EMAIL, chromium, join, rig  # noqa: F401 - fixtures

NAME = "Ada Bell"


@pytest.fixture
async def tab(rig, chromium):  # noqa: F811
    """At a page of an account."""
    context = await chromium.new_context(ignore_https_errors=True)
    tab = await context.new_page()
    await join(rig, tab)
    await tab.goto(str(rig.server.make_url("/profile")))
    yield tab
    await context.close()


async def test_a_page_clears_itself_when_its_session_ends_elsewhere(rig, tab):  # noqa: F811
    await expect(tab.get_by_text(NAME)).to_be_visible()
    other = rig.browser()
    await other.enter()
    await other.post("/security/sessions/end-others", form_page="/security/sessions", password=PASSWORD)
    await expect(tab.get_by_text("Your session is over")).to_be_visible(timeout=PATIENCE_S * 1000)
    assert NAME not in await tab.content() and EMAIL not in await tab.content()


async def test_the_end_comes_without_a_server(rig, tab):  # noqa: F811
    await tab.clock.install()
    await tab.reload()
    await expect(tab.get_by_text(NAME)).to_be_visible()
    await tab.context.set_offline(True)
    await tab.clock.fast_forward((IDLE_S - 60) * 1000)
    assert NAME in await tab.content()
    await tab.clock.fast_forward(120 * 1000)
    await expect(tab.get_by_text(NAME)).to_have_count(0)


async def test_nobody_goes_back_to_a_page_of_before(rig, tab):  # noqa: F811
    """Neither after a sign-out, nor to one that the browser froze as it was."""
    await tab.evaluate("window.before = true")
    await tab.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    await tab.wait_for_function("window.before === undefined")
    await expect(tab.get_by_text(NAME)).to_be_visible()
    async with tab.expect_response(lambda answer: answer.url.endswith("/sign-out")) as out:
        await tab.get_by_role("button", name="Sign out").click()
    assert (await (await out.value).all_headers())["clear-site-data"] == '"cache"'
    await expect(tab.get_by_text("You are signed out")).to_be_visible()
    await tab.go_back()
    await expect(tab.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert NAME not in await tab.content()


async def test_a_session_that_goes_on_under_another_token_is_not_told_to_be_over(rig):  # noqa: F811
    """Another window of the browser has proved who it is: the line of this one ends, and connects again."""
    ada, stranger = rig.browser(), rig.browser()
    await ada.join()
    rig.clock.now += PROVED_S + 1
    await ada.prove()
    rig.clock.now += OVERLAP_S + 1
    async with ada._session.get(rig.server.make_url("/notices/live")) as line:
        first = await asyncio.wait_for(line.content.readline(), PATIENCE_S)
    assert json.loads(first.removeprefix(b"data: "))["ends"] > rig.clock.now
    assert (await stranger.get("/notices/live")).text == OVER
