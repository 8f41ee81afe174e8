"""Telegram: linking chats, agreeing in one, codes in one, unlinking, a bot that is blocked; its updates."""

import asyncio
import re

import pytest

from host_tools.cloud.accounts import letters
from host_tools.cloud.accounts.chat_answers import DENIED
from host_tools.cloud.accounts.codes import RESEND_S
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.accounts.signin import ASKED_S
from host_tools.cloud.accounts.telegram import CHATS_MAX, GO_BACK, HELLO, LINK_S
from host_tools.cloud.delivery import config
from host_tools.cloud.delivery import telegram as bot_api
from host_tools.cloud.delivery.config import Delivery, TelegramSettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.languages.text import _, speaking
from host_tools.cloud.store.models import Message
from host_tools.errors import ToolError
from tests.fakes.telegram import BOT, TOKEN, Telegram
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Rig

EMAIL = "ada@example.org"
NOT_ME = "It was not me"


@pytest.fixture
async def telegram():
    async with Telegram() as telegram:
        yield telegram


@pytest.fixture
async def rig(tmp_path, telegram):
    delivery = Delivery(telegram=TelegramSettings(BOT, TOKEN, telegram.url))
    async with Rig(tmp_path, delivery=delivery) as rig:
        rig.parts.tasks.start(rig.parts.bot.run(), "telegram")
        yield rig


async def linked(rig, browser, person):
    """The page after a chat was linked."""
    await offered(rig, browser, person)
    page = await browser.post("/security/telegram/link")
    await rig.until(rig.parts.post.idle)  # the chat itself is told of it
    return page


async def offered(rig, browser, person):
    """The page on which a chat that opened the link is to be confirmed."""
    page = await browser.post("/security/telegram/add", password=PASSWORD)
    await person.opens(link_on(page))
    return await seen(rig, browser, "/security/telegram/link", "Is this you?")


async def seen(rig, browser, path, text):
    async with asyncio.timeout(PATIENCE_S):
        while text not in (page := await browser.get(path)).text:
            await asyncio.sleep(0.01)
    return page


async def told(person, text):
    """Wait until the person's newest message holds it."""
    async with asyncio.timeout(PATIENCE_S):
        while not person.messages or text not in person.messages[-1]["text"]:
            await asyncio.sleep(0.01)


def link_on(page):
    return re.search(r'href="(https://t\.me/[^"]+)"', page.text)[1]


def number_on(page):
    return re.search(r"<strong>(\d\d)</strong>", page.text)[1]


async def asked(rig, person, **headers):
    """A new browser that signs in, its page, when the person was asked."""
    other = rig.browser(**headers)
    page = await other.sign_in()
    await told(person, "signs in to your Gatelodge account")
    return other, page


async def test_a_chat_is_a_factor_after_its_person_is_confirmed_in_the_account(rig, ada, telegram):
    person = telegram.person(7, "Ada", last_name="Bell", username="ada")
    page = await offered(rig, ada, person)
    assert "Ada Bell (@ada)" in page.text and "confirm there" in person.messages[-1]["text"]
    assert "(@ada)" not in (await ada.get("/security")).text
    page = await ada.post("/security/telegram/link")
    assert page.text.count("<li><code>") == 10
    assert "Ada Bell (@ada)" in (await ada.get("/security")).text
    mail = (await rig.mails(EMAIL))[0]
    assert mail.subject == "A Telegram chat was linked"
    await rig.browser().post(re.search(r"https://[^/]+(/undo#\S+)", mail.body)[1], password=PASSWORD)
    assert (await ada.enter()).path == "/routers"  # by mail again
    assert "(@ada)" not in (await ada.get("/security")).text


async def test_a_token_is_replaced_while_the_cloud_runs(telegram, tmp_path):
    file = tmp_path / "telegram.token"
    file.write_text("123456:one-of-before\n")
    file.chmod(0o600)
    text = f'[telegram]\nbot = "{BOT}"\ntoken_file = "telegram.token"\napi = "{telegram.url}"\n'
    (tmp_path / "delivery.toml").write_text(text)
    api = bot_api.Api(config.load(tmp_path / "delivery.toml", {}).telegram)
    with pytest.raises(DeliveryError, match="401"):
        await api.call("sendMessage", chat_id=7, text="Hello")
    for spoilt, mode in (("no token", 0o600), (TOKEN, 0o644)):  # the one of before is used
        replace(file, spoilt, mode)
        with pytest.raises(DeliveryError, match="401"):
            await api.call("sendMessage", chat_id=7, text="Hello")
    file.unlink()  # for a moment
    with pytest.raises(DeliveryError, match="401"):
        await api.call("sendMessage", chat_id=7, text="Hello")
    replace(file, TOKEN, 0o600)
    await api.call("sendMessage", chat_id=7, text="Hello")
    assert [row["text"] for row in telegram.chats[7]] == ["Hello"]


def replace(file, text, mode):
    """As an operator does it: another file takes the name."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.chmod(mode)
    other.rename(file)


def test_a_token_of_the_environment_is_not_replaced_by_a_file(tmp_path):
    text = f'[telegram]\nbot = "{BOT}"\ntoken_file = "telegram.token"\n'
    (tmp_path / "delivery.toml").write_text(text)
    found = config.load(tmp_path / "delivery.toml", {"GATELODGE_TELEGRAM_TOKEN": TOKEN}).telegram
    assert (found.token, found.token_file) == (TOKEN, "")


async def test_making_a_link_asks_for_the_password(rig, ada):
    page = await ada.post("/security/telegram/add", password="not the password")
    assert page.status == 422 and "t.me" not in page.text


async def test_a_link_is_for_the_first_chat_that_opens_it_and_for_ten_minutes(rig, ada, telegram):
    address = link_on(await ada.post("/security/telegram/add", password=PASSWORD))
    ada_there, eve = telegram.person(7, "Ada"), telegram.person(8, "Eve")
    await ada_there.opens(address)
    await told(ada_there, "confirm there")
    await eve.opens(address)
    await told(eve, "expired, or was used")
    assert "Ada" in (await ada.get("/security/telegram/link")).text
    rig.clock.now += LINK_S
    assert (await ada.post("/security/telegram/link", form_page="/security")).path == "/security/telegram/add"
    await ada_there.opens(address)
    await told(ada_there, "expired, or was used")
    assert "Unlink" not in (await ada.get("/security")).text


async def test_the_last_step_asks_again_where_the_proof_is_over(rig, ada, telegram):
    """Whoever finds the session open while a link waits must not link a chat of their own."""
    await offered(rig, ada, telegram.person(8, "Eve"))
    rig.clock.now += PROVED_S
    for password in ("", "not the password"):
        page = await ada.post("/security/telegram/link", password=password)
        assert page.status == 422 and 'type="password"' in page.text
    assert "Unlink" not in (await ada.get("/security")).text
    await ada.post("/security/telegram/link", password=PASSWORD)
    assert "Unlink" in (await ada.get("/security")).text


async def test_a_link_of_another_session_confirms_nothing_here(rig, ada, telegram):
    await offered(rig, ada, telegram.person(7, "Ada"))
    eve = rig.browser()
    await eve.join("eve@example.org")
    await eve.post("/security/telegram/link", form_page="/security")
    assert "Unlink" not in (await eve.get("/security")).text


async def test_groups_and_strangers_are_not_linked(rig, ada, telegram):
    address = link_on(await ada.post("/security/telegram/add", password=PASSWORD))
    await telegram.person(-9, "The family", kind="group").opens(address)
    stranger = telegram.person(9, "Eve")
    await stranger.says("hello?")
    await stranger.opens("https://t.me/x?start=guessed")
    await told(stranger, "expired, or was used")
    assert telegram.chats.keys() == {9} and len(stranger.messages) == 1
    assert "Open this in Telegram" in (await ada.get("/security/telegram/link")).text


async def test_the_button_with_the_right_number_lets_the_new_browser_in(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, page = await asked(rig, person, **{"User-Agent": "Firefox/130.0 Linux"})
    assert "Press this number there" in page.text
    question = person.messages[-1]["text"]
    assert "Firefox on Linux" in question and "the same local network" in question
    assert len(person.buttons) == 4 and number_on(page) in person.buttons
    await person.presses(number_on(page))
    await told(person, "goes on by itself")
    assert person.buttons == {} and telegram.answered == ["q"]
    assert "It was agreed to" in (await other.get("/sign-in/code")).text
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).path == "/routers"


async def test_a_blind_yes_ends_the_sign_in(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, page = await asked(rig, person)
    wrong = next(text for text in person.buttons if text not in (number_on(page), NOT_ME))
    await person.presses(wrong)
    await told(person, "not the number")
    page = await other.post("/sign-in/agreed", form_page="/sign-in")
    assert page.status == 422 and (await other.get("/routers")).path == "/sign-in"


async def test_a_question_in_a_chat_is_over_after_ten_minutes(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, page = await asked(rig, person)
    rig.clock.now += ASKED_S
    await person.presses(number_on(page))
    await told(person, "This sign-in is over")
    page = await other.post("/sign-in/agreed", form_page="/sign-in")
    assert page.status == 422 and (await other.get("/routers")).path == "/sign-in"


async def test_it_was_not_me_ends_the_sign_in_and_leads_to_a_new_password(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, page = await asked(rig, person)
    right = person.buttons[number_on(page)]
    await person.presses(NOT_ME)
    await told(person, "/security/password")
    await person.presses_data(right)  # of the message before it was edited
    await told(person, "This sign-in is over")
    assert (await other.get("/routers")).path == "/sign-in"
    assert "It was not me" in (await ada.get("/security/log")).text


async def test_every_linked_chat_is_asked_and_any_may_agree_or_refuse(rig, ada, telegram):
    first, second = telegram.person(7, "Ada"), telegram.person(8, "Ada at work")
    await linked(rig, ada, first)
    await linked(rig, ada, second)
    other, page = await asked(rig, first)
    await told(second, "signs in to your Gatelodge account")
    await second.presses(number_on(page))
    await told(second, "goes on by itself")
    await first.presses(NOT_ME)  # whoever sees that it is wrong still has a say
    await told(first, "/security/password")
    assert (await other.post("/sign-in/agreed", form_page="/sign-in")).status == 422


async def test_a_chat_of_another_account_agrees_to_nothing(rig, ada, telegram):
    person, stranger = telegram.person(7, "Ada"), telegram.person(8, "Eve")
    await linked(rig, ada, person)
    eve = rig.browser()
    await eve.join("eve@example.org")
    await linked(rig, eve, stranger)
    other, page = await asked(rig, person)
    await stranger.presses_data(person.buttons[number_on(page)])
    await told(stranger, "This sign-in is over")
    await stranger.presses_data(person.buttons[NOT_ME])
    await person.presses(number_on(page))
    await told(person, "goes on by itself")
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).path == "/routers"


@pytest.mark.parametrize(
    "data", ["", "yes", "no", "maybe {id} {number}", "yes {id}", "yes  {number}", "x" * 500]
)
async def test_what_no_button_of_ours_holds_agrees_to_nothing(rig, ada, telegram, data):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, page = await asked(rig, person)
    _, sign_in_id, number = person.buttons[number_on(page)].split(" ")
    await person.presses_data(data.format(id=sign_in_id, number=number))
    await rig.until(lambda: telegram.answered)
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).status == 422


async def test_a_code_in_the_chat_signs_in_too(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, page = await asked(rig, person)
    assert "Send a code in Telegram" in page.text
    await other.post("/sign-in/method", form_page="/sign-in/code", method="telegram_code")
    await told(person, "Your code is")
    code = re.search(r"\d{6}", person.messages[-1]["text"])[0]
    assert (await other.post("/sign-in/code", code=code)).path == "/routers"


async def test_an_unlinked_chat_is_asked_no_more_and_answers_nothing(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    rig.clock.now += PROVED_S
    _, page = await asked(rig, person)
    answer = person.buttons[number_on(page)]
    path = re.search(r"/security/telegram/[0-9a-f]+/remove", (await ada.get("/security")).text)[0]
    assert (await ada.post(path, password=PASSWORD)).status == 422  # the chat is asked for too
    await ada.prove()
    by_chat = {"form_page": "/security/prove", "way": "telegram_code"}
    await ada.post("/security/prove/send", **by_chat)
    await told(person, "Your code is")
    code = re.search(r"\d{6}", person.messages[-1]["text"])[0]
    await ada.post("/security/prove/code", code=code, **by_chat)
    await ada.post(path)
    await person.presses_data(answer)
    await told(person, "This sign-in is over")
    assert (await rig.browser().enter()).path == "/routers"  # by mail again


async def test_every_change_is_told_in_every_chat_and_the_undo_stays_in_the_mail(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    assert "A Telegram chat was linked" in person.messages[-1]["text"]
    fields = {"password": PASSWORD, "new_password": "a lantern over the door"}
    await ada.post("/security/password", **fields)
    await told(person, "The password was changed")
    assert "/undo#" in (await rig.mails(EMAIL))[0].body and "/undo" not in person.messages[-1]["text"]


async def test_another_accounts_chat_cannot_be_unlinked(rig, ada, telegram):
    await linked(rig, ada, telegram.person(7, "Ada"))
    path = re.search(r"/security/telegram/[0-9a-f]+/remove", (await ada.get("/security")).text)[0]
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.get(path)).status == 404
    assert (await eve.post(path, form_page="/security", password=PASSWORD)).status == 404


async def test_an_account_links_so_many_chats_and_each_once(rig, ada, telegram):
    people = [telegram.person(chat, f"Ada {chat}") for chat in range(1, CHATS_MAX + 1)]
    for person in people:
        await linked(rig, ada, person)
    page = await ada.post("/security/telegram/add", password=PASSWORD)
    assert page.status == 422 and "Remove one first" in page.text
    path = re.search(r"/security/telegram/[0-9a-f]+/remove", (await ada.get("/security")).text)[0]
    await ada.post(path, password=PASSWORD)
    await offered(rig, ada, people[-1])
    page = await ada.post("/security/telegram/link")
    assert page.status == 422 and "linked already" in page.text


async def test_where_the_bot_is_blocked_another_way_is_asked_by_itself(rig, ada, telegram):
    totp, _ = await ada.enrol()
    await linked(rig, ada, telegram.person(7, "Ada"))
    telegram.blocked.add(7)
    other = rig.browser()
    await other.sign_in()
    await other.post("/sign-in/method", form_page="/sign-in/code", method="telegram")
    await seen(rig, other, "/sign-in/code", "Code from your authenticator app")
    rig.clock.now += 30
    assert (await other.post("/sign-in/code", code=totp.at(int(rig.clock())))).path == "/routers"


async def test_one_blocked_chat_of_several_changes_nothing(rig, ada, telegram):
    first, second = telegram.person(7, "Ada"), telegram.person(8, "Ada at work")
    await ada.enrol()
    await linked(rig, ada, first)
    await linked(rig, ada, second)
    telegram.blocked.add(7)
    other = rig.browser()
    await other.sign_in()
    page = await other.post("/sign-in/method", form_page="/sign-in/code", method="telegram")
    await told(second, "signs in")
    await rig.until(rig.parts.post.idle)
    await second.presses(number_on(page))
    await told(second, "goes on by itself")
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).path == "/routers"


async def test_where_the_blocked_bot_was_the_only_way_the_page_says_so(rig, ada, telegram):
    page = await linked(rig, ada, telegram.person(7, "Ada"))
    recovery = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    telegram.blocked.add(7)
    other = rig.browser()
    await other.sign_in()
    page = await seen(rig, other, "/sign-in/code", "could not be sent. Send another")
    await other.post("/sign-in/method", form_page="/sign-in/code", method="recovery")
    assert (await other.post("/sign-in/code", code=recovery)).path == "/routers"


async def test_telegram_is_left_in_peace_for_as_long_as_it_asks(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    telegram.refusals.append((429, {"retry_after": 33}))
    other = rig.browser()
    await other.sign_in()
    page = await seen(rig, other, "/sign-in/code", "could not be sent yet")
    before = len(person.messages)
    rig.clock.now += 32
    rig.parts.post.wake()
    await rig.until(rig.parts.post.idle)
    assert len(person.messages) == before
    rig.clock.now += 1
    rig.parts.post.wake()
    await told(person, "signs in")
    assert number_on(page) in person.buttons


async def test_asking_again_is_held_back_for_half_a_minute(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    await linked(rig, ada, person)
    other, _ = await asked(rig, person)
    assert (await other.post("/sign-in/method", form_page="/sign-in/code")).status == 429
    rig.clock.now += RESEND_S
    before = len(person.messages)
    await other.post("/sign-in/method", form_page="/sign-in/code")
    await rig.until(lambda: len(person.messages) > before)


class Heard:
    """What a bot was told; `said` fails for "fail"."""

    def __init__(self):
        self.texts = []

    async def said(self, chat, name, text):
        self.texts.append(text)
        if text == "fail":
            raise RuntimeError("a fault of ours")
        return ""


async def listening(telegram, heard):
    api = bot_api.Api(TelegramSettings(BOT, TOKEN, telegram.url))
    return asyncio.create_task(bot_api.Bot(api, heard.said, heard.said).run())


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_update_that_fails_or_makes_no_sense_keeps_no_other_waiting(telegram):
    heard, person = Heard(), telegram.person(7, "Ada")
    for update in ({}, {"chat": None}, {"chat": {"type": "private"}}):
        await telegram.put("message", update)
    await telegram.put("callback_query", {"id": "q", "data": "x"})
    await person.says("fail")
    await person.says("and this")
    task = await listening(telegram, heard)
    await until(lambda: "and this" in heard.texts)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert heard.texts == ["fail", "and this"]


async def test_after_a_conflict_the_bot_asks_again(telegram, monkeypatch):
    monkeypatch.setattr(bot_api, "AGAIN_S", (0.01,))
    heard, person = Heard(), telegram.person(7, "Ada")
    task = await listening(telegram, heard)
    await until(lambda: telegram.polls == 1)
    other = bot_api.Api(TelegramSettings(BOT, TOKEN, telegram.url))
    await other.call("getUpdates", timeout=0, allowed_updates=["message"])
    await until(lambda: telegram.polls >= 3)
    await person.says("still there?")
    await until(lambda: heard.texts)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("change", [{"token": "9:wrong"}, {"api": "http://127.0.0.1:1"}])
async def test_no_failure_names_the_token(telegram, caplog, change):
    settings = TelegramSettings(**{"bot": BOT, "token": TOKEN, "api": telegram.url, **change})
    with pytest.raises(DeliveryError) as raised:
        await bot_api.Chats(bot_api.Api(settings)).send(Message(recipient="7", body="b", extra=""))
    found = f"{raised.value!r} {raised.value.__cause__!r} {settings!r} {caplog.text}"
    assert not raised.value.permanent and settings.token not in found


@pytest.mark.parametrize("text, told", [('bot = "@x"', "bot of"), ('bot = "gatelodge_bot"', "the token of")])
def test_a_faulty_section_is_one_sentence(tmp_path, text, told):
    (tmp_path / "delivery.toml").write_text(f"[telegram]\n{text}\n")
    with pytest.raises(ToolError) as raised:
        config.load(tmp_path / "delivery.toml", {"GATELODGE_TELEGRAM_TOKEN": "a token/../of nobody"})
    assert told in str(raised.value) and "of nobody" not in str(raised.value)


async def test_the_bot_speaks_as_the_app_does_and_asks_as_the_account_reads(rig, ada, telegram):
    person = telegram.person(7, "Ada")
    person.language_code = "de-AT"
    await person.says("/start")
    with speaking("de"):
        await told(person, _(HELLO))
    assert person.messages[-1]["text"] != HELLO
    await ada.post("/language", form_page="/security", language="nl")
    page = await ada.post("/security/telegram/add", password=PASSWORD)
    await person.opens(link_on(page))
    with speaking("de"):
        await told(person, _(GO_BACK))
    await ada.post("/security/telegram/link")
    await rig.browser().sign_in()
    with speaking("nl"):
        question = letters.chat_question("PLACE", "BROWSER", "")
        await told(person, question.body.partition("\n")[0])
        await person.presses(_("It was not me"))
        await told(person, _(DENIED))
