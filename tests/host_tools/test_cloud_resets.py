"""A forgotten password, and the user names of before, through the pages."""

import asyncio
import re

from host_tools.cloud.accounts import imports
from host_tools.cloud.accounts.resets import RESET_S, TRIES
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, code_in, without_secrets

EMAIL, NEW = "ada@example.org", "seven herons on the weir"
LINK = re.compile(r"https://[^/]+(/forgotten/link#\S+)")
WRONG = {"000000": "000001"}


async def ask(rig, browser, who=EMAIL):
    """The mail, once it is there."""
    before = len(await rig.mails(EMAIL))
    await browser.post("/forgotten", email=who)
    async with asyncio.timeout(PATIENCE_S):
        while len(mails := await rig.mails(EMAIL)) == before:
            await asyncio.sleep(0.01)
    return mails[0]


async def set_new(browser, path="/forgotten/password", password=NEW, **more):
    return await browser.post(path, new_password=password, **more)


async def reset_by_code(rig, browser):
    code = code_in(await ask(rig, browser))
    assert (await browser.post("/forgotten/code", code=code)).path == "/forgotten/password"
    return await set_new(browser)


async def test_a_code_in_the_browser_that_asked_sets_a_new_password(rig, ada):
    other = rig.browser()
    assert (await reset_by_code(rig, other)).path == "/routers"
    await other.sign_out()
    assert (await other.sign_in(password=PASSWORD)).status == 422
    assert (await other.sign_in(password=NEW)).path == "/routers"


async def test_the_link_sets_it_in_any_browser_and_opening_it_changes_nothing(rig, ada):
    path = LINK.search((await ask(rig, rig.browser())).body)[1]
    other = rig.browser()
    assert EMAIL in (await other.get(path)).text
    assert (await rig.browser().get(path)).status == 200
    assert (await set_new(other, path)).path == "/routers"


async def test_a_reset_ends_every_session_and_all_trust_and_is_told(rig, ada):
    await reset_by_code(rig, rig.browser())
    assert (await ada.get("/routers")).path == "/sign-in"
    assert (await ada.sign_in(password=NEW)).path == "/sign-in/code"
    assert "A new password was set by e-mail" in [mail.subject for mail in await rig.mails(EMAIL)]


async def test_a_reset_keeps_the_second_factor_and_a_recovery_code_stands_in(rig, ada):
    totp, page = await ada.enrol()
    recovery = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    rig.clock.now += 60
    other = rig.browser()
    page = await reset_by_code(rig, other)
    assert page.path == "/sign-in/code" and "authenticator app" in page.text and "by e-mail" not in page.text
    assert (await other.get("/routers")).path == "/sign-in"
    assert (await other.post("/sign-in/code", code=recovery)).path == "/routers"


async def test_who_is_signed_in_may_follow_the_link_of_a_mail_too(rig, ada):
    assert (await ada.get("/forgotten")).path == "/forgotten"
    assert (await reset_by_code(rig, ada)).path == "/routers"


async def test_nobody_learns_whether_there_is_an_account(rig, ada):
    pages = []
    for who in (EMAIL, "nobody@example.org"):
        browser = rig.browser()
        asked = await browser.post("/forgotten", email=who)
        wrong = await browser.post("/forgotten/code", code="000000")
        pages.append([without_secrets(page.text) for page in (asked, wrong)] + [wrong.status])
    assert pages[0] == pages[1]
    assert await rig.mails("nobody@example.org") == []


async def test_no_work_follows_the_answer_at_once(rig, ada):
    """Else whoever asks again right away learns by the delay whether there was a message to send."""
    rig.parts.resets.soon_s = 3600
    before = len(await rig.mails(EMAIL))
    page = await rig.browser().post("/forgotten", email=EMAIL)
    assert page.path == "/forgotten/code" and len(await rig.mails(EMAIL)) == before


async def test_a_code_is_good_only_in_the_browser_that_asked(rig, ada):
    first, second = rig.browser(), rig.browser()
    code = code_in(await ask(rig, first))
    await ask(rig, second)
    assert (await second.post("/forgotten/code", code=WRONG.get(code, code))).status == 422
    assert (await second.get("/forgotten/password")).status == 410


async def test_a_code_and_a_link_work_once_and_for_twenty_minutes(rig, ada):
    other = rig.browser()
    mail = await ask(rig, other)
    path = LINK.search(mail.body)[1]
    await set_new(other, path)
    assert (await rig.browser().get(path)).status == 410
    await other.sign_out()
    assert (await other.post("/forgotten/code", form_page="/sign-in", code=code_in(mail))).status == 422
    later = LINK.search((await ask(rig, other)).body)[1]
    rig.clock.now += RESET_S
    assert (await other.get(later)).status == 410


async def test_five_wrong_codes_void_the_right_one(rig, ada):
    other = rig.browser()
    code = code_in(await ask(rig, other))
    for _ in range(TRIES):
        await other.post("/forgotten/code", code=f"{(int(code) + 1) % 10**6:06d}")
    assert (await other.post("/forgotten/code", code=code)).status == 422


async def test_a_used_reset_voids_every_other_of_the_account(rig, ada):
    first = LINK.search((await ask(rig, rig.browser())).body)[1]
    await reset_by_code(rig, rig.browser())
    assert (await rig.browser().get(first)).status == 410


async def test_a_guessable_password_is_refused_and_the_code_is_not_lost(rig, ada):
    other = rig.browser()
    path = LINK.search((await ask(rig, other)).body)[1]
    assert (await set_new(other, path, "password1")).status == 422
    assert (await set_new(other, path)).path == "/routers"


async def test_of_many_browsers_with_one_link_one_sets_the_password(rig, ada):
    path = LINK.search((await ask(rig, rig.browser())).body)[1]
    browsers = [rig.browser() for _ in range(6)]
    forms = [await browser.get(path) for browser in browsers]
    tries = (
        browser.post_raw(path, {"csrf": form.csrf, "new_password": f"{NEW} {index}"}, allow_redirects=False)
        for index, (browser, form) in enumerate(zip(browsers, forms, strict=True))
    )
    assert sorted(page.status for page in await asyncio.gather(*tries)) == [303] + [410] * 5


async def test_a_link_that_was_used_while_the_password_was_looked_at_sets_none(rig, ada, monkeypatch):
    path = LINK.search((await ask(rig, rig.browser())).body)[1]
    breached, quicker = rig.parts.resets._breached, rig.browser()
    look = breached.fault

    async def meanwhile(password):
        monkeypatch.setattr(breached, "fault", look)
        assert (await set_new(quicker, path)).path == "/routers"
        return await look(password)

    monkeypatch.setattr(breached, "fault", meanwhile)
    assert (await set_new(rig.browser(), path, f"{NEW} too")).status == 410
    await quicker.sign_out()
    assert (await quicker.sign_in(password=NEW)).path == "/routers"


async def test_a_stranger_does_not_fill_an_inbox(rig, ada):
    pages = [await rig.browser().post("/forgotten", email=EMAIL) for _ in range(8)]
    assert [page.status for page in pages] == [200] * 5 + [429] * 3


async def test_strangers_who_ask_keep_the_owner_from_no_message(rig, ada):
    await ada.sign_out()
    for _ in range(8):
        await rig.browser().post("/forgotten", email=EMAIL)
    assert (await ada.post("/forgotten", email=EMAIL)).path == "/forgotten/code"


async def test_a_reset_ends_an_email_change_that_somebody_began(rig, ada):
    await ada.post("/profile/email", form_page="/profile", email="eve@example.org", password=PASSWORD)
    await reset_by_code(rig, rig.browser())
    path = re.search(r"(/profile/email/agree#\S+)", (await rig.mails("eve@example.org"))[0].body)[1]
    assert (await rig.browser().get(path)).status == 410


async def test_it_was_not_me_in_a_mail_leads_to_a_new_password(rig, ada):
    await ada.sign_out()
    await rig.browser().sign_in()
    body = (await rig.mails(EMAIL))[0].body
    path = re.search(r"https://[^/]+(/\S+)", body)[1]
    assert (await rig.browser().get(path)).path == "/forgotten"


async def bring(rig, text):
    customers, faults = imports.read(text)
    assert faults == []
    async with rig.parts.database.write() as session:
        assert await imports.apply(session, customers, rig.clock(), lambda *_: None) == []


async def test_a_user_name_leads_to_the_e_mail_and_tells_nobody_whether_it_is_known(rig):
    await bring(rig, f"user_name,email\nk10023,{EMAIL}\n")
    pages = []
    for who in ("K10023", "k99999"):
        page = await rig.browser().sign_in(who, "whatever it was")
        pages.append((page.path, without_secrets(page.text)))
    assert pages[0] == pages[1] and "User names no longer sign in" in pages[0][1]
    async with asyncio.timeout(PATIENCE_S):
        while not await rig.mails(EMAIL):
            await asyncio.sleep(0.01)
    assert EMAIL in (await rig.mails(EMAIL))[0].body


async def test_an_imported_customer_sets_a_password_and_chooses_a_second_factor(rig):
    await bring(rig, f"user_name,email,first_name\nk10023,{EMAIL},Ada\n")
    browser = rig.browser()
    assert (await browser.sign_in()).status == 422  # there is no password yet, and none matches
    path = LINK.search((await ask(rig, browser, "k10023")).body)[1]
    assert (await set_new(browser, path)).status == 422  # the terms are not read
    assert (await set_new(browser, path, terms="yes")).path == "/security/choose"
    await browser.sign_out()
    assert (await browser.sign_in(password=NEW)).path == "/routers"


async def test_no_password_at_all_opens_an_imported_account(rig):
    await bring(rig, f"user_name,email\nk10023,{EMAIL}\n")
    for password in ("", " ", PASSWORD):
        assert (await rig.browser().sign_in(password=password)).status == 422
