"""The second step through the pages: codes by mail, trusted browsers, the clock of a phone, races."""

import asyncio
import re

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from host_tools.cloud.accounts import codes, signin
from host_tools.cloud.accounts.agents import browser_words
from host_tools.cloud.accounts.places import Places
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.store.models import Event
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, code_in

EMAIL = "ada@example.org"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
WRONG = {"000000": "000001"}


async def newest_code(rig):
    return code_in((await rig.mails(EMAIL))[0])


def number_on(page):
    return re.search(r"<strong>(\d\d)</strong>", page.text)[1]


def approval_on(page):
    return re.search(r'href="(/approvals/[0-9a-f]+)"', page.text)[1]


async def ask_by_mail(rig):
    """A new browser that was sent a code by mail, and the code."""
    browser = rig.browser()
    page = await browser.sign_in()
    if "Code from the e-mail" not in page.text:
        await browser.post("/sign-in/method", form_page="/sign-in/code", method="mail")
    return browser, await newest_code(rig)


async def test_a_new_browser_verifies_by_mail_where_no_trusted_one_is_signed_in(rig, ada):
    await ada.sign_out()
    other = rig.browser()
    page = await other.sign_in()
    assert page.path == "/sign-in/code" and EMAIL in page.text
    assert (await other.post("/sign-in/code", code=await newest_code(rig))).path == "/routers"


async def test_a_browser_that_has_verified_is_trusted_and_skips_the_second_step(rig, ada):
    await ada.sign_out()
    assert (await ada.sign_in()).path == "/routers"


async def test_trust_at_one_account_is_none_at_another(rig, ada):
    await rig.browser().join("eve@example.org")
    await ada.sign_out()
    assert (await ada.sign_in("eve@example.org")).path == "/sign-in/code"


async def test_a_code_by_mail_is_good_for_the_sign_in_that_asked_and_no_other(rig, ada):
    await ada.sign_out()
    first, code = await ask_by_mail(rig)
    second, _ = await ask_by_mail(rig)
    page = await second.post("/sign-in/code", code=code)
    assert page.status == 422 and "not right" in page.text
    assert (await first.post("/sign-in/code", code=code)).path == "/routers"


async def test_a_code_by_mail_is_void_after_ten_minutes(rig, ada):
    browser, code = await ask_by_mail(rig)
    rig.clock.now += codes.CODE_S
    assert "no longer valid" in (await browser.post("/sign-in/code", code=code)).text


async def test_five_wrong_codes_end_the_sign_in(rig, ada):
    browser, code = await ask_by_mail(rig)
    for _ in range(signin.TRIES):
        page = await browser.post("/sign-in/code", form_page="/sign-in", code=WRONG.get(code, "000000"))
    assert "Sign in again from the start" in page.text
    page = await browser.post("/sign-in/code", form_page="/sign-in", code=code)
    assert page.status == 422 and (await browser.get("/routers")).path == "/sign-in"


async def test_another_code_is_sent_after_half_a_minute_and_voids_the_first(rig, ada):
    browser, old = await ask_by_mail(rig)
    resend = {"form_page": "/sign-in/code"}
    assert (await browser.post("/sign-in/method", **resend)).status == 429
    rig.clock.now += codes.RESEND_S
    await browser.post("/sign-in/method", **resend)
    new = await newest_code(rig)
    assert old == new or (await browser.post("/sign-in/code", code=old)).status == 422
    assert (await browser.post("/sign-in/code", code=new)).path == "/routers"


async def test_messages_are_limited_for_an_account_over_all_browsers(rig, ada):
    await ada.sign_out()
    pages = [await rig.browser().sign_in() for _ in range(11)]
    assert all("A message is on its way" in page.text for page in pages[:10])
    assert "Too many messages were sent" in pages[10].text


async def test_a_new_browser_is_let_in_by_its_number_on_a_trusted_one(rig, ada):
    other = rig.browser(**{"User-Agent": FIREFOX})
    asked = await other.sign_in()
    notice = await ada.get("/terms")
    page = await ada.get(approval_on(notice))
    assert "Firefox on Linux" in page.text and "the same local network" in page.text
    await ada.post(page.path, number=number_on(asked))
    assert "It was agreed to" in (await other.get("/sign-in/code")).text
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).path == "/routers"


async def test_nobody_goes_in_before_somebody_agreed(rig, ada):
    other = rig.browser()
    await other.sign_in()
    page = await other.post("/sign-in/agreed", form_page="/sign-in/code")
    assert page.status == 422 and "Nobody has agreed" in page.text
    assert (await other.post("/sign-in/code", code="123456")).status == 422  # nor by typing something


async def test_a_blind_yes_lets_nobody_in(rig, ada):
    other = rig.browser()
    number = number_on(await other.sign_in())
    path = approval_on(await ada.get("/terms"))
    for wrong in ("", "yes", "00"):
        page = await ada.post(path, number=wrong)
        assert page.status == 422 and number not in re.findall(r">(\d\d)<", page.text)
    assert "not the number" in page.text
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).status == 422


async def test_it_was_not_me_ends_the_sign_in_and_leads_to_a_new_password(rig, ada):
    other = rig.browser()
    number = number_on(await other.sign_in())
    path = approval_on(await ada.get("/terms"))
    page = await ada.post(path + "/deny", form_page=path)
    assert page.path == "/security/password" and "knows your password" in page.text
    assert (await ada.post(path, form_page="/security", number=number)).status == 404
    page = await other.post("/sign-in/agreed", form_page="/sign-in")
    assert "refused" in page.text and (await other.get("/routers")).path == "/sign-in"


async def test_a_question_to_a_trusted_browser_lasts_ten_minutes(rig, ada):
    """OWASP ASVS 5, 6.5.5; the sign-in goes on, and may ask again."""
    other = rig.browser()
    await other.sign_in()
    path = approval_on(await ada.get("/terms"))
    rig.clock.now += signin.ASKED_S
    assert (await ada.get(path)).status == 404 and path not in (await ada.get("/terms")).text
    await other.post("/sign-in/method", form_page="/sign-in/code", method="push")
    assert (await ada.get(path)).status == 200


async def test_only_a_trusted_browser_of_the_account_is_asked(rig, ada):
    eve = rig.browser()
    await eve.join("eve@example.org")
    await rig.browser().sign_in()
    path = approval_on(await ada.get("/terms"))
    assert 'href="/approvals/"' in (await eve.get("/terms")).text
    assert (await eve.get(path)).status == 404
    assert (await eve.post(path + "/deny", form_page="/terms")).status in (403, 404)
    assert (await ada.get(path)).status == 200


async def test_a_browser_that_is_signed_in_and_not_trusted_agrees_to_nothing(rig, ada):
    totp, _ = await ada.enrol()  # from then on nobody is trusted
    rig.clock.now += 30
    trusted, other = rig.browser(), rig.browser()
    await trusted.sign_in()
    await trusted.post("/sign-in/code", code=totp.at(int(rig.clock())), trust="yes")
    await other.sign_in()
    asked = await other.post("/sign-in/method", form_page="/sign-in/code", method="push")
    path = approval_on(await trusted.get("/terms"))
    assert (await ada.get(path)).status == 404
    assert (await ada.post(path, form_page="/security", number=number_on(asked))).status == 404
    assert (await trusted.post(path, number=number_on(asked))).path == "/routers"


async def test_a_removed_browser_is_signed_out_at_once_and_verifies_again(rig, ada):
    other = rig.browser(**{"User-Agent": FIREFOX})
    await other.enter()
    page = await ada.get("/security")
    row = re.search(r"Firefox on Linux.*?(/security/browsers/[0-9a-f]+/remove)", page.text, re.DOTALL)[1]
    await ada.post(row, password=PASSWORD)
    assert (await other.get("/routers")).path == "/sign-in"
    assert (await other.sign_in()).path == "/sign-in/code"


async def test_another_accounts_browser_cannot_be_removed(rig, ada):
    eve = rig.browser()
    await eve.join("eve@example.org")
    page = await ada.get("/security")
    path = re.search(r"/security/browsers/[0-9a-f]+/remove", page.text)[0]
    assert (await eve.get(path)).status == 404
    assert (await eve.post(path, form_page="/security", password=PASSWORD)).status == 404
    assert (await ada.get("/routers")).path == "/routers"


async def test_any_session_can_be_ended_from_another(rig, ada):
    other = rig.browser(**{"User-Agent": FIREFOX})
    await other.enter()
    page = await ada.get("/security/sessions")
    assert "Firefox on Linux" in page.text and "may be wrong" in page.text
    path = re.search(r"/security/sessions/[0-9a-f]+/end", page.text)[0]
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.post(path, form_page="/security", password=PASSWORD)).status == 404
    for password in ("", "not the password"):
        assert (await ada.post(path, form_page="/security/sessions", password=password)).status == 422
    assert (await other.get("/routers")).path == "/routers"
    await ada.post(path, form_page="/security/sessions", password=PASSWORD)
    assert (await other.get("/routers")).path == "/sign-in"
    assert (await ada.get("/routers")).path == "/routers"


async def test_all_other_sessions_end_at_once_by_one_factor(rig, ada):
    """Also of who has two: whoever sees a stranger must be quick (OWASP ASVS 5, 7.5.2)."""
    await ada.enrol()
    others = [rig.browser(), rig.browser()]
    for other in others:
        await other.sign_in()
        recovery = {"form_page": "/sign-in/code", "method": "recovery"}
        await other.post("/sign-in/method", **recovery)
        await other.post("/sign-in/code", code=ada.codes.pop())
        assert (await other.get("/routers")).path == "/routers"
    rig.clock.now += PROVED_S
    form = {"form_page": "/security/sessions"}
    assert (await ada.post("/security/sessions/end-others", **form)).status == 422
    page = await ada.post("/security/sessions/end-others", password=PASSWORD, **form)
    assert "Every other session is over" in page.text and "/end" not in page.text
    for other in others:
        assert (await other.get("/routers")).path == "/sign-in"


async def test_the_first_authenticator_ends_all_trust_and_the_mail_is_no_factor_any_more(rig, ada):
    await ada.enrol()
    await ada.sign_out()
    page = await ada.sign_in()
    assert "Code from your authenticator app" in page.text and "by e-mail" not in page.text
    refused = await ada.post("/sign-in/method", form_page="/sign-in/code", method="mail")
    assert refused.status == 422


async def test_a_browser_is_trusted_after_its_box_was_ticked(rig, ada):
    totp, _ = await ada.enrol()
    for trust, path in ((None, "/sign-in/code"), ("yes", "/routers")):
        await ada.sign_out()
        await ada.sign_in()
        rig.clock.now += 30
        ticked = {"trust": trust} if trust else {}
        await ada.post("/sign-in/code", code=totp.at(int(rig.clock())), **ticked)
        await ada.sign_out()
        page = await ada.sign_in()
        assert page.path == path
        if path == "/sign-in/code":
            rig.clock.now += 30
            await ada.post("/sign-in/code", code=totp.at(int(rig.clock())))


async def test_trust_that_nobody_used_for_three_months_is_over(rig, ada):
    await ada.sign_out()
    rig.clock.now += 90 * 24 * 3600
    assert (await ada.sign_in()).path == "/sign-in/code"


async def sign_in_with(rig, ada, moment):
    totp, _ = await ada.enrol()
    browser = rig.browser()
    await browser.sign_in()
    return browser, totp, await browser.post("/sign-in/code", code=totp.at(int(rig.clock() + moment)))


async def test_a_phone_that_is_behind_is_told_by_how_much(rig, ada):
    _, _, page = await sign_in_with(rig, ada, -600)
    assert "clock is 10 minutes behind" in page.text and "automatic time" in page.text


async def test_a_phone_that_is_ahead_is_told_at_its_second_code_only(rig, ada):
    browser, totp, page = await sign_in_with(rig, ada, 600)
    assert "ahead" not in page.text
    again = await browser.post("/sign-in/code", code=totp.at(int(rig.clock() + 600)))
    assert "ahead" not in again.text  # the same code once more tells nothing
    page = await browser.post("/sign-in/code", code=totp.at(int(rig.clock() + 630)))
    assert "clock is 10" in page.text.replace("11", "10") and "ahead" in page.text


async def test_of_many_browsers_with_one_recovery_code_exactly_one_is_in(rig, ada):
    _, page = await ada.enrol()
    code = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    browsers = [rig.browser() for _ in range(8)]
    for each in browsers:
        await each.sign_in()
    pages = await asyncio.gather(*(each.post("/sign-in/code", code=code) for each in browsers))
    assert sorted(page.path for page in pages) == ["/routers"] + ["/sign-in/code"] * 7


async def test_of_many_windows_of_one_browser_exactly_one_makes_a_session(rig, ada):
    browser, code = await ask_by_mail(rig)
    token = (await browser.get("/sign-in/code")).csrf
    fields = {"csrf": token, "code": code}
    posts = (browser.post_raw("/sign-in/code", fields, allow_redirects=False) for _ in range(6))
    assert sorted(page.status for page in await asyncio.gather(*posts)) == [303] + [422] * 5


async def test_the_activity_tells_sign_ins_and_wrong_passwords_with_a_guessed_place(rig, ada):
    await rig.browser(**{"User-Agent": FIREFOX}).sign_in(EMAIL, "not the password")
    async with asyncio.timeout(PATIENCE_S):
        page = await ada.get("/security/sessions")
        while "A wrong password was entered" not in page.text:  # nobody waits for that row to be written
            page = await ada.get("/security/sessions")
    assert "Account created" in page.text and "the same local network" in page.text


async def test_the_log_can_be_added_to_and_nothing_else(rig, ada):
    for statement in (update(Event).values(kind="x"), delete(Event)):
        with pytest.raises(DBAPIError, match="append-only"):
            async with rig.parts.database.write() as session:
                await session.execute(statement)
    assert "Account created" in (await ada.get("/security/log")).text


async def test_a_new_password_ends_other_sessions_and_all_other_trust(rig, ada):
    other = rig.browser()
    await other.enter()
    fields = {"password": PASSWORD, "new_password": "a lantern over the door"}
    assert (await ada.post("/security/password", **{**fields, "password": "wrong one"})).status == 422
    assert (await ada.post("/security/password", **{**fields, "new_password": "short"})).status == 422
    assert (await ada.post("/security/password", **fields)).path == "/security"
    assert (await rig.mails(EMAIL))[0].subject == "The password was changed"
    assert (await other.sign_in(EMAIL, fields["new_password"])).path == "/sign-in/code"
    await ada.sign_out()
    assert (await ada.sign_in()).status == 422
    assert (await ada.sign_in(EMAIL, fields["new_password"])).path == "/routers"


async def test_a_new_password_ends_sign_ins_between_their_steps(rig, ada):
    browser, code = await ask_by_mail(rig)
    fields = {"password": PASSWORD, "new_password": "a lantern over the door"}
    assert (await ada.post("/security/password", **fields)).path == "/security"
    page = await browser.post("/sign-in/code", code=code)
    assert page.status == 422 and 'name="password"' in page.text
    assert (await browser.get("/routers")).path == "/sign-in"


async def test_the_first_sign_in_leads_to_the_choice_of_a_second_factor_once(rig):
    browser = rig.browser()
    page = await browser.join()
    assert page.path == "/security/choose" and "Add an authenticator" in page.text
    await browser.sign_out()
    assert (await browser.sign_in()).path == "/routers"


@pytest.mark.parametrize(
    "address, place",
    [
        ("193.0.6.139", "Netherlands"),
        ("::ffff:193.0.6.139", "Netherlands"),
        ("2001:67c:2e8:22::c100:68b", None),
        ("127.0.0.1", "the same local network"),
        ("no address", "an unknown place"),
    ],
)
def test_a_place_is_guessed_from_the_table(address, place):
    found = Places().of(address)
    assert found == place if place else found != "the same local network"


def test_without_the_table_or_with_half_of_it_a_place_is_unknown(tmp_path):
    assert Places(tmp_path).of("193.0.6.139") == "an unknown place"
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "GeoIP.dat").write_bytes(b"\x01\x00\x00" * 7)
    assert Places(tmp_path / "half").of("193.0.6.139") == "an unknown place"


@pytest.mark.parametrize(
    "said, words", [(FIREFOX, "Firefox on Linux"), ("", "An unknown browser"), ("curl/8", "curl/8")]
)
def test_a_browser_is_called_as_people_call_it(said, words):
    assert browser_words(said) == words
