"""The queue: its table of states, leases, two workers at once, codes that come too late; what a page says."""

import asyncio
import itertools
from types import SimpleNamespace

import pytest
from gatelodge.contract.errors import StateError
from sqlalchemy import select, update

from host_tools.cloud.delivery import post as post_module
from host_tools.cloud.delivery import progress
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.post import MAIL, SMS, Post
from host_tools.cloud.delivery.progress import (
    EXPIRED,
    FAILED,
    GIVEN_UP,
    HANDED,
    LATE,
    ON_THE_WAY,
    QUEUED,
    RETRY_AFTER_S,
    SENT,
)
from host_tools.cloud.delivery.queue import LEASE_S, Queue
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Message
from tests.host_tools.cloud_rig import DATABASE, PATIENCE_S, Clock, code_in, database_url

NOW = 1000.0
EMAIL = "ada@example.org"


class Carrier:
    """A driver: keeps what it carried; raises `error`, or what stands in `errors` for one message."""

    def __init__(self, at_once=1):
        self.at_once, self.carried, self.asked = at_once, [], 0
        self.error, self.reference, self.outcome = None, "", True

    async def send(self, message):
        await asyncio.sleep(0)  # as a line would: the other worker may come in between
        if self.error:
            raise self.error
        self.carried.append(message.body)
        return self.reference

    async def arrived(self, message):
        self.asked += 1
        if isinstance(self.outcome, DeliveryError):
            raise self.outcome
        return self.outcome


def row(state=QUEUED, attempts=1, created_at=NOW, expires_at=None, why=""):
    return SimpleNamespace(
        state=state, attempts=attempts, created_at=created_at, expires_at=expires_at, why=why
    )


@pytest.mark.parametrize("state", [SENT, GIVEN_UP, EXPIRED])
def test_what_has_ended_goes_nowhere(state):
    for decide in (
        lambda: progress.after_carried(row(state), "", NOW),
        lambda: progress.after_asked(row(state), True, NOW),
        lambda: progress.after_refused(row(state), False, None, NOW),
    ):
        with pytest.raises(StateError):
            decide()


def test_what_can_be_asked_for_is_handed_over_and_else_it_is_sent():
    assert progress.after_carried(row(), "SM1", NOW) == (HANDED, NOW + progress.ASK_EVERY_S)
    assert progress.after_carried(row(), "", NOW).state == SENT


def test_a_carrier_is_asked_until_it_knows_or_so_long_that_nobody_waits():
    handed = row(HANDED)
    assert progress.after_asked(handed, False, NOW).state == HANDED
    assert progress.after_asked(handed, True, NOW).state == SENT
    assert progress.after_asked(handed, False, NOW + progress.ASK_FOR_S).state == SENT
    assert progress.after_refused(handed, False, None, NOW).state == HANDED  # it could not be asked
    assert progress.after_refused(handed, True, None, NOW).state == GIVEN_UP


def test_attempts_come_later_and_later_and_end():
    waits = [progress.after_refused(row(attempts=n), False, None, NOW).due_at - NOW for n in range(1, 7)]
    assert tuple(waits) == RETRY_AFTER_S
    assert progress.after_refused(row(attempts=7), False, None, NOW).state == GIVEN_UP


def test_a_carrier_that_asks_to_wait_is_left_in_peace_for_so_long():
    assert progress.after_refused(row(), False, 77.0, NOW) == (QUEUED, NOW + 77.0)
    assert progress.after_refused(row(), False, 1.0, NOW) == (QUEUED, NOW + RETRY_AFTER_S[0])


def test_a_code_is_given_up_as_soon_as_the_next_attempt_would_come_too_late():
    code = row(expires_at=NOW + 60)
    assert progress.after_refused(code, False, 59.0, NOW).state == QUEUED
    assert progress.after_refused(code, False, 60.0, NOW).state == GIVEN_UP


@pytest.mark.parametrize("rows, told", [
    ([], ON_THE_WAY),
    ([row()], ON_THE_WAY),
    ([row(why="x")], LATE),
    ([row(why="x"), row()], ON_THE_WAY),
    ([row(GIVEN_UP, why="x")], FAILED),
    ([row(EXPIRED)], FAILED),
    ([row(GIVEN_UP, why="x"), row(SENT)], ON_THE_WAY),
    ([row(GIVEN_UP, why="x"), row(why="x")], LATE),
])  # fmt: skip
def test_one_message_that_arrives_is_enough(rows, told):
    for order in itertools.permutations(rows):
        assert progress.of_all(order) == told


@pytest.fixture
def kind():
    return DATABASE


@pytest.fixture
async def database(tmp_path, kind):
    database = Database(database_url(tmp_path, kind))
    await database.migrate()
    yield database
    await database.close()


async def fill(database, clock, count=1, channel=MAIL, **options):
    post = Post(database, {channel: Carrier()}, clock)
    async with database.write() as session:
        for index in range(count):
            text = Text("subject", f"body {index}")
            await post.add(session, EMAIL, text, clock() - 1, channel, **options)


async def messages(database):
    async with database.read() as session:
        return list(await session.scalars(select(Message).order_by(Message.id)))


async def run_until(posts, condition):
    """Run the workers until the condition holds and all are idle."""
    tasks = [asyncio.create_task(post.run()) for post in posts]
    async with asyncio.timeout(PATIENCE_S):
        while not (all(post.idle() for post in posts) and condition()):
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_two_processes_send_every_message_once(tmp_path, kind, database):
    clock, carrier = Clock(), Carrier(at_once=4)
    other = Database(database_url(tmp_path, kind))  # connections of its own, as another process has
    await fill(database, clock, 60)
    await run_until(
        [Post(each, {MAIL: carrier}, clock) for each in (database, other)],
        lambda: len(carrier.carried) >= 60,
    )
    await other.close()
    assert sorted(carrier.carried) == sorted(f"body {index}" for index in range(60))
    assert {message.state for message in await messages(database)} == {SENT}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_claim_is_nobody_elses_until_its_lease_ends(kind, database):
    clock, queue = Clock(), Queue(database)
    await fill(database, clock)
    claimed = await queue.claim((MAIL,), clock())
    assert claimed is not None and await queue.claim((MAIL,), clock()) is None
    assert (await queue.claim((MAIL,), clock() + LEASE_S)).attempts == 2  # its process died
    assert not await queue.settle(claimed, progress.Next(SENT, clock()))  # or did it? It is too late
    assert (await messages(database))[0].state == QUEUED


async def test_a_message_that_kills_its_process_is_not_tried_for_ever(database):
    clock, queue = Clock(), Queue(database)
    await fill(database, clock)
    for _ in RETRY_AFTER_S:
        await queue.claim((MAIL,), clock())
        clock.now += LEASE_S
    claimed = await queue.claim((MAIL,), clock())
    assert progress.after_refused(claimed, False, None, clock()).state == GIVEN_UP


async def test_a_code_that_nobody_can_use_any_more_is_not_sent_and_forgotten(database):
    clock, carrier = Clock(), Carrier()
    told = []
    post = Post(database, {SMS: carrier}, clock)

    async def hear(message):
        told.append((message.about, message.state))

    post.news = hear
    await fill(database, clock, channel=SMS, about="sign-in sms 1", expires_at=clock())
    await run_until([post], lambda: told)
    [message] = await messages(database)
    assert carrier.carried == [] and (message.state, message.body) == (EXPIRED, "")
    assert told == [("sign-in sms 1", EXPIRED)]


async def test_what_a_carrier_was_handed_is_followed_to_its_end(database):
    clock, carrier, told = Clock(), Carrier(), []
    carrier.reference, carrier.outcome = "SM1", False
    post = Post(database, {SMS: carrier}, clock)

    async def hear(message):
        told.append(message.state)
        carrier.outcome = DeliveryError("the phone is not there", permanent=True)
        clock.now += progress.ASK_EVERY_S

    post.news = hear
    await fill(database, clock, channel=SMS, about="sign-in sms 1")
    await run_until([post], lambda: GIVEN_UP in told)
    [message] = await messages(database)
    assert told == [HANDED, GIVEN_UP] and carrier.asked == 1
    assert (message.reference, message.body) == ("SM1", "")
    assert message.why == "the phone is not there"


async def test_a_slow_carrier_keeps_no_other_channel_waiting(database):
    clock, slow, quick, free = Clock(), Carrier(), Carrier(), asyncio.Event()

    async def stuck(message):
        await free.wait()
        return ""

    slow.send = stuck
    await fill(database, clock, channel=SMS)
    await fill(database, clock, channel=MAIL)
    post = Post(database, {SMS: slow, MAIL: quick}, clock)
    task = asyncio.create_task(post.run())
    async with asyncio.timeout(PATIENCE_S):
        while not quick.carried:
            await asyncio.sleep(0.01)
    assert not post.idle()
    free.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_stop_waits_for_a_carrier_that_answers_and_hands_it_nothing_more(database):
    clock, carrier, free, asked = Clock(), Carrier(), asyncio.Event(), asyncio.Event()

    async def send(message):
        asked.set()
        await free.wait()
        carrier.carried.append(message.id)
        return ""

    carrier.send = send
    await fill(database, clock, 2)
    post = Post(database, {MAIL: carrier}, clock)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        running = group.create_task(post.run())
        await asked.wait()
        finishing = group.create_task(post.finish())
        await asyncio.sleep(0)
        assert not finishing.done()
        free.set()
        await finishing
        await post.run()  # as its keeper would, who begins it again: it does not begin
        running.cancel()
    states = sorted((each.state, each.attempts) for each in await messages(database))
    assert states == [(QUEUED, 0), (SENT, 1)] and len(carrier.carried) == 1


async def test_a_lane_that_fails_begins_again_and_breaks_off_no_other(database, monkeypatch, caplog):
    monkeypatch.setattr(post_module, "AGAIN_S", 0)
    clock, carrier, told = Clock(), Carrier(), []
    post = Post(database, {SMS: carrier}, clock)

    async def hear(message):
        told.append(message.id)
        raise RuntimeError("a fault of ours")

    post.news = hear
    await fill(database, clock, 3, channel=SMS, about="sign-in sms 1")
    await run_until([post], lambda: len(told) == 3)
    assert carrier.carried == ["body 0", "body 1", "body 2"] and "begins again" in caplog.text


async def test_what_nothing_carries_any_more_is_given_up(database):
    clock = Clock()
    await fill(database, clock, channel=SMS)
    await run_until([Post(database, {MAIL: Carrier()}, clock)], lambda: True)
    assert [message.state for message in await messages(database)] == [GIVEN_UP]


async def test_the_page_says_that_a_code_could_not_be_sent_yet_and_then_that_it_was(rig):
    ada = rig.browser()
    await ada.join()
    await ada.sign_out()
    carrier = rig.parts.outbox
    send, broken = carrier.send, DeliveryError("the mail server answered 451")

    async def refuse(message):
        raise broken

    carrier.send = refuse
    other = rig.browser()
    page = await other.sign_in()
    await rig.until(rig.parts.post.idle)
    page = await other.get("/sign-in/code")
    assert "could not be sent yet" in page.text
    carrier.send = send
    rig.clock.now += RETRY_AFTER_S[0]
    rig.parts.post.wake()
    code = code_in((await rig.mails(EMAIL))[0])
    page = await other.get("/sign-in/code")
    assert "could not be sent" not in page.text
    assert (await other.post("/sign-in/code", code=code)).path == "/routers"


async def test_the_page_says_that_a_code_was_lost_and_offers_another(rig):
    ada = rig.browser()
    await ada.join()
    await ada.sign_out()
    other = rig.browser()
    await other.sign_in()
    await rig.until(rig.parts.post.idle)
    async with rig.parts.database.write() as session:
        await session.execute(update(Message).values(state=GIVEN_UP, why="the mail server answered 550"))
    page = await other.get("/sign-in/code")
    assert "could not be sent. Send another" in page.text and '<details class="aside" open' in page.text
    assert "550" not in page.text
    rig.clock.now += 30
    page = await other.post("/sign-in/method", form_page="/sign-in/code")
    assert "could not be sent" not in page.text  # of the one that was sent now
