"""The queue of messages, and SMTP against a real server on the loopback."""

import pytest
from sqlalchemy import select

from host_tools.cloud.delivery.progress import GIVEN_UP, RETRY_AFTER_S, SENT
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.store.models import Message
from tests.host_tools.cloud_rig import Rig
from tests.host_tools.smtp_rig import mail_server


@pytest.fixture
def inbox():
    with mail_server() as inbox:
        yield inbox


async def messages(rig):
    async with rig.parts.database.read() as session:
        return list(await session.scalars(select(Message)))


async def test_a_mail_is_delivered_and_its_body_is_kept_no_longer(tmp_path, inbox):
    async with Rig(tmp_path, delivery=inbox.delivery(), development=False) as rig:
        await rig.browser().sign_up()
        await rig.until(rig.parts.post.idle)
        [message] = await messages(rig)
    assert (message.state, message.body) == (SENT, "")
    assert inbox.mails[0].rcpt_tos == ["ada@example.org"]


async def test_a_mail_that_was_refused_is_tried_again_later(tmp_path, inbox):
    inbox.refusal = "451 later"
    async with Rig(tmp_path, delivery=inbox.delivery(), development=False) as rig:
        await rig.browser().sign_up()
        await rig.until(lambda: inbox.tried == 1 and rig.parts.post.idle())
        inbox.refusal = None
        rig.clock.now += RETRY_AFTER_S[0]
        rig.parts.post.wake()
        await rig.until(lambda: inbox.mails)


async def test_a_mail_that_nobody_takes_is_given_up_and_forgotten(tmp_path, inbox, caplog):
    inbox.refusal = "451 later"
    async with Rig(tmp_path, delivery=inbox.delivery(), development=False) as rig:
        await rig.browser().sign_up()
        for wait_s in (*RETRY_AFTER_S, 0):
            await rig.until(rig.parts.post.idle)
            rig.clock.now += wait_s
            rig.parts.post.wake()
        await rig.until(rig.parts.post.idle)
        [message] = await messages(rig)
    assert (message.state, message.body) == (GIVEN_UP, "")
    assert "the mail server answered 451" in caplog.text and "ada@" not in caplog.text


async def test_a_message_that_cannot_be_sent_keeps_no_other_waiting(tmp_path, inbox, caplog):
    async with Rig(tmp_path, delivery=inbox.delivery(), development=False) as rig:
        async with rig.parts.database.write() as session:
            unfit = Text("A subject\nwith two lines", "a body")
            await rig.parts.post.add(session, "first@example.org", unfit, rig.clock() - 1)
        await rig.browser().sign_up()
        await rig.until(lambda: inbox.mails)
    assert inbox.mails[0].rcpt_tos == ["ada@example.org"]
    assert "first@" not in caplog.text


async def test_what_was_queued_before_a_restart_is_sent_after_it(tmp_path, inbox):
    async with Rig(tmp_path, delivery=inbox.delivery(port=1), development=False) as rig:
        await rig.browser().sign_up()
        await rig.until(rig.parts.post.idle)
    async with Rig(tmp_path, delivery=inbox.delivery(), development=False) as rig:
        rig.clock.now += RETRY_AFTER_S[0] + 60
        rig.parts.post.wake()
        await rig.until(lambda: inbox.mails)
