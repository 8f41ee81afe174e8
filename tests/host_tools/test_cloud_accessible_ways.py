"""The pages of Telegram, calls and notices for everybody: axe-core, the keyboard, a screen of 320 px."""

import pytest
from playwright.async_api import expect
from sqlalchemy import update

from host_tools.cloud import certificates
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.delivery.config import Delivery, TelegramSettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.progress import GIVEN_UP
from host_tools.cloud.store.models import Message
from tests.fakes.telegram import BOT, TOKEN, Telegram
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in
from tests.host_tools.test_cloud_accessible import (  # noqa: F401 - tab is a fixture
    assert_all_reached,
    assert_no_fault,
    look_at,
    tab,
)
from tests.host_tools.test_cloud_browser import EMAIL, join

NUMBER = "+32470123456"


@pytest.fixture
async def telegram():
    async with Telegram() as telegram:
        yield telegram


@pytest.fixture
async def rig(tmp_path, telegram):
    context = certificates.load_or_create(tmp_path).portal_context()
    delivery = Delivery(telegram=TelegramSettings(BOT, TOKEN, telegram.url))
    async with Rig(tmp_path, tls=context, delivery=delivery) as rig:
        rig.parts.tasks.start(rig.parts.bot.run(), "telegram")
        yield rig


async def sign_in(rig, tab):  # noqa: F811
    await tab.goto(str(rig.server.make_url("/sign-in")))
    await tab.get_by_label("E-mail").fill(EMAIL)
    await tab.get_by_label("Password", exact=True).fill(PASSWORD)
    await tab.keyboard.press("Enter")


async def test_who_links_telegram_finds_every_page_accessible(rig, tab, telegram):  # noqa: F811
    await join(rig, tab)
    await look_at(rig, tab, "/security/choose", "/security/telegram/add")
    await tab.get_by_label("Your password").fill(PASSWORD)
    await tab.keyboard.press("Enter")
    link = tab.get_by_role("link", name="Open Telegram")
    address = await link.get_attribute("href")
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await telegram.person(7, "Ada", username="ada").opens(address)
    await expect(tab.get_by_text("Is this you?")).to_be_visible()
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="That is me").click()
    await tab.locator("#codes li").first.wait_for()
    await assert_no_fault(tab)
    await look_at(rig, tab, "/security")
    rig.clock.now += PROVED_S
    await tab.get_by_role("link", name="Unlink Ada").click()
    await assert_no_fault(tab)
    await tab.get_by_role("link", name="Prove that it is you").click()
    await tab.get_by_label("Your password").fill(PASSWORD)
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="Go on").click()
    await tab.get_by_text("Now your second factor").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await tab.get_by_role("button", name="Sign out").click()
    await sign_in(rig, tab)
    await expect(tab.get_by_text("Press this number there")).to_be_visible()
    await assert_no_fault(tab)
    await assert_all_reached(tab)


async def test_who_is_called_and_told_of_a_lost_message_finds_every_page_accessible(rig, tab):  # noqa: F811
    ada = rig.browser()
    await ada.join()
    await ada.post("/security/phones/add", number=NUMBER, password=PASSWORD)
    await ada.post("/security/phones/confirm", code=code_in((await rig.mails(NUMBER))[0]))
    rig.clock.now += 60
    await sign_in(rig, tab)
    await tab.get_by_text("Did not receive a code?").click()
    await tab.get_by_role("button", name="Call instead").click()
    await expect(tab.get_by_text("A call is on its way")).to_be_visible()
    await assert_no_fault(tab)

    async def lost(message):
        raise DeliveryError("the carrier says that it is busy", permanent=True)

    rig.parts.outbox.send = lost
    rig.clock.now += 60
    await tab.get_by_text("Did not receive a code?").click()
    await tab.get_by_role("button", name="Call again").click()
    await expect(tab.get_by_text("The call did not arrive")).to_be_visible()
    await expect(tab.get_by_text("A call is on its way")).to_be_hidden()
    await assert_no_fault(tab)
    await assert_all_reached(tab)


async def test_an_open_page_says_that_its_message_was_lost_and_keeps_what_is_typed(rig, tab):  # noqa: F811
    await rig.browser().join()
    await sign_in(rig, tab)
    await tab.get_by_text("Did not receive a code?").click()
    await tab.get_by_role("button", name="Send a code by e-mail").click()
    field = tab.get_by_label("Code from the e-mail")
    await field.fill("12")
    await rig.until(rig.parts.post.idle)
    async with rig.parts.database.write() as session:
        await session.execute(update(Message).values(state=GIVEN_UP, why="the mail server answered 550"))
    await expect(tab.get_by_text("The message could not be sent. Send another")).to_be_visible()
    await expect(field).to_have_value("12")


async def test_who_switches_notices_on_finds_the_page_accessible(rig, tab):  # noqa: F811
    await join(rig, tab)
    await look_at(rig, tab, "/security/push")
