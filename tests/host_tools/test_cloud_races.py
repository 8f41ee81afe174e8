"""Two portals of one cloud share one database: of two who want the same thing at once, one gets it.

FULL=1 runs each race a thousand times. The pages lead up to a race once; then what it used up is put back.
"""

import asyncio
import os
import re
from contextlib import asynccontextmanager

import aiohttp
import pytest
from sqlalchemy import delete, insert, select, update

from host_tools.cloud.store import database as databases
from host_tools.cloud.store.models import Claim, RecoveryCode, SentCode, Session, SignIn, Throttle
from tests.host_tools.cloud_rig import Rig, code_in, database_url

ROUNDS = 1000 if os.environ.get("FULL") else 10
RECOVERY_CODE = re.compile(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>")
EMAIL = "ada@example.org"

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Who waits too long for a writer is told so (test_cloud_front.py). Here nobody does, however busy the
    computer is: a wait that never ends would fail the test all the same."""
    monkeypatch.setattr(databases, "BUSY_TIMEOUT_MS", 25_000)


@asynccontextmanager
async def two_portals(folder, kind):
    url = database_url(folder, kind)
    async with Rig(folder, database_url=url) as first, Rig(folder, database_url=url) as second:
        second.clock.now = first.clock.now
        yield first, second


class Press:
    """A form that a browser has filled in and not sent yet. Its cookies stay as they are now."""

    def __init__(self, browser, page, rig, path, **fields):
        self._url = rig.server.make_url(path)
        self._fields = {"csrf": page.csrf, **fields}
        cookies = browser._session.cookie_jar.filter_cookies(page.url)  # one cloud: both portals take them
        self._cookies = {"Cookie": "; ".join(f"{each.key}={each.value}" for each in cookies.values())}

    async def send(self, http):
        options = {"data": self._fields, "headers": self._cookies, "allow_redirects": False}
        async with http.post(self._url, **options) as answer:
            return answer.status, answer.headers.get("Location", "")


async def answers(http, presses):
    """[(status, where it leads)] of forms that are sent at once."""
    return await asyncio.gather(*(press.send(http) for press in presses))


async def race(rig, presses, put_back):
    """Each time one signs in; the other is refused (422), or led to the beginning."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for turn in range(ROUNDS):
            found = await answers(http, presses)
            won = [where for status, where in found if status == 303 and where != "/sign-in"]
            assert len(won) == 1 and {status for status, _ in found} <= {303, 422}, (turn, found)
            async with rig.parts.database.write() as session:
                made = list(await session.scalars(select(Session.id).where(Session.id.not_in(put_back.kept))))
                assert len(made) == 1, turn
                await put_back(session)


class PutBack:
    """What the race changed, as it was before it."""

    def __init__(self, kept, rows, *statements):
        self.kept = kept  # sessions that were there
        self._rows = rows
        self._statements = statements

    @classmethod
    async def of(cls, rig, tables, *statements):
        async with rig.parts.database.read() as session:
            kept = list(await session.scalars(select(Session.id)))
            rows = [(table, await _all_of(session, table)) for table in tables]
        return cls(kept, rows, *statements)

    async def __call__(self, session):
        await session.execute(delete(Session).where(Session.id.not_in(self.kept)))
        await session.execute(delete(Throttle))
        for table, values in self._rows:
            await session.execute(delete(table))
            await session.execute(insert(table), values)
        for statement in self._statements:
            await session.execute(statement)


async def _all_of(session, table):
    found = await session.execute(select(*table.__table__.columns))
    return [dict(row) for row in found.mappings()]


async def test_a_code_that_was_sent_makes_one_session(tmp_path, kind):
    async with two_portals(tmp_path, kind) as (first, second):
        await first.browser().join()
        browser = first.browser()
        page = await browser.sign_in()
        if "Code from the e-mail" not in page.text:  # it asks the owner's first browser
            page = await browser.post("/sign-in/method", form_page="/sign-in/code", method="mail")
        code = code_in((await first.mails(EMAIL))[0])
        presses = [Press(browser, page, rig, "/sign-in/code", code=code) for rig in (first, second)]
        await race(first, presses, await PutBack.of(first, (SignIn, SentCode)))


async def test_a_recovery_code_lets_one_browser_in(tmp_path, kind):
    async with two_portals(tmp_path, kind) as (first, second):
        owner = first.browser()
        await owner.join()
        _, page = await owner.enrol()
        code = RECOVERY_CODE.search(page.text)[1]
        presses = []
        for rig in (first, second):
            browser = rig.browser()
            presses.append(Press(browser, await browser.sign_in(), rig, "/sign-in/code", code=code))
        unused = update(RecoveryCode).values(used_at=None)
        await race(first, presses, await PutBack.of(first, (SignIn,), unused))


async def test_a_router_is_asked_by_one_account(tmp_path, kind):
    async with two_portals(tmp_path, kind) as (first, second):
        code = await first.make_router("GL-RACE-1")
        presses = []
        for rig, email in ((first, EMAIL), (second, "bob@example.org")):
            browser = rig.browser()
            await browser.join(email)
            page = await browser.get("/routers/register")
            presses.append(Press(browser, page, rig, "/routers/register", service_code=code))
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            for turn in range(ROUNDS):
                found = await answers(http, presses)
                assert [status for status, _ in found] == [303, 303], turn  # who is late is not told
                async with first.parts.database.write() as session:
                    asked = list(await session.scalars(select(Claim.serial_number)))
                    assert sorted(asked, key=str) == ["GL-RACE-1", None], turn
                    for table in (Claim, Throttle):
                        await session.execute(delete(table))
