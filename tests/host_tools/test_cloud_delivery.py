"""The queue of messages, and SMTP against a real server on the loopback."""

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from host_tools.cloud.delivery.post import GIVEN_UP, RETRY_AFTER_S, SENT
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.store.models import Message
from tests.host_tools.cloud_rig import Rig, free_port


class Inbox:
    """aiosmtpd's handler: keeps what came, or answers with `refusal`."""

    def __init__(self):
        self.mails, self.refusal, self.tried = [], None, 0

    async def handle_DATA(self, server, session, envelope):
        self.tried += 1
        if self.refusal:
            return self.refusal
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def inbox():
    inbox = Inbox()
    inbox.address = ("127.0.0.1", free_port())
    controller = Controller(inbox, *inbox.address)
    controller.start()
    yield inbox
    controller.stop()


async def messages(rig):
    async with rig.parts.database.read() as session:
        return list(await session.scalars(select(Message)))


async def test_a_mail_is_delivered_and_its_body_is_kept_no_longer(tmp_path, inbox):
    async with Rig(tmp_path, smtp=inbox.address, development=False) as rig:
        await rig.browser().sign_up()
        await rig.until(rig.parts.post.idle)
        [message] = await messages(rig)
    assert (message.state, message.body) == (SENT, "")
    assert inbox.mails[0].rcpt_tos == ["ada@example.org"]
    assert b"Auto-Submitted: auto-generated" in inbox.mails[0].content


async def test_a_mail_that_was_refused_is_tried_again_later(tmp_path, inbox):
    inbox.refusal = "451 later"
    async with Rig(tmp_path, smtp=inbox.address, development=False) as rig:
        await rig.browser().sign_up()
        await rig.until(lambda: inbox.tried == 1 and rig.parts.post.idle())
        inbox.refusal = None
        rig.clock.now += RETRY_AFTER_S[0]
        rig.parts.post.wake()
        await rig.until(lambda: inbox.mails)


async def test_a_mail_that_nobody_takes_is_given_up_and_forgotten(tmp_path, inbox, caplog):
    inbox.refusal = "550 no"
    async with Rig(tmp_path, smtp=inbox.address, development=False) as rig:
        await rig.browser().sign_up()
        for wait_s in (*RETRY_AFTER_S, 0):
            await rig.until(rig.parts.post.idle)
            rig.clock.now += wait_s
            rig.parts.post.wake()
        await rig.until(rig.parts.post.idle)
        [message] = await messages(rig)
    assert (message.state, message.body) == (GIVEN_UP, "")
    assert "the mail server answered 550" in caplog.text and "ada@" not in caplog.text


async def test_a_message_that_cannot_be_sent_keeps_no_other_waiting(tmp_path, inbox, caplog):
    async with Rig(tmp_path, smtp=inbox.address, development=False) as rig:
        async with rig.parts.database.write() as session:
            unfit = Text("A subject\nwith two lines", "a body")
            await rig.parts.post.add(session, "first@example.org", unfit, rig.clock() - 1)
        await rig.browser().sign_up()
        await rig.until(lambda: inbox.mails)
    assert inbox.mails[0].rcpt_tos == ["ada@example.org"]
    assert "first@" not in caplog.text


async def test_a_mail_is_for_one_address_only(tmp_path, inbox):
    odd = ("ada@example.org,root", "=?utf-8?q?root=2C?=@example.org", "ada@example.org>", "ada@example..org")
    async with Rig(tmp_path, smtp=inbox.address, development=False) as rig:
        async with rig.parts.database.write() as session:
            for recipient in odd:
                await rig.parts.post.add(session, recipient, Text("s", "b"), rig.clock())
        await rig.browser().sign_up()
        await rig.until(lambda: inbox.mails)
        await rig.until(rig.parts.post.idle)
    assert [mail.rcpt_tos for mail in inbox.mails] == [["ada@example.org"]]


async def test_what_was_queued_before_a_restart_is_sent_after_it(tmp_path, inbox):
    async with Rig(tmp_path, smtp=("127.0.0.1", 1), development=False) as rig:
        await rig.browser().sign_up()
        await rig.until(rig.parts.post.idle)
    async with Rig(tmp_path, smtp=inbox.address, development=False) as rig:
        rig.clock.now += RETRY_AFTER_S[0] + 60
        rig.parts.post.wake()
        await rig.until(lambda: inbox.mails)
