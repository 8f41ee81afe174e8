"""Text messages and calls by a carrier's HTTP API: what is sent, what arrives; calls as a second factor."""

import re

import pytest
from sqlalchemy import select

from host_tools.cloud.accounts import costs, signin
from host_tools.cloud.accounts.codes import CODE_S, RESEND_S
from host_tools.cloud.delivery import config
from host_tools.cloud.delivery.config import Delivery, TelephonySettings
from host_tools.cloud.delivery.errors import DeliveryError
from host_tools.cloud.delivery.progress import ASK_EVERY_S, GIVEN_UP, HANDED, RETRY_AFTER_S, SENT
from host_tools.cloud.delivery.telephony import Calls, Texts
from host_tools.cloud.store.models import Message
from host_tools.errors import ToolError
from tests.fakes.telephony import ACCOUNT, TOKEN, Telephony
from tests.host_tools.cloud_rig import PASSWORD, Rig

NUMBER, SENDER = "+32470123456", "+32460000000"
CALLERS = tuple(f"+3246000{ending:04d}" for ending in range(1000, 1000 + config.CALLERS_MIN))
NOW = 1000.0


@pytest.fixture
async def carrier():
    async with Telephony() as carrier:
        yield carrier


def settings(carrier, **changed):
    known = {"account": ACCOUNT, "token": TOKEN, "api": carrier.url, "sms_from": SENDER, "callers": CALLERS}
    return TelephonySettings(**{**known, **changed})


def message(body="Your code is 123456", **changed):
    known = {"recipient": NUMBER, "subject": "Code", "body": body, "expires_at": NOW + 600.5}
    return Message(**{**known, **changed})


def texts(carrier, **changed):
    return Texts(settings(carrier, **changed), lambda: NOW)


async def test_a_text_message_is_handed_over_with_the_time_it_is_good_for(carrier):
    reference = await texts(carrier).send(message())
    assert reference.startswith("SM")
    assert carrier.sent["Messages"] == [
        {"To": NUMBER, "From": SENDER, "Body": "Your code is 123456", "ValidityPeriod": "600"}
    ]


async def test_a_messaging_service_sends_in_place_of_a_number(carrier):
    service = "MG" + "a" * 32
    await texts(carrier, sms_from=service).send(message(expires_at=None))
    [form] = carrier.sent["Messages"]
    assert form["MessagingServiceSid"] == service and "From" not in form and "ValidityPeriod" not in form


async def test_a_call_comes_from_the_number_that_is_the_code_and_rings_for_so_long(carrier):
    reference = await Calls(settings(carrier)).send(message(CALLERS[0]))
    assert reference.startswith("CA")
    [form] = carrier.sent["Calls"]
    assert (form["To"], form["From"], form["Timeout"]) == (NUMBER, CALLERS[0], "20")
    assert CALLERS[0][-4:] not in form["Twiml"]  # whoever answers hears where the code is, and not which


@pytest.mark.parametrize(
    "refusal, permanent, retry_after_s",
    [
        ((429, 20429, {"Retry-After": "77"}), False, 77.0),
        ((429, 20429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}), False, 0.0),
        ((429, 20429, {"Retry-After": "soon"}), False, None),
        ((503, 0, {"Retry-After": "999999"}), False, 3600.0),
        ((500, 0, {}), False, None),
        ((400, 21211, {}), True, None),
        ((400, 21610, {}), True, None),
        ((403, 0, {}), False, None),
        ((302, 0, {"Location": "https://example.org/"}), False, None),
    ],
)
async def test_a_refusal_is_final_where_it_is_about_the_recipient(carrier, refusal, permanent, retry_after_s):
    carrier.refusals.append(refusal)
    with pytest.raises(DeliveryError) as raised:
        await texts(carrier).send(message())
    assert (raised.value.permanent, raised.value.retry_after_s) == (permanent, retry_after_s)
    told = str(raised.value)
    assert str(refusal[0]) in told and str(refusal[1]) in told and NUMBER not in told and TOKEN not in told


async def test_a_wrong_token_is_the_operators_to_mend(carrier):
    with pytest.raises(DeliveryError, match="401") as raised:
        await texts(carrier, token="another").send(message())
    assert not raised.value.permanent and carrier.strangers == 1


async def test_a_carrier_that_cannot_be_reached_is_tried_again(carrier):
    driver = texts(carrier, api="http://127.0.0.1:1")
    with pytest.raises(DeliveryError) as raised:
        await driver.send(message())
    assert not raised.value.permanent and raised.value.__cause__ is None


@pytest.mark.parametrize("resource, make, arrived, unknown, lost", [
    ("Messages", Texts, ["delivered"], ["queued", "sending", "sent", "?"], ["failed", "undelivered"]),
    ("Calls", Calls, ["ringing", "in-progress", "no-answer"], ["queued", "?"], ["busy", "failed"]),
])  # fmt: skip
async def test_the_carrier_is_asked_what_has_arrived(carrier, resource, make, arrived, unknown, lost):
    driver = make(settings(carrier), lambda: NOW) if make is Texts else make(settings(carrier))
    handed = message(reference="XX1")
    for status in (*arrived, *unknown):
        carrier.status[resource] = status
        assert await driver.arrived(handed) is (status in arrived)
    carrier.error_code = 30003
    for status in lost:
        carrier.status[resource] = status
        with pytest.raises(DeliveryError, match=f"{status}, code 30003") as raised:
            await driver.arrived(handed)
        assert raised.value.permanent


SECTION = '[telephony]\naccount = "AC1"\ntoken_file = "secret"\n'


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "sends nothing"),
        ('sms_from = "Gatelodge"\n', "sms_from"),
        ('sms_from = "+32460000000"\napi = "http://example.org"\n', "api of [telephony]"),
        ('callers = ["0470"]\n', "callers of [telephony]"),
        ("callers = [1]\n", "callers of [telephony]"),
        ('callers = ["+32460001000", "+32470001000"]\n', "1 different endings"),
        ('sms_from = "+32460000000"\nca_file = "absent"\n', "absent"),
    ],
)
def test_a_faulty_section_is_one_sentence(tmp_path, text, told):
    (tmp_path / "secret").write_text(TOKEN)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "delivery.toml").write_text(SECTION + text)
    with pytest.raises(ToolError) as raised:
        config.load(tmp_path / "delivery.toml", {})
    assert told in str(raised.value) and TOKEN not in str(raised.value)


@pytest.fixture
async def rig(tmp_path, carrier):
    async with Rig(tmp_path, delivery=Delivery(telephony=settings(carrier))) as rig:
        yield rig


@pytest.fixture
async def ada(rig, carrier):
    """Signed in, with a phone number."""
    browser = rig.browser()
    await browser.join()
    await browser.post("/security/phones/add", number=NUMBER, password=PASSWORD)
    await settled(rig)
    await browser.post("/security/phones/confirm", code=texted(carrier))
    rig.clock.now += RESEND_S
    return browser


async def settled(rig):
    """Everything was handed over, and asked for once."""
    await rig.until(rig.parts.post.idle)
    rig.clock.now += ASK_EVERY_S
    rig.parts.post.wake()
    await rig.until(rig.parts.post.idle)


def texted(carrier):
    return re.search(r"\d{6}", carrier.sent["Messages"][-1]["Body"])[0]


def called(carrier):
    return carrier.sent["Calls"][-1]["From"][-4:]


async def states(rig, channel):
    async with rig.parts.database.read() as session:
        rows = await session.scalars(select(Message).where(Message.channel == channel).order_by(Message.id))
        return [row.state for row in rows]


async def ask(browser, method=None):
    way = {"method": method} if method else {}
    return await browser.post("/sign-in/method", form_page="/sign-in/code", **way)


async def test_the_end_of_the_number_that_calls_signs_in_once(rig, ada, carrier):
    other = rig.browser()
    page = await other.sign_in()
    assert "Call instead (••• 56)" in page.text
    page = await ask(other, "voice")
    await settled(rig)
    assert "Last four digits of the number that called" in page.text and NUMBER not in page.text
    assert called(carrier) not in page.text and carrier.sent["Calls"][-1]["From"] in CALLERS
    assert (await other.post("/sign-in/code", code=called(carrier))).path == "/routers"
    assert await states(rig, "voice") == [SENT]


async def test_each_call_is_good_for_one_try(rig, ada, carrier):
    other = rig.browser()
    await other.sign_in()
    await ask(other, "voice")
    await settled(rig)
    wrong = "0000"  # no number of the pool ends so
    assert "not right" in (await other.post("/sign-in/code", code=wrong)).text
    assert "no longer valid" in (await other.post("/sign-in/code", code=called(carrier))).text


async def test_after_three_calls_that_did_not_arrive_a_text_message_goes_by_itself(rig, ada, carrier):
    carrier.status["Calls"] = "busy"
    other = rig.browser()
    await other.sign_in()
    await settled(rig)
    before = len(carrier.sent["Messages"])
    for count in range(1, signin.CALLS_MAX + 1):
        rig.clock.now += RESEND_S
        await ask(other, "voice" if count == 1 else None)
        await settled(rig)
        assert len(carrier.sent["Calls"]) == count
        page = await other.get("/sign-in/code")
        if count < signin.CALLS_MAX:
            assert "The call did not arrive" in page.text and len(carrier.sent["Messages"]) == before
    assert await states(rig, "voice") == [GIVEN_UP] * 3
    assert "Code from the text message" in page.text and len(carrier.sent["Messages"]) == before + 1
    assert (await other.post("/sign-in/code", code=texted(carrier))).path == "/routers"


async def test_whoever_asks_for_a_fourth_call_is_sent_a_text_message(rig, ada, carrier):
    other = rig.browser()
    await other.sign_in()
    for count in range(signin.CALLS_MAX + 1):
        rig.clock.now += RESEND_S
        page = await ask(other, None if count else "voice")
        await settled(rig)
    assert len(carrier.sent["Calls"]) == signin.CALLS_MAX
    assert "Three calls did not arrive" in page.text and "Code from the text message" in page.text
    assert (await other.post("/sign-in/code", code=texted(carrier))).path == "/routers"


async def test_calls_cost_an_account_so_much_a_day_and_no_more(rig, ada, carrier, monkeypatch):
    spent = 2 * costs.COSTS["sms"]  # the proof of the number, and the sign-in's first message
    monkeypatch.setattr(costs, "DAY_MAX", spent + costs.COSTS["voice"])
    other = rig.browser()
    await other.sign_in()
    await ask(other, "voice")
    rig.clock.now += RESEND_S
    assert "bounded" in (await ask(other)).text
    await settled(rig)
    assert len(carrier.sent["Calls"]) == 1


async def test_no_phone_counts_as_callable_where_no_number_calls(tmp_path, carrier):
    quiet = Delivery(telephony=settings(carrier, callers=()))
    async with Rig(tmp_path, development=False, delivery=quiet) as rig:
        assert rig.parts.post.channels == {"sms"}


async def test_a_text_message_that_the_carrier_cannot_take_now_comes_later_and_not_too_late(
    rig, ada, carrier
):
    carrier.refusals += [(429, 20429, {"Retry-After": "60"}), (503, 0, {})]
    other = rig.browser()
    page = await other.sign_in()
    await rig.until(rig.parts.post.idle)
    sent = len(carrier.sent["Messages"])
    assert "could not be sent yet" in (await other.get("/sign-in/code")).text
    rig.clock.now += RETRY_AFTER_S[0]  # not before the carrier allows it
    rig.parts.post.wake()
    await rig.until(rig.parts.post.idle)
    assert len(carrier.refusals) == 1
    rig.clock.now += 60
    rig.parts.post.wake()
    await rig.until(rig.parts.post.idle)
    assert carrier.refusals == [] and len(carrier.sent["Messages"]) == sent
    rig.clock.now += CODE_S  # and now nobody waits for it any more
    rig.parts.post.wake()
    await rig.until(rig.parts.post.idle)
    assert len(carrier.sent["Messages"]) == sent and page.path == "/sign-in/code"


async def test_a_text_message_that_did_not_arrive_is_said_on_the_page(rig, ada, carrier, caplog):
    carrier.status["Messages"], carrier.error_code = "undelivered", 30003
    other = rig.browser()
    await other.sign_in()
    await rig.until(rig.parts.post.idle)
    assert (await states(rig, "sms"))[-1] == HANDED
    await settled(rig)
    assert "could not be sent. Send another" in (await other.get("/sign-in/code")).text
    assert "undelivered, code 30003" in caplog.text and NUMBER not in caplog.text and TOKEN not in caplog.text
