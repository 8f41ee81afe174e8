"""Who acts is written down beside the pages: none waits for it, and no session ends early of it."""

import pytest
from sqlalchemy import event, select

from host_tools.cloud.accounts import sessions
from host_tools.cloud.accounts.sessions import IDLE_S
from host_tools.cloud.store.models import Session
from tests.host_tools.cloud_rig import Rig

SESSION = "__Host-cloud-session"


@pytest.fixture
async def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "GATHERED_S", 3600)  # nothing is written down by itself
    async with Rig(tmp_path) as rig:
        yield rig


@pytest.fixture
async def browser(rig):
    browser = rig.browser()
    await browser.join()
    return browser


async def acted_at(rig):
    async with rig.parts.database.read() as session:
        return await session.scalar(select(Session.acted_at))


async def test_a_page_writes_nothing(rig, browser):
    before, written = await acted_at(rig), []
    rig.clock.now += 3600
    event.listen(rig.parts.database.engine.sync_engine, "commit", written.append)
    if rig.parts.database._near is not None:
        rig.parts.database._near._connection.set_trace_callback(written.append)
    assert (await browser.get("/routers")).path == "/routers"
    assert written == [] and await acted_at(rig) == before


async def test_at_the_stop_it_is_written_down(rig, browser):
    rig.clock.now += 3600
    await browser.get("/routers")
    await rig.parts.sessions.flush()
    assert await acted_at(rig) == rig.clock()


async def test_the_list_of_sessions_tells_it_at_once(rig, browser):
    rig.clock.now += 3600
    await browser.get("/routers")
    account_id = (await rig.parts.sessions.find(_token(browser), rig.clock(), acting=False))[1].id
    assert [row.acted_at for row in await rig.parts.sessions.of(account_id, rig.clock())] == [rig.clock()]


async def test_a_session_that_acts_goes_on_before_it_is_written_down(rig, browser):
    for _ in range(2):
        rig.clock.now += IDLE_S - 3600
        assert (await browser.get("/routers")).path == "/routers"
    await rig.parts.sessions.prune(rig.clock())
    assert (await browser.get("/routers")).path == "/routers"
    rig.clock.now += IDLE_S
    assert (await browser.get("/routers")).path == "/sign-in"


async def test_a_session_that_ended_meanwhile_stays_ended(rig, browser):
    rig.clock.now += 3600
    token = _token(browser)
    await browser.get("/routers")
    await browser.sign_out()
    await rig.parts.sessions.flush()
    assert await rig.parts.sessions.find(token, rig.clock(), acting=False) is None


async def test_a_session_that_is_written_down_while_it_is_read_goes_on(rig, browser, monkeypatch):
    rig.clock.now += IDLE_S - 3600
    assert (await browser.get("/routers")).path == "/routers"
    database, found = rig.parts.database, rig.parts.sessions
    read = database.glance

    async def read_before_it_is_written(*args, **values):
        rows = await read(*args, **values)
        await found.flush()
        return rows

    monkeypatch.setattr(database, "glance", read_before_it_is_written)
    rig.clock.now += IDLE_S - 3600
    assert await found.find(_token(browser), rig.clock(), acting=True)


def _token(browser):
    return {cookie.key: cookie.value for cookie in browser._session.cookie_jar}.get(SESSION)
