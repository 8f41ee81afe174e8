"""What is sent, in which language: the account's, and to a stranger, that of the browser that asks."""

import json
import re
from xml.etree import ElementTree

import pytest
from gatelodge.contract import service_code
from gatelodge.contract.errors import ServiceCodeError

from host_tools.cloud.accounts import letters
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import KINDS, note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.delivery import telephony
from host_tools.cloud.languages import text
from host_tools.cloud.routers.typed_code import parsed
from host_tools.cloud.store.models import Message
from tests.host_tools.cloud_rig import PASSWORD, code_in

EMAIL, SERIAL = "ada@example.org", "GL-0001"
DUTCH, GERMAN = {"Accept-Language": "nl"}, {"Accept-Language": "de-AT, de;q=0.9"}
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}


def said(tag, sentence, **values):
    """In that language, and not in English."""
    with text.speaking(tag):
        found = text._(sentence, **values)
    assert found != sentence % values, f"{tag} has no translation of: {sentence}"
    return found


@pytest.fixture
async def dutch(rig):
    """The browser of somebody who signed up in Dutch."""
    browser = rig.browser(**DUTCH)
    await browser.join(EMAIL)
    return browser


# --- mails ----------------------------------------------------------------------------------------


async def test_a_stranger_is_mailed_in_the_language_of_the_browser(rig):
    for number, tag in enumerate(("nl", "de")):
        email = f"bob{number}@example.org"
        browser = rig.browser(**{"Accept-Language": tag})
        await browser.sign_up(email)
        rig.clock.now += 60
        await browser.post("/confirm/resend", form_page="/confirm")
        for mail in await rig.mails(email):
            assert mail.subject == said(tag, "Confirm your e-mail address")
            assert said(tag, "Your code is %(code)s", code=code_in(mail)) in mail.body


async def test_an_account_is_written_to_in_its_language_by_whomever_it_is_caused(rig, dutch):
    german = rig.browser(**GERMAN, **FIREFOX)
    await german.enter(EMAIL)
    await german.post("/forgotten", email=EMAIL)
    await rig.browser(**GERMAN).sign_up(EMAIL)  # somebody who takes the address for free
    await rig.own_router(SERIAL, dutch)
    await rig.hub.reset(SERIAL)
    await dutch.enrol()
    subjects = [mail.subject for mail in await rig.mails(EMAIL)]
    for english in (
        "Your code to sign in",
        "Set a new password",
        "You have a Gatelodge account already",
        "A router was registered",
        "A router was reset",
        KINDS["authenticator_added"],
    ):
        assert said("nl", english) in subjects
    mail = next(mail for mail in await rig.mails(EMAIL) if mail.subject == said("nl", "Your code to sign in"))
    assert said("nl", "%(browser)s on %(system)s", browser="Firefox", system="Linux") in mail.body


async def test_a_time_in_a_mail_is_that_of_the_account_s_zone(rig, dutch):
    fields = {"first_name": "Ada", "country": "BE", "language": "nl", "time_zone": "Europe/Brussels"}
    await dutch.post("/profile", **fields)
    await dutch.enrol()
    assert re.search(r"\b\d{4}, \d\d:\d\d:\d\d CES?T$", (await rig.mails(EMAIL))[0].body, re.MULTILINE)


# --- errors, and the log --------------------------------------------------------------------------


async def test_what_is_wrong_is_said_in_the_page_s_language(rig):
    browser = rig.browser(**GERMAN)
    page = await browser.post("/sign-up", password="short")
    assert page.status == 422 and said("de", "Enter your first name.") in page.text
    assert said("de", "Use at least %(count)s characters.", count=8) in page.text
    page = await browser.sign_in("nobody@example.org")
    assert said("de", "The e-mail or the password is wrong. Try again, or set a new password.") in page.text
    for _ in range(11):
        page = await browser.sign_in("nobody@example.org")
    assert page.status == 429
    assert said("de", "Too many attempts. Try again %(when)s.", when="WHEN").partition("WHEN")[0] in page.text
    page = await browser.get("/no-such-page")
    assert said("de", "There is nothing at this address.") in page.text


async def test_the_log_is_in_its_reader_s_language_whenever_it_was_written(rig, ada):
    await ada.enrol()
    account = await rig.parts.administration.find(EMAIL)
    visit = Visit("", "127.0.0.1", FIREFOX["User-Agent"], rig.clock())
    async with rig.parts.database.write() as session:  # as it was kept before: by its sentence
        note(session, account.id, "change_undone", visit, KINDS["passkey_added"])
        note(session, account.id, "change_undone", visit, "phone_added")
    before = (await ada.get("/security/log")).text
    assert f"{KINDS['change_undone']}: {KINDS['passkey_added']}" in before
    await ada.post("/language", form_page="/security/log", language="nl")
    after = (await ada.get("/security/log")).text
    for kind in ("account_made", "authenticator_added"):
        assert KINDS[kind] in before and said("nl", KINDS[kind]) in after and KINDS[kind] not in after
    for kind in ("passkey_added", "phone_added"):
        assert said("nl", KINDS[kind]) in after
    assert said("nl", "the same local network") in after
    assert said("nl", "%(browser)s on %(system)s", browser="Firefox", system="Linux") in after


async def test_programs_are_answered_in_english(rig, dutch):
    token = (await dutch.post(
        "/security/tokens", name="A script", days="30", password=PASSWORD, **{"account:read": "yes"}
    )).text  # fmt: skip
    headers = {"Authorization": "Bearer " + re.search(r"glp_[\w-]+", token)[0], **DUTCH}
    found = json.loads((await rig.browser().get("/api/v1/events", headers=headers)).text)
    assert KINDS["account_made"] in json.dumps(found)
    wrong, plain = "/api/v1/events?limit=0", {"Authorization": headers["Authorization"]}
    answers = [await rig.browser().get(wrong, headers=each) for each in (headers, plain)]
    assert answers[0].status >= 400 and answers[0].text == answers[1].text


CODE = service_code.generate(bytes(10))


@pytest.mark.parametrize("typed", ["ABC", "ABCDE!", CODE[:-1] + ("0" if CODE[-1] != "0" else "1")])
def test_a_typing_error_is_said_as_the_contract_says_it(typed):
    with pytest.raises(RefusedError) as raised:
        parsed(typed)
    with pytest.raises(ServiceCodeError) as told:
        service_code.parse(typed)
    assert raised.value.text == str(told.value) and raised.value.field == "service_code"
    with text.speaking("nl"):
        assert raised.value.text != str(told.value)


# --- calls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", text.NAMES)
def test_a_call_speaks_the_language_of_who_answers(tag):
    with text.speaking(tag):
        call = letters.calling("+3246000<1000")
    say = ElementTree.fromstring(telephony.said(Message(body=call.body, extra=call.extra)))[0]
    assert say.tag == "Say" and say.get("language").startswith(tag)
    with text.speaking(tag):
        assert say.text == text._("Your code is the last four digits of the number that calls you.")
