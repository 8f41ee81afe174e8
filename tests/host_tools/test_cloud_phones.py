"""Phone numbers through the pages: how people write them, proving one, signing in by it, what it may cost."""

import re

import pytest

from host_tools.cloud.accounts import costs, numbers
from host_tools.cloud.accounts.codes import RESEND_S
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.proof import PROVED_S
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in

EMAIL = "ada@example.org"
NUMBER, OTHER = "+32470123456", "+32470123478"


async def add(rig, browser, number=NUMBER):
    """The page after a number was added and proved."""
    await browser.post("/security/phones/add", number=number, password=PASSWORD)
    code = code_in((await rig.mails(numbers.canonical(number)))[0])
    return await browser.post("/security/phones/confirm", code=code)


@pytest.mark.parametrize(
    "text, number",
    [
        ("+ 1 (408) 496-4500", "+14084964500"),
        ("+ 7 (495) 9136823", "+74959136823"),
        ("+420 377 338 901", "+420377338901"),
        ("+32 470 12 34 56", NUMBER),
        ("+32 (0)470 12.34.56", NUMBER),
        ("0032470123456", NUMBER),
    ],
)
def test_a_number_is_taken_as_people_write_it(text, number):
    assert numbers.canonical(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0470 12 34 56", "+", "+32", "+999 123", "+32 900 12 345", "+32 470 12 34 56 ext. 7", "+1" * 40],
)
def test_what_is_no_number_or_costs_whoever_writes_to_it_is_refused(text):
    with pytest.raises(RefusedError):
        numbers.canonical(text)


async def test_a_number_is_a_factor_only_after_its_code(rig, ada):
    await ada.post("/security/phones/add", number="+32 470 12 34 56", password=PASSWORD)
    assert "+32 470 12 34 56" not in (await ada.get("/security")).text
    page = await ada.post("/security/phones/confirm", code=code_in((await rig.mails(NUMBER))[0]))
    assert page.text.count("<li><code>") == 10
    assert "+32 470 12 34 56" in (await ada.get("/security")).text
    assert (await rig.mails(EMAIL))[0].subject == "A phone number was added"


async def test_adding_a_number_asks_for_the_password_before_anything_is_sent(rig, ada):
    page = await ada.post("/security/phones/add", number=NUMBER, password="not the password")
    assert page.status == 422 and await rig.mails(NUMBER) == []


async def test_a_text_message_signs_in_where_a_number_was_added(rig, ada):
    await add(rig, ada)
    other = rig.browser()
    page = await other.sign_in()
    assert "Code from the text message" in page.text and "••• 56" in page.text
    assert NUMBER not in page.text and "by e-mail" not in page.text
    assert (await other.post("/sign-in/code", code=code_in((await rig.mails(NUMBER))[0]))).path == "/routers"


async def test_of_several_numbers_the_person_chooses_which_is_texted(rig, ada):
    await add(rig, ada)
    rig.clock.now += RESEND_S
    await add(rig, ada, OTHER)
    other = rig.browser()
    page = await other.sign_in()
    first = NUMBER if "<strong>••• 56" in page.text else OTHER
    ways = dict(re.findall(r'value="sms"><[^>]*value="(\w+)"><p><button>[^<]*••• (\d\d)', page.text))
    [(phone_id, ending)] = ways.items()
    rig.clock.now += RESEND_S
    page = await other.post("/sign-in/method", form_page="/sign-in/code", method="sms", phone=phone_id)
    chosen = NUMBER if ending == "56" else OTHER
    assert chosen != first and f"••• {ending}" in page.text
    assert (await other.post("/sign-in/code", code=code_in((await rig.mails(chosen))[0]))).path == "/routers"


async def test_a_number_of_another_account_is_never_texted(rig, ada):
    await add(rig, ada)
    eve = rig.browser()
    await eve.join("eve@example.org")
    await add(rig, eve, OTHER)
    theirs = re.search(r"/security/phones/([0-9a-f]+)/remove", (await ada.get("/security")).text)[1]
    assert (await eve.post(f"/security/phones/{theirs}/remove", form_page="/security")).status == 404
    other = rig.browser()
    await other.sign_in("eve@example.org")
    rig.clock.now += RESEND_S
    before = len(await rig.mails(NUMBER))
    await other.post("/sign-in/method", form_page="/sign-in/code", method="sms", phone=theirs)
    assert len(await rig.mails(NUMBER)) == before


async def test_a_recovery_code_takes_the_place_of_a_lost_phone(rig, ada):
    page = await add(rig, ada)
    code = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    other = rig.browser()
    await other.sign_in()
    await other.post("/sign-in/method", form_page="/sign-in/code", method="recovery")
    assert (await other.post("/sign-in/code", code=code)).path == "/routers"


async def test_a_code_of_one_way_is_none_of_another(rig, ada):
    totp, _ = await ada.enrol()
    await add(rig, ada)
    other = rig.browser()
    await other.sign_in()
    await other.post("/sign-in/method", form_page="/sign-in/code", method="sms")
    code = code_in((await rig.mails(NUMBER))[0])
    await other.post("/sign-in/method", form_page="/sign-in/code", method="authenticator")
    assert (await other.post("/sign-in/code", code=code)).status == 422
    await other.post("/sign-in/method", form_page="/sign-in/code", method="sms")
    rig.clock.now += 30
    assert (await other.post("/sign-in/code", code=totp.at(int(rig.clock())))).status == 422


async def test_a_removed_number_is_no_factor_and_with_the_last_one_the_mail_is_again(rig, ada):
    await add(rig, ada)
    path = re.search(r"/security/phones/[0-9a-f]+/remove", (await ada.get("/security")).text)[0]
    rig.clock.now += PROVED_S
    assert (await ada.post(path, password=PASSWORD)).status == 422  # the number is asked for too
    await ada.prove()
    await ada.post("/security/prove/send", form_page="/security/prove", way="sms")
    code = code_in((await rig.mails(NUMBER))[0])
    await ada.post("/security/prove/code", form_page="/security/prove", way="sms", code=code)
    await ada.post(path)
    assert (await rig.browser().enter()).path == "/routers"


async def test_text_messages_cost_an_account_so_much_a_day_and_no_more(rig, ada, monkeypatch):
    monkeypatch.setattr(costs, "DAY_MAX", 3 * costs.COSTS["sms"])
    await add(rig, ada)
    for _ in range(2):
        assert "A message is on its way" in (await rig.browser().sign_in()).text
    sent = len(await rig.mails(NUMBER))
    assert "Too many messages were sent" in (await rig.browser().sign_in()).text
    assert len(await rig.mails(NUMBER)) == sent
    rig.clock.now += costs.DAY_S
    assert "A message is on its way" in (await rig.browser().sign_in()).text


async def test_a_number_that_strangers_name_is_not_flooded(rig, ada):
    people = [rig.browser() for _ in range(3)]
    for index, browser in enumerate(people):
        await browser.join(f"person{index}@example.org")
    for _ in range(5):
        rig.clock.now += RESEND_S
        for browser in people:
            await browser.post("/security/phones/add", number=NUMBER, password=PASSWORD)
    assert len(await rig.mails(NUMBER)) == 10


async def test_without_a_way_to_send_text_messages_none_is_offered(tmp_path):
    async with Rig(tmp_path) as rig:
        browser = rig.browser()
        await browser.join()
        rig.parts.post._drivers.pop("sms")
        assert "/security/phones/add" not in (await browser.get("/security/choose")).text
        page = await browser.post("/security/phones/add", number=NUMBER, password=PASSWORD)
        assert page.status == 422 and "cannot send text messages" in page.text
