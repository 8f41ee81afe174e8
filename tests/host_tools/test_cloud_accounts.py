"""Sign-up, confirmation, sign-in with an authenticator, recovery codes: through the pages."""

import asyncio
import re

import pytest
from sqlalchemy import select

from host_tools.cloud.accounts import passwords, sessions, turnstile
from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.accounts.sign_up import CODE_S, CODE_TRIES
from host_tools.cloud.accounts.throttle import LIMITS, Limit
from host_tools.cloud.store.models import Throttle
from tests.host_tools.cloud_rig import PASSWORD, PERSON, Rig, code_in, link_in, without_secrets

EMAIL = "ada@example.org"
WRONG = "The e-mail or the password is wrong"


@pytest.fixture
async def browser(rig):
    return rig.browser()


async def test_a_sign_up_is_confirmed_by_the_code_of_its_message(rig, browser):
    page = await browser.sign_up()
    assert page.path == "/confirm"
    page = await browser.post("/confirm", code=code_in((await rig.mails(EMAIL))[0]))
    assert page.path == "/security/choose"
    assert "Register your first router" in (await browser.get("/routers")).text


async def test_a_sign_up_is_confirmed_by_the_link_of_its_message(rig, browser):
    await browser.sign_up()
    await browser.post(link_in((await rig.mails(EMAIL))[0]))
    assert (await browser.get("/routers")).path == "/routers"


async def test_opening_the_link_alone_confirms_nothing(rig, browser):
    await browser.sign_up()
    await browser.get(link_in((await rig.mails(EMAIL))[0]))
    assert (await browser.get("/routers")).path == "/sign-in"


async def test_the_link_in_another_browser_asks_for_the_password_of_the_sign_up(rig, browser):
    await browser.sign_up()
    link, other = link_in((await rig.mails(EMAIL))[0]), rig.browser()
    refused = await other.post(link, password="not the password")
    assert refused.status == 422
    await other.post(link, password=PASSWORD)
    assert (await other.get("/routers")).path == "/routers"


async def test_a_link_works_once(rig, browser):
    await browser.sign_up()
    link = link_in((await rig.mails(EMAIL))[0])
    await browser.post(link)
    assert (await rig.browser().get(link)).status == 410


async def test_the_code_of_one_browser_is_nothing_in_another(rig, browser):
    await browser.sign_up()
    code, other = code_in((await rig.mails(EMAIL))[0]), rig.browser()
    await other.sign_up("eve@example.org")
    assert (await other.post("/confirm", code=code)).status == 422


async def test_a_code_is_void_after_five_wrong_ones(rig, browser):
    await browser.sign_up()
    code = code_in((await rig.mails(EMAIL))[0])
    for _ in range(CODE_TRIES):
        await browser.post("/confirm", code="000000" if code != "000000" else "000001")
    page = await browser.post("/confirm", code=code)
    assert "no longer valid" in page.text


async def test_a_code_is_void_after_ten_minutes(rig, browser):
    await browser.sign_up()
    rig.clock.now += CODE_S
    page = await browser.post("/confirm", code=code_in((await rig.mails(EMAIL))[0]))
    assert "no longer valid" in page.text


async def test_a_new_code_voids_the_old_one(rig, browser):
    await browser.sign_up()
    old = code_in((await rig.mails(EMAIL))[0])
    rig.clock.now += 31
    await browser.post("/confirm/resend", form_page="/confirm")
    new = code_in((await rig.mails(EMAIL))[0])
    assert (await browser.post("/confirm", code=old)).status == (200 if old == new else 422)
    assert (await browser.post("/confirm", code=new)).path == "/security/choose"


async def test_another_message_is_not_sent_within_half_a_minute(rig, browser):
    await browser.sign_up()
    assert (await browser.post("/confirm/resend", form_page="/confirm")).status == 429


@pytest.mark.parametrize(
    "field, value",
    [
        ("first_name", ""),
        ("email", "no address"),
        ("email", "ada@example.org,root"),
        ("email", "ada@example..org"),
        ("email", "=?utf-8?q?root=2C?=@example.org"),
        ("country", "ZZ"),
        ("password", "password1"),
        ("terms", ""),
    ],
)
async def test_each_field_says_what_is_wrong_with_it(browser, field, value):
    page = await browser.sign_up(**{field: value})
    assert page.status == 422
    assert re.search(rf'id="{field}-error" role="alert">[A-Z][^<]+\.<', page.text)


async def test_signing_up_answers_the_same_for_an_address_that_has_an_account(rig, browser):
    await browser.join()
    one, other = rig.browser(), rig.browser()
    known, unknown = await one.sign_up(EMAIL), await other.sign_up("new@example.org")
    assert without_secrets(known.text).replace(EMAIL, "E") == without_secrets(unknown.text).replace(
        "new@example.org", "E"
    )
    known, unknown = [await each.post("/confirm", code="123456") for each in (one, other)]
    assert without_secrets(known.text).replace(EMAIL, "E") == without_secrets(unknown.text).replace(
        "new@example.org", "E"
    )


async def test_who_waits_for_a_code_sees_no_change_when_somebody_else_confirms_the_address(rig, browser):
    """Else whoever signs up with an address learns the day on which its owner does."""
    one, other, unknown = rig.browser(), rig.browser(), rig.browser()
    for each, email in ((one, EMAIL), (other, EMAIL), (unknown, "new@example.org")):
        await each.sign_up(email)
    link, code = link_in((await rig.mails(EMAIL))[1]), code_in((await rig.mails(EMAIL))[1])
    await browser.join()
    told = without_secrets((await unknown.get("/confirm")).text).replace("new@example.org", EMAIL)
    assert without_secrets((await one.get("/confirm")).text) == told
    assert "is not right" in (await one.post("/confirm", code=code)).text  # the right one, once
    assert (await rig.browser().get(link)).status == 410
    rig.clock.now += 31
    page = await one.post("/confirm/resend", form_page="/confirm")
    assert page.path == "/confirm" and page.status == 200


async def test_the_owner_of_an_address_is_told_that_somebody_signed_up_with_it(rig, browser):
    await browser.join()
    await rig.browser().sign_up(EMAIL)
    assert (await rig.mails(EMAIL))[0].subject == "You have a Gatelodge account already"


async def test_signing_in_answers_the_same_for_a_wrong_password_and_an_unknown_address(rig, browser):
    await browser.join()
    wrong = await rig.browser().sign_in(EMAIL, "not the password")
    unknown = await rig.browser().sign_in("nobody@example.org", "not the password")
    assert WRONG in wrong.text
    assert without_secrets(wrong.text) == without_secrets(unknown.text).replace("nobody@example.org", EMAIL)


async def test_a_password_is_checked_for_an_unknown_address_too(rig, browser, monkeypatch):
    verified = []
    monkeypatch.setattr(Hasher, "_verify", lambda self, stored, password: verified.append(stored))
    await browser.sign_in("nobody@example.org")
    assert [stored.split("$")[1] for stored in verified] == ["argon2id"]


async def test_signing_out_ends_the_session(rig, browser):
    await browser.join()
    cookie = {"Cookie": "; ".join(f"{c.key}={c.value}" for c in browser._session.cookie_jar)}
    await browser.sign_out()
    assert (await rig.browser(**cookie).get("/routers")).path == "/sign-in"


async def test_with_an_authenticator_signing_in_takes_the_password_and_then_a_code(rig, browser):
    await browser.join()
    totp, _ = await browser.enrol()
    await browser.sign_out()
    rig.clock.now += 30
    page = await browser.sign_in()
    assert page.path == "/sign-in/code"
    page = await browser.post("/sign-in/code", code=totp.at(int(rig.clock())))
    assert page.path == "/routers"


async def test_the_same_code_does_not_sign_in_twice(rig, browser):
    await browser.join()
    totp, _ = await browser.enrol()
    rig.clock.now += 30
    first, second, code = rig.browser(), rig.browser(), totp.at(int(rig.clock()))
    for each in (first, second):
        await each.sign_in()
    assert (await first.post("/sign-in/code", code=code)).path == "/routers"
    assert (
        "That code has been used. Wait for the next one (25 s)."
        in (await second.post("/sign-in/code", code=code)).text
    )


async def test_the_code_that_proved_an_authenticator_is_used_up(rig, browser):
    await browser.join()
    totp, _ = await browser.enrol()
    other = rig.browser()
    await other.sign_in()
    assert "has been used" in (await other.post("/sign-in/code", code=totp.at(int(rig.clock())))).text


async def test_the_code_page_cannot_be_reached_without_the_password(rig, browser):
    await browser.join()
    totp, _ = await browser.enrol()
    stranger = rig.browser()
    page = await stranger.post("/sign-in/code", code=totp.at(int(rig.clock()) + 30))
    assert "Sign in again from the start" in page.text
    assert (await stranger.get("/routers")).path == "/sign-in"


async def test_an_authenticator_is_saved_only_after_a_right_code(rig, browser):
    await browser.join()
    await browser.get("/security/authenticators/add")
    page = await browser.post("/security/authenticators/add", name="Phone", code="000000", password=PASSWORD)
    assert page.status == 422
    assert "No second factor is set up" in (await browser.get("/security")).text


async def test_adding_an_authenticator_ends_every_other_session(rig, browser):
    await browser.join()
    other = rig.browser()
    await other.enter()
    await browser.enrol()
    assert (await other.get("/routers")).path == "/sign-in"
    assert (await browser.get("/routers")).path == "/routers"


async def test_adding_an_authenticator_is_told_by_mail(rig, browser):
    await browser.join()
    await browser.enrol()
    assert (await rig.mails(EMAIL))[0].subject == "An authenticator was added"


async def test_a_recovery_code_takes_the_place_of_a_code_once(rig, browser):
    await browser.join()
    _, page = await browser.enrol()
    code = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    first, second = rig.browser(), rig.browser()
    for each in (first, second):
        await each.sign_in()
    assert (await first.post("/sign-in/code", code=code.lower())).path == "/routers"
    assert (await second.post("/sign-in/code", code=code)).status == 422


async def test_removing_the_only_authenticator_asks_for_the_password_and_for_itself(rig, browser):
    await browser.join()
    totp, _ = await browser.enrol()
    path = re.search(
        r'href="(/security/authenticators/[0-9a-f]+/remove)"', (await browser.get("/security")).text
    )[1]
    rig.clock.now += PROVED_S
    assert (await browser.post(path, password=PASSWORD)).status == 422
    await browser.prove(totp)
    await browser.post(path)
    assert (await rig.browser().enter()).path == "/routers"


async def test_another_accounts_authenticator_cannot_be_removed(rig, browser):
    await browser.join()
    await browser.enrol()
    path = re.search(
        r'href="(/security/authenticators/[0-9a-f]+/remove)"', (await browser.get("/security")).text
    )[1]
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.post(path, form_page="/security", password=PASSWORD)).status == 404


async def test_guessing_passwords_is_throttled_for_the_account_from_anywhere(rig, browser):
    await browser.join()
    for _ in range(10):
        await rig.browser().sign_in(EMAIL, "not the password")
    assert (await rig.browser().sign_in()).status == 429


async def test_strangers_who_guess_do_not_keep_a_known_browser_out(rig, browser):
    await browser.join()
    await browser.sign_out()
    for _ in range(11):
        await rig.browser().sign_in(EMAIL, "not the password")
    assert (await rig.browser().sign_in()).status == 429
    assert (await browser.sign_in()).path == "/routers"


async def test_a_known_browser_is_throttled_too_and_for_other_accounts_like_any(rig, browser):
    await browser.join()
    await browser.sign_out()
    for _ in range(10):
        await browser.sign_in(EMAIL, "not the password")
    assert (await browser.sign_in()).status == 429
    assert (await rig.browser().enter()).path == "/routers"
    for _ in range(10):
        await rig.browser().sign_in("eve@example.org", "not the password")
    assert (await browser.sign_in("eve@example.org")).status == 429


async def test_strangers_who_guess_do_not_keep_the_owner_from_acting(rig, browser):
    await browser.join()
    for _ in range(11):
        await rig.browser().sign_in(EMAIL, "not the password")
    _, page = await browser.enrol()
    assert page.status == 200


async def test_guessing_before_new_recovery_codes_is_throttled_and_said_to_be(rig, browser):
    await browser.join()
    rig.clock.now += PROVED_S
    path, wrong = "/security/recovery-codes", {"password": "not the password"}
    assert [(await browser.post(path, **wrong)).status for _ in range(11)] == [422] * 10 + [429]


async def test_guessing_is_throttled_for_the_address_over_many_accounts(rig, browser):
    pages = [await browser.sign_in(f"nobody{i}@example.org", "not the password") for i in range(31)]
    assert [page.status for page in pages] == [422] * 30 + [429]


@pytest.mark.parametrize("begin, code_page", [("/sign-up", "/confirm"), ("/forgotten", "/forgotten/code")])
async def test_strangers_who_enter_codes_keep_nobody_from_entering_theirs(
    rig, browser, monkeypatch, begin, code_page
):
    """Where a stranger waits for a code, as anybody may, and where none does."""
    await browser.join()
    await browser.sign_out()
    few = {name: Limit(name, 1, 3600) for name in ("code.all", "code.address")}
    monkeypatch.setattr(turnstile, "LIMITS", LIMITS | few)
    counted = await throttled(rig)
    for _ in range(3):
        stranger = rig.browser()
        csrf = (await stranger.get("/sign-in")).csrf
        page = await stranger.post_raw(code_page, {"csrf": csrf, "code": "000000"})
        assert page.path == begin or "Ask for another" in page.text
    assert await throttled(rig) == counted  # nothing was there to guess
    for _ in range(3):
        stranger = rig.browser()
        await stranger.post(begin, **{**PERSON, "email": "eve@example.org"})
        for _ in range(CODE_TRIES + 1):
            assert (await stranger.post(code_page, code="000000")).status == 422
    assert (await rig.browser().enter()).path == "/routers"


async def throttled(rig):
    async with rig.parts.database.read() as session:
        return sorted(await session.execute(select(Throttle.key, Throttle.due_at)))


async def test_codes_are_throttled_for_the_browser_that_waits_for_one(rig, browser):
    await browser.sign_up()
    pages = [await browser.post("/confirm", code="000000") for _ in range(11)]
    assert [page.status for page in pages] == [422] * 10 + [429]


async def test_the_throttle_outlives_a_restart(tmp_path):
    async with Rig(tmp_path) as rig:
        for _ in range(10):
            await rig.browser().sign_in(EMAIL, "not the password")
    async with Rig(tmp_path) as rig:
        assert (await rig.browser().sign_in(EMAIL, "not the password")).status == 429


async def test_an_account_holds_a_bounded_number_of_sessions(rig, browser, monkeypatch):
    monkeypatch.setattr(sessions, "SESSIONS_OF_ACCOUNT_MAX", 3)
    await browser.join()
    others = [rig.browser() for _ in range(3)]
    for other in others:
        rig.clock.now += 31
        await other.enter()
    assert (await browser.get("/security")).path == "/sign-in"
    assert [(await other.get("/security")).path for other in others] == ["/security"] * 3


async def test_signing_in_rightly_is_not_throttled(rig, browser):
    await browser.join()
    for _ in range(12):
        assert (await rig.browser().sign_in()).path == "/sign-in/code"


async def test_a_session_idles_out_while_only_live_values_flow(rig, browser):
    await browser.join()
    token = {c.key: c.value for c in browser._session.cookie_jar}["__Host-cloud-session"]
    rig.clock.now += 23 * 3600
    assert await rig.parts.sessions.find(token, rig.clock(), acting=False)
    rig.clock.now += 2 * 3600
    assert (await browser.get("/routers")).path == "/sign-in"


async def test_of_many_browsers_with_one_code_exactly_one_is_in(rig, browser):
    await browser.join()
    totp, _ = await browser.enrol()
    browsers = [rig.browser() for _ in range(8)]
    for each in browsers:
        await each.sign_in()
    rig.clock.now += 30
    code = totp.at(int(rig.clock()))
    pages = await asyncio.gather(*(each.post("/sign-in/code", code=code) for each in browsers))
    assert sorted(page.path for page in pages) == ["/routers"] + ["/sign-in/code"] * 7


async def test_a_flood_of_passwords_is_told_to_come_back(rig, browser, monkeypatch):
    monkeypatch.setattr(passwords, "WAITING_MAX", 0)
    page = await browser.sign_in()
    assert page.status == 503 and "Try again in a few seconds." in page.text
