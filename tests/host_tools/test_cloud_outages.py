"""The cloud while its database is away, with real servers and files: what is answered, what goes on after."""

import asyncio
import json
import logging
import sqlite3

import pytest
from sqlalchemy import event, make_url, select
from sqlalchemy.exc import OperationalError

from host_tools.cloud.delivery import post
from host_tools.cloud.delivery.config import Delivery, TelegramSettings
from host_tools.cloud.routers.registry import RouterRegistry
from host_tools.cloud.store import outage
from host_tools.cloud.store.brief import told
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message
from host_tools.cloud.store.outage import OncePerOutage, Outage, is_away
from tests.fakes.telegram import BOT, TOKEN, Telegram
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, PERSON, Rig, database_url
from tests.host_tools.line_rig import Line
from tests.host_tools.postgresql_rig import SOCKET, server
from tests.host_tools.test_cloud_telegram import link_on, seen

WORDS = "This service cannot reach its records right now."


@pytest.fixture
def quick(monkeypatch, caplog):
    """Nobody waits long for what does not come."""
    monkeypatch.setattr(post, "AGAIN_S", 0.2)
    monkeypatch.setattr(outage, "PATIENCE_AWAY_S", 1)
    caplog.set_level(logging.INFO)


def lines(caplog):
    """As the process writes them."""
    shown = OncePerOutage()
    kept = [each for each in caplog.records if each.levelno >= logging.WARNING and shown.filter(each)]
    return [each.getMessage() for each in kept if each.name.startswith("cloud")]


async def everything_answers_503(browser):
    """A page, a form, the API, another program's question, and whoever watches over the process."""
    page = await browser.get("/routers", headers={"Accept-Language": "de"})
    assert page.status == 503 and int(page.headers["Retry-After"]) > 0 and WORDS not in page.text
    assert 'lang="de"' in page.text and "Traceback" not in page.text
    page = await browser.post_raw("/sign-up", {"csrf": "", **PERSON})
    assert page.status == 503 and WORDS in page.text
    for path in ("/health", "/routers/live", "/oidc/jwks"):
        assert (await browser.get(path)).status == 503, path
    answer = await browser.get("/api/v1/account", headers={"Authorization": f"Bearer {'t' * 43}"})
    assert answer.status == 503 and answer.headers["Content-Type"].startswith("application/problem+json")
    assert WORDS in answer.text and int(answer.headers["Retry-After"]) > 0


async def all_is_as_before(rig, browser):
    await until(lambda: answers(browser, "/health"))
    assert (await browser.get("/routers")).path == "/routers"  # in the session of before
    await rig.browser().sign_up("later@example.org")
    [_] = await rig.mails("later@example.org")


async def answers(browser, path):
    return (await browser.get(path)).status == 200


async def until(attempt):
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await attempt()):
            await asyncio.sleep(0.02)
    return found


class Carrier:
    """A driver that takes the mail, and a database that is gone before anybody could write so."""

    at_once = 1

    def __init__(self, line):
        self._line, self.taken = line, []

    async def send(self, message):
        self.taken.append(message.id)
        await self._line.cut()
        return ""


class Disk:
    """SQLite's own bound on a file, of every connection: as a disk has it."""

    def __init__(self, database):
        self._database = database
        self._bound(2**30)
        event.listen(database.engine.sync_engine, "checkout", self._taken)

    def fill(self):
        self._bound(1)  # it takes the present size for that

    def make_room(self):
        self._bound(2**30)

    def _bound(self, pages):
        self._sql = f"PRAGMA max_page_count={pages}"
        self._database._near._connection.execute(self._sql)

    def _taken(self, connection, *_):
        cursor = connection.cursor()
        cursor.execute(self._sql)
        cursor.close()


async def background_meets_it(rig):
    """The sender of messages looks, and fails."""
    outage = rig.parts.database.outage
    before = outage._failures
    rig.parts.post.wake()
    await rig.until(lambda: outage._failures > before)


@pytest.mark.parametrize("end", ["fast", "killed"])
async def test_a_server_that_goes_and_comes_back_ends_no_session_and_no_open_page(
    tmp_path, quick, caplog, end
):
    async with Rig(tmp_path, database_url=database_url(tmp_path, "postgresql")) as rig:
        ada = rig.browser()
        await ada.join()
        async with ada._session.get(rig.server.make_url("/routers/live")) as live:
            await live.content.readline()
            await asyncio.to_thread(server().kill if end == "killed" else lambda: server().halt("fast"))
            try:
                await everything_answers_503(ada)
                await background_meets_it(rig)
            finally:
                await asyncio.to_thread(server().start)
            await all_is_as_before(rig, ada)
            await rig.own_router("GL-0001", ada)
            while b"GL-0001" not in (line := await live.content.readline()):
                assert line  # the page's line is the one of before
    began, ended = lines(caplog)
    assert "cannot be used" in began and "answers again" in ended


@pytest.mark.parametrize("fault", ["held", "cut"])
async def test_a_network_that_fails_is_an_outage_too(tmp_path, quick, caplog, monkeypatch, fault):
    url = make_url(database_url(tmp_path, "postgresql"))
    async with Line(server().folder / SOCKET) as line:
        there = url.set(host="127.0.0.1", port=line.port, query={}).render_as_string()
        async with Rig(tmp_path, database_url=there) as rig:
            ada = rig.browser()
            await ada.join()
            monkeypatch.setattr(outage, "PATIENCE_S", 0.5)
            line.hold() if fault == "held" else await line.cut()
            if fault == "cut":
                await everything_answers_503(ada)
            assert (await ada.get("/routers")).status == 503
            await background_meets_it(rig)
            await line.mend()
            await all_is_as_before(rig, ada)
    began, ended = lines(caplog)
    assert "cannot be used" in began and "answers again" in ended


async def test_what_was_sent_while_the_database_went_is_noted_down_and_not_sent_again(tmp_path, quick):
    """The carrier takes the mail, and the server is gone before the lane has written so."""
    url = make_url(database_url(tmp_path, "postgresql"))
    async with Line(server().folder / SOCKET) as line:
        there = url.set(host="127.0.0.1", port=line.port, query={}).render_as_string()
        async with Rig(tmp_path, database_url=there) as rig:
            carrier = Carrier(line)
            rig.parts.post._drivers[post.MAIL] = carrier
            for lane in rig.parts.post._lanes:
                lane._driver = carrier
            await rig.browser().sign_up()
            await rig.until(lambda: carrier.taken)
            await rig.until(lambda: rig.parts.database.outage._failures > 1)  # it tried to, twice
            await line.mend()
            await rig.until(rig.parts.post.idle)
            async with rig.parts.database.read() as session:
                rows = [tuple(row) for row in await session.execute(select(Message.state, Message.attempts))]
            assert rows == [("sent", 1)] and len(carrier.taken) == 1


async def test_what_a_person_says_to_the_bot_meanwhile_is_heard_afterwards(tmp_path, quick):
    url = make_url(database_url(tmp_path, "postgresql"))
    async with Telegram() as telegram, Line(server().folder / SOCKET) as line:
        there = url.set(host="127.0.0.1", port=line.port, query={}).render_as_string()
        delivery = Delivery(telegram=TelegramSettings(BOT, TOKEN, telegram.url))
        async with Rig(tmp_path, database_url=there, delivery=delivery) as rig:
            rig.parts.tasks.start(rig.parts.bot.run(), "telegram")
            ada, person = rig.browser(), telegram.person(7, "Ada")
            await ada.join()
            link = link_on(await ada.post("/security/telegram/add", password=PASSWORD))
            failures = rig.parts.database.outage._failures
            await line.cut()
            await person.opens(link)
            await rig.until(lambda: rig.parts.database.outage._failures > failures)
            await line.mend()
            await seen(rig, ada, "/security/telegram/link", "Is this you?")


# --- SQLite


async def test_a_disk_that_is_full_takes_no_form_and_shows_every_page(tmp_path, quick, caplog):
    async with Rig(tmp_path, database_url=database_url(tmp_path, "sqlite")) as rig:
        ada = rig.browser()
        await ada.join()
        disk = Disk(rig.parts.database)
        disk.fill()
        for number in range(200):  # a page of the file that has room takes some
            page = await rig.browser().sign_up(f"{number}@example.org")
            if page.status != 200:
                break
        assert page.status == 503 and WORDS in page.text and int(page.headers["Retry-After"]) > 0
        assert (await ada.get("/routers")).path == "/routers"
        disk.make_room()
        await all_is_as_before(rig, ada)
    began, ended = lines(caplog)
    assert "disk is full" in began and "answers again" in ended


def refused(sql, path, mode="ro"):
    connection = sqlite3.connect(f"file:{path}?mode={mode}", uri=True)
    try:
        connection.execute(sql)
    except sqlite3.Error as error:
        return told(error, sql)
    finally:
        connection.close()


def test_of_a_file_that_cannot_be_used_and_one_that_is_wrong_only_the_first_passes(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE a (b UNIQUE)")
    assert is_away(refused("INSERT INTO a VALUES (1)", path))  # read-only
    assert is_away(refused_to_open(tmp_path / "none" / "a.db"))
    assert not is_away(refused("SELECT c FROM a", path))
    assert not is_away(refused("INSERT INTO a VALUES (1), (1)", path, "rw"))
    path.write_bytes(b"no database " * 1000)
    assert not is_away(refused("SELECT b FROM a", path))  # it does not heal by waiting
    assert not is_away(None) and not is_away(OSError("a file of ours"))


def refused_to_open(path):
    try:
        sqlite3.connect(path)
    except sqlite3.Error as error:
        return told(error, "connect")


def test_of_many_who_wait_too_long_the_log_hears_of_one(monkeypatch):
    it = Outage(patient=True)
    assert [it.tells_of_a_wait() for _ in range(1000)].count(True) in (1, 2)
    monkeypatch.setattr(outage, "WAIT_TOLD_EVERY_S", 0)
    assert it.tells_of_a_wait()


def test_an_outage_that_comes_and_goes_is_told_at_most_once_a_minute(tmp_path, caplog):
    away, it = OperationalError("", None, OSError("gone"), connection_invalidated=True), Outage(patient=True)
    for _ in range(1000):
        it.note(away)
        it.note(away)
        it.answered(writes=False)
    assert not it.lasts and len(caplog.records) == 2


async def test_a_time_of_the_callers_own_is_no_outage(caplog):
    it = Outage(patient=False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0), it.watch():
            await asyncio.Event().wait()
    assert not it.lasts and not caplog.records


async def test_a_fleet_is_imported_for_longer_than_a_page_waits(tmp_path, monkeypatch):
    """Thousands of routers in one transaction, each of a few statements: the server answers all the time."""
    monkeypatch.setattr(outage, "PATIENCE_S", 0)
    database, made = Database(database_url(tmp_path, "postgresql")), tmp_path / "devices.jsonl"
    unit = {"serial_number": "GL-1", "model": "GL", "service_code_hash": "a" * 64}
    made.write_text(json.dumps({**unit, "certificate_fingerprint": "b" * 64}) + "\n")
    try:
        assert await RouterRegistry(database, made).refresh()
        assert not database.outage.lasts
        with pytest.raises(OperationalError):  # a page's own
            async with database.write() as session:
                await session.execute(select(Message))
    finally:
        await database.close()
