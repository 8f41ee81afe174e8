"""Two portals of one cloud share one database: of two who want the same thing at once, one gets it.

FULL=1 runs each race a thousand times.
"""

import asyncio
import os
import re
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import delete, select

from host_tools.cloud.store.models import Claim, Message, OutboxMessage, Throttle
from tests.host_tools.cloud_rig import PATIENCE_S, Rig, code_in, database_url

ROUNDS = 1000 if os.environ.get("FULL") else 10
CODES_OF_A_SET = 10
RECOVERY_CODE = re.compile(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>")

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@asynccontextmanager
async def two_portals(folder, kind):
    url = database_url(folder, kind)
    async with Rig(folder, database_url=url) as first, Rig(folder, database_url=url) as second:
        second.clock.now = first.clock.now
        yield first, second


async def end_round(rig, *browsers, tables=()):
    """Nobody is held back in the next round, and no round is slower than the first."""
    for browser in browsers:
        await browser.close()
    async with rig.parts.database.write() as session:
        for table in (Throttle, Message, OutboxMessage, *tables):
            await session.execute(delete(table))


async def sent_code(rig):
    """The code that this round has sent, once it has arrived; other mails may come late from the last one."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for mail in await rig.mails("ada@example.org"):
                if "Your code is" in mail.body:
                    return code_in(mail)
            await asyncio.sleep(0.01)


async def signed_in(posts):
    """How many of the answers lead on: the others are refused (422), or come with a cookie too late (403)."""
    statuses = [page.status for page in await asyncio.gather(*posts)]
    assert set(statuses) <= {303, 422, 403}
    return statuses.count(303)


async def test_a_code_that_was_sent_makes_one_session(tmp_path, kind):
    async with two_portals(tmp_path, kind) as (first, second):
        await first.browser().join()
        await end_round(first)
        for _ in range(ROUNDS):
            browser = first.browser()
            page = await browser.sign_in()
            if "Code from the e-mail" not in page.text:  # it asks the owner's first browser
                await browser.post("/sign-in/method", form_page="/sign-in/code", method="mail")
            code = await sent_code(first)
            fields = {"csrf": (await browser.get("/sign-in/code")).csrf, "code": code}
            posts = (
                browser.post_raw("/sign-in/code", fields, rig=rig, allow_redirects=False)
                for rig in (first, second)
            )
            assert await signed_in(posts) == 1
            await end_round(first, browser)


async def test_a_recovery_code_lets_one_browser_in(tmp_path, kind):
    async with two_portals(tmp_path, kind) as (first, second):
        for number in range(ROUNDS // CODES_OF_A_SET):
            email = f"ada{number}@example.org"
            owner = first.browser()
            await owner.join(email)
            _, page = await owner.enrol()
            for code in RECOVERY_CODE.findall(page.text):
                browsers = first.browser(), second.browser()
                tokens = [(await browser.sign_in(email)).csrf for browser in browsers]
                posts = (
                    browser.post_raw("/sign-in/code", {"csrf": token, "code": code}, allow_redirects=False)
                    for browser, token in zip(browsers, tokens, strict=True)
                )
                assert await signed_in(posts) == 1
                await end_round(first, *browsers)
            await owner.close()


async def test_a_router_is_asked_by_one_account(tmp_path, kind):
    async with two_portals(tmp_path, kind) as (first, second):
        code = await first.make_router("GL-RACE-1")
        browsers = first.browser(), second.browser()
        await browsers[0].join("ada@example.org")
        await browsers[1].join("bob@example.org")
        for _ in range(ROUNDS):
            tries = (browser.post("/routers/register", service_code=code) for browser in browsers)
            pages = await asyncio.gather(*tries)
            assert [page.status for page in pages] == [200, 200]  # the one who is late is not told
            async with first.parts.database.read() as session:
                asked = list(await session.scalars(select(Claim.serial_number)))
            assert sorted(asked, key=str) == ["GL-RACE-1", None]
            await end_round(first, tables=(Claim,))
