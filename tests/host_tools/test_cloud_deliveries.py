"""What pages say of messages that they wait for: of a new number, a forgotten password, a new e-mail."""

import asyncio
import json
import re
from email import message_from_bytes, policy

import pytest

from host_tools.cloud.delivery.config import Delivery
from tests.fakes.telephony import Telephony
from tests.host_tools.cloud_rig import PASSWORD, Rig
from tests.host_tools.smtp_rig import mail_server
from tests.host_tools.test_cloud_telephony import NUMBER, settings, settled

EMAIL, NEW = "ada@example.org", "bell@example.org"
LATER, NEVER = "451 try again later", "550 no such mailbox"
TRIED_AGAIN, NOT_DELIVERED = "It is tried again.", "could not be delivered"


@pytest.fixture
async def carrier():
    async with Telephony() as carrier:
        yield carrier


@pytest.fixture
def inbox():
    with mail_server() as inbox:
        yield inbox


@pytest.fixture
async def rig(tmp_path, inbox, carrier):
    delivery = Delivery(smtp=inbox.settings(), telephony=settings(carrier))
    async with Rig(tmp_path, delivery=delivery) as rig:
        yield rig


@pytest.fixture
async def ada(rig, inbox):
    """Signed up by a real mail."""
    browser = rig.browser()
    await browser.sign_up(EMAIL)
    await rig.until(lambda: inbox.mails)
    body = message_from_bytes(inbox.mails[-1].content, policy=policy.default).get_content()
    await browser.post("/confirm", code=re.search(r"Your code is (\d{6})", body)[1])
    await rig.until(rig.parts.post.idle)
    return browser


async def told(browser, rig, path):
    """The first thing that an open page hears."""
    async with browser._session.get(rig.server.make_url(path)) as answer:
        assert answer.status == 200
        line = await asyncio.wait_for(answer.content.readline(), 10)
    return json.loads(line.removeprefix(b"data: "))["delivery"]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [({"refusals": [(503, 0, {})]}, TRIED_AGAIN), ({"status": {"Messages": "undelivered"}}, NOT_DELIVERED)],
)
async def test_the_page_of_a_new_number_says_what_becomes_of_its_message(rig, ada, carrier, trouble, said):
    page = await ada.post("/security/phones/add", number=NUMBER, password=PASSWORD)
    assert page.path == "/security/phones/confirm" and said not in page.text
    await settled(rig)  # the carrier has that message
    rig.clock.now += 60
    for name, value in trouble.items():
        setattr(carrier, name, value)
    await ada.post("/security/phones/add", number=NUMBER, password=PASSWORD)
    await settled(rig)
    assert said in (await ada.get("/security/phones/confirm")).text
    assert said in await told(ada, rig, "/security/phones/confirm/live")


@pytest.mark.parametrize(("refusal", "said"), [(LATER, TRIED_AGAIN), (NEVER, NOT_DELIVERED)])
async def test_a_forgotten_password_is_told_so_where_the_account_is_known(rig, ada, inbox, refusal, said):
    await ada.sign_out()
    inbox.refusal = refusal
    page = await ada.post("/forgotten", email=EMAIL)
    assert page.path == "/forgotten/code"
    await rig.until(lambda: inbox.tried >= 2)
    await rig.until(rig.parts.post.idle)
    assert said in (await ada.get("/forgotten/code")).text
    assert said in await told(ada, rig, "/forgotten/live")


async def test_a_stranger_learns_of_no_account_by_a_mail_that_fails(rig, ada, inbox):
    inbox.refusal = NEVER
    strangers = [rig.browser(), rig.browser()]
    for stranger, email in zip(strangers, (EMAIL, "nobody@example.org"), strict=True):
        await stranger.post("/forgotten", email=email)
    await rig.until(lambda: inbox.tried >= 2)
    await rig.until(rig.parts.post.idle)
    pages = [await stranger.get("/forgotten/code") for stranger in strangers]
    assert pages[0].text.replace(pages[0].csrf, "") == pages[1].text.replace(pages[1].csrf, "")
    assert "/forgotten/live" not in pages[0].text
    assert [(await stranger.get("/forgotten/live")).status for stranger in strangers] == [404, 404]


@pytest.mark.parametrize(("refusal", "said"), [(LATER, TRIED_AGAIN), (NEVER, NOT_DELIVERED)])
async def test_a_new_email_is_told_of_both_addresses(rig, ada, inbox, refusal, said):
    await ada.post("/profile/email", form_page="/profile", email=NEW, password=PASSWORD)
    await rig.until(rig.parts.post.idle)
    assert said not in (await ada.get("/profile")).text
    rig.clock.now += 60
    inbox.refusal = refusal
    await ada.post("/profile/email", form_page="/profile", email=NEW, password=PASSWORD)
    await rig.until(rig.parts.post.idle)
    text = await told(ada, rig, "/profile/email/live")
    assert text.count(said) == 2 and EMAIL in text and NEW in text
    assert text in (await ada.get("/profile")).text


async def test_nobody_hears_of_a_reset_that_nobody_asked_for(rig):
    assert (await rig.browser().get("/forgotten/live")).status == 404
