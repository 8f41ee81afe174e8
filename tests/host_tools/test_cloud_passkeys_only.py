"""Only passkeys sign in: what switching it on takes and ends, every way around it, and what takes it back."""

import asyncio
import re

import pytest
from sqlalchemy import select, update

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.accounts.undo import UNDO_S
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import KINDS_OF_CHANGE, RESET
from host_tools.cloud.api import answers
from host_tools.cloud.oidc.described import GRANTS, Described
from host_tools.cloud.outside.config import Outside
from host_tools.cloud.store.models import Account, Session, SignIn, TrustedBrowser
from host_tools.cloud.store.passkey_models import Passkey
from tests.fakes.openid_provider import SECRET, OpenIdProvider
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, Clock, Rig, code_in, without_secrets
from tests.host_tools.oidc_rig import BACK, App, begin_device, device_token, signed_in
from tests.host_tools.oidc_rig import enter as let_in
from tests.host_tools.test_cloud_api import status_of, token_of
from tests.host_tools.test_cloud_outside import come_back, connect
from tests.host_tools.test_cloud_outside import sign_in as sign_in_elsewhere
from tests.host_tools.test_cloud_passkeys import ORIGIN, add, enter, options_of
from tests.host_tools.test_cloud_proof import ask_elsewhere
from tests.host_tools.test_cloud_resets import ask
from tests.host_tools.test_cloud_same_work import work_of
from tests.host_tools.test_cloud_undo import link

EMAIL, PAGE, PROVE = "ada@example.org", "/security/passkeys-only", "/security/prove"
ON, OFF = "From now on only passkeys sign in", "Every way to sign in is open again"
PASSKEY = re.compile(r'/security/passkeys/[0-9a-f]{30}(?=" aria-label)')
WRONG, CLOSED = "e-mail or the password is wrong", "A sign-in was refused: only passkeys sign in"


async def switch(browser, to="on", **fields):
    return await browser.post(f"{PAGE}/{to}", form_page=PAGE, **fields)


async def switched_on(browser):
    """Its two passkeys, with which alone it signs in from now on."""
    keys = [(await add(browser, SoftPasskey(ORIGIN), name))[0] for name in ("My phone", "The key ring")]
    assert (await switch(browser)).path == "/security"
    return keys


async def prove(browser, key):
    signed = key.sign(await options_of(browser, f"{PROVE}/options"))
    return await browser.post(f"{PROVE}/passkey", form_page=PROVE, credential=signed)


async def column(rig, email=EMAIL):
    async with rig.parts.database.read() as session:
        return await session.scalar(select(Account.passkeys_only_at).where(Account.email == email))


async def test_who_has_no_password_is_asked_to_set_one_first(rig, ada):
    """A thief with a session of theirs could switch it on, and no link of a mail would take it back."""
    keys = [(await add(ada, SoftPasskey(ORIGIN), name))[0] for name in ("My phone", "The key ring")]
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(password_hash=""))
    await prove(ada, keys[0])
    assert "Set a password first" in (await switch(ada)).text
    assert await column(rig) is None


async def seen(browser, key, line):
    """The line is in the account's log; nobody waits for its row to be written."""
    if (await browser.get("/security/log")).path != "/security/log":
        await enter(browser, key)
    async with asyncio.timeout(PATIENCE_S):
        while line not in (await browser.get("/security/log")).text:
            await asyncio.sleep(0.01)


async def set_by_hand(rig):
    """As if the setting had come while something was under way that nobody ended."""
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(passkeys_only_at=rig.clock()))


async def test_it_takes_two_passkeys_and_says_how_many_are_missing(rig, ada):
    for missing in ("<strong>2</strong> more passkeys", "<strong>1</strong> more passkey."):
        page = await ada.get(PAGE)
        assert missing in page.text and "Switch it on" not in page.text
        page = await ada.post_raw(f"{PAGE}/on", {"csrf": page.csrf, "password": PASSWORD})
        assert page.status == 422 and "Add at least two passkeys first" in page.text
        key, _ = await add(ada, SoftPasskey(ORIGIN, sign_count=5))
    assert "Switch it on" in (await ada.get(PAGE)).text
    assert (await enter(rig.browser(), key)).path == "/routers"
    key.sign_count = 2  # a copy of it counts for nobody
    await enter(rig.browser(), key)
    assert (await switch(ada)).status == 422 and await column(rig) is None


async def test_it_takes_a_proof_in_full(rig, ada):
    await add(ada, SoftPasskey(ORIGIN))
    key, _ = await add(ada, SoftPasskey(ORIGIN))
    rig.clock.now += PROVED_S
    page = await switch(ada, password=PASSWORD)
    assert page.status == 422 and "by your second factor too" in page.text
    await prove(ada, key)
    assert (await switch(ada)).path == "/security" and await column(rig) == rig.clock()


async def test_it_is_told_and_shown_wherever_the_account_is(rig, ada):
    token = await token_of(ada)
    await switched_on(ada)
    assert (await rig.mails(EMAIL))[0].subject == ON
    assert ON in (await ada.get("/security/log")).text
    security = (await ada.get("/security")).text
    assert "Only passkeys sign in. What else you have set up" in security
    assert "Trusted browsers" not in security and "It has been on since" in (await ada.get(PAGE)).text
    assert await status_of(rig, token) == 401  # it was made by another proof
    async with rig.parts.database.read() as session:
        account = await session.scalar(select(Account).where(Account.email == EMAIL))
    assert answers.account(account)["passkeys_only"] is True


async def test_passkeys_go_on_signing_in(rig, ada):
    for key in await switched_on(ada):
        assert (await enter(rig.browser(), key)).path == "/routers"


async def test_whoever_guesses_is_answered_as_ever_and_the_owner_sees_the_right_guess(rig, ada):
    """The right password, a wrong one, an e-mail that nobody has: one page, also in the owner's browser."""
    keys = await switched_on(ada)
    await ada.sign_out()
    for browser in (rig.browser(), ada):
        right = await browser.sign_in()
        wrong = await browser.sign_in(password="not the password")
        nobody = await browser.sign_in("eve@example.org")
        assert right.status == wrong.status == nobody.status == 422 and WRONG in right.text
        told = [without_secrets(page.text).replace("eve@", "ada@") for page in (right, wrong, nobody)]
        assert told[0] == told[1] == told[2]
        assert (await browser.get("/routers")).path == "/sign-in"
    await seen(ada, keys[0], f"{CLOSED}: password")


async def test_a_right_guess_makes_the_work_of_a_wrong_one(rig, ada, monkeypatch):
    """The same statements and hashes, in the same order, before the answer."""
    await set_by_hand(rig)
    guesses = [{"email": EMAIL, "password": password} for password in (PASSWORD, "not the password")]
    guesses.append({"email": "eve@example.org", "password": PASSWORD})
    for guess in guesses:  # each has been tried before: the first time makes a row of the throttle's
        await work_of(rig, monkeypatch, "/sign-in", guess)
    right, wrong, nobody = [await work_of(rig, monkeypatch, "/sign-in", guess) for guess in guesses]
    assert right == wrong == nobody and right[1] == 1


async def test_a_right_guess_counts_as_a_wrong_one_does(rig, ada):
    """Where it were given back, the eleventh try would tell."""
    await switched_on(ada)
    stranger = rig.browser()
    statuses = [(await stranger.sign_in()).status for _ in range(11)]
    assert statuses[0] == 422 and statuses[-1] == 429


async def test_a_browser_that_was_trusted_skips_nothing(rig, ada):
    trusted = rig.browser()
    assert (await trusted.enter()).path == "/routers"
    await trusted.sign_out()
    await switched_on(ada)
    assert (await trusted.sign_in()).status == 422
    async with rig.parts.database.write() as session:  # nor one whose trust has outlived it
        account_id = await session.scalar(select(Account.id))
        hashes = list(await session.scalars(select(Session.browser_hash)))
        row = {"address": "", "browser": "", "created_at": 1.0, "used_at": rig.clock()}
        session.add(TrustedBrowser(id="t", account_id=account_id, browser_hash=hashes[0], **row))
    await ada.sign_out()
    assert (await ada.sign_in()).status == 422


@pytest.mark.parametrize("by_hand", [False, True])
async def test_a_sign_in_between_its_steps_is_over(rig, ada, by_hand):
    other = rig.browser()
    page = await other.sign_in()
    code = code_in((await rig.mails(EMAIL))[0])
    assert page.path == "/sign-in/code"
    await (set_by_hand(rig) if by_hand else switched_on(ada))
    form = await ada.get("/security")  # any form's token of its own
    page = await other.post("/sign-in/code", form_page="/sign-in", code=code)
    assert "Sign in again from the start" in page.text and form.status == 200
    assert (await other.get("/routers")).path == "/sign-in"


async def test_what_was_agreed_to_elsewhere_is_over_too(rig, ada):
    """Approved on a trusted browser, and taken after the setting came."""
    other = rig.browser()
    await other.sign_in()
    async with rig.parts.database.write() as session:
        await session.execute(update(SignIn).values(state=signin.APPROVED, method="push"))
    await set_by_hand(rig)
    page = await other.post("/sign-in/agreed", form_page="/sign-in")
    assert page.status == 422 and (await other.get("/routers")).path == "/sign-in"


async def test_a_forgotten_password_is_not_replaced(rig, ada):
    await switched_on(ada)
    stranger = rig.browser()
    for who in (EMAIL, "eve@example.org"):
        page = await stranger.post("/forgotten", email=who)
        assert page.path == "/forgotten/code"
        await rig.until(rig.parts.post.idle)
        page = await stranger.post("/forgotten/code", code="000000")
        assert page.status == 422 and "not right" in page.text
    mail = (await rig.mails(EMAIL))[0]
    assert mail.subject == "Sign in with a passkey" and not re.search(r"\d{6}|/forgotten", mail.body)


async def test_a_new_password_that_was_under_way_is_over(rig, ada):
    other = rig.browser()
    mail = await ask(rig, other)
    path = re.search(r"https://[^/]+(/forgotten/link#\S+)", mail.body)[1]
    await switched_on(ada)
    assert (await other.get(path)).status == 410
    assert (await other.post("/forgotten/code", form_page="/sign-in", code=code_in(mail))).status == 422


async def test_a_new_password_is_not_set_either_where_its_code_was_proved_before(rig, ada):
    other = rig.browser()
    await other.post("/forgotten/code", form_page="/sign-in", code=code_in(await ask(rig, other)))
    await set_by_hand(rig)
    page = await other.post("/forgotten/password", form_page="/sign-in", new_password="seven herons left")
    assert page.status == 410 and (await other.get("/routers")).path == "/sign-in"
    assert (await ada.get("/security")).path == "/security"  # and nobody is put out by it


async def test_an_account_elsewhere_signs_in_no_more(tmp_path):
    async with OpenIdProvider(Clock()) as provider:
        example = Outside("example", "Example Ltd", provider.issuer, "gatelodge", SECRET)
        async with Rig(tmp_path, outside=(example,)) as rig:
            provider.clock = rig.clock
            ada = rig.browser()
            await ada.join()
            await connect(ada, provider)
            keys = await switched_on(ada)
            other = rig.browser()
            page = await sign_in_elsewhere(other, provider)
            assert page.status == 422 and "Only a passkey signs in to this account" in page.text
            assert (await other.get("/routers")).path == "/sign-in"
            assert "Sign in again with Example" not in (await ada.get(PROVE)).text
            page = await come_back(ada, provider.agree(await ask_elsewhere(ada)))
            assert page.status == 422 and "not open to your account" in page.text
            await seen(ada, keys[0], f"{CLOSED}: account elsewhere")


async def tokens_and_device(rig, browser):
    """(an application, what it was given for good, a device that was let in and has not come yet)"""
    described = Described("app", "Garden App", [BACK], grants=GRANTS, plain=True)
    app = App(rig, await rig.parts.oidc.clients.add(described))
    tokens = await signed_in(app, browser, scope="openid email offline_access")
    begun = await begin_device(app)
    await let_in(browser, begun["user_code"])
    rig.clock.now += 11  # it does not ask too often
    return app, tokens, begun


async def renewed(app, tokens):
    """Whether a refresh token is taken."""
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return (await app.post("/oidc/token", **refresh))[0] == 200


async def test_applications_and_devices_of_before_are_out(rig, ada):
    app, tokens, begun = await tokens_and_device(rig, ada)
    await switched_on(ada)
    assert (await app.userinfo(tokens["access_token"]))[0] == 401 and not await renewed(app, tokens)
    assert await device_token(app, begun) == "expired_token"


async def test_nothing_but_a_passkey_proves_who_is_signed_in(rig, ada):
    totp, _ = await ada.enrol()
    keys = await switched_on(ada)
    await enter(rig.browser(), keys[1])
    page = await ada.get("/security/password")
    assert "Prove first that it is you, with a passkey" in page.text and 'name="password"' not in page.text
    page = await ada.get(PROVE)
    assert "It takes a passkey" in page.text and "/security/prove/code" not in page.text
    page = await ada.post_raw(f"{PROVE}/password", {"csrf": page.csrf, "password": PASSWORD})
    assert page.status == 422 and "not open to your account" in page.text
    for way, code in (("authenticator", totp.at(int(rig.clock()) + 30)), ("recovery", ada.codes[0])):
        page = await ada.post(f"{PROVE}/code", form_page=PROVE, way=way, code=code)
        assert page.status == 422 and "not open to your account" in page.text
    page = await ada.post("/security/sessions/end-others", form_page="/security/sessions", password=PASSWORD)
    assert page.status == 422 and "with a passkey" in page.text
    assert (await prove(ada, keys[0])).path == "/security"
    page = await ada.post("/security/sessions/end-others", form_page="/security/sessions")
    assert "done=sessions-ended" in str(page.url)


async def test_the_last_two_passkeys_stay(rig, ada):
    keys = await switched_on(ada)
    await prove(ada, keys[0])
    await add(ada, SoftPasskey(ORIGIN), "The third")
    paths = PASSKEY.findall((await ada.get("/security")).text)
    first, *others = [await ada.post(path + "/remove", form_page=path) for path in paths]
    assert first.path == "/security" and len(others) == 2
    assert all(page.status == 422 and "the last two stay" in page.text for page in others)


async def test_a_passkey_that_is_doubted_may_go_and_does_not_count(rig, ada):
    keys = await switched_on(ada)
    await prove(ada, keys[0])
    rig.clock.now += 1  # the newest is listed last
    await add(ada, SoftPasskey(ORIGIN), "The third")
    paths = PASSKEY.findall((await ada.get("/security")).text)
    async with rig.parts.database.write() as session:
        doubted = update(Passkey).where(Passkey.name == "The third")
        await session.execute(doubted.values(doubted_at=rig.clock()))
    for path, taken in zip(paths, (False, False, True), strict=True):
        page = await ada.post(path + "/remove", form_page=path)
        assert page.status == (200 if taken else 422)


async def test_switching_it_off_takes_a_passkey_and_is_told(rig, ada):
    keys = await switched_on(ada)
    other = rig.browser()
    await enter(other, keys[1])
    page = await switch(ada, "off", password=PASSWORD)  # what was proved before it was on counts no more
    assert page.status == 422 and "with a passkey" in page.text and await column(rig)
    await prove(ada, keys[0])
    assert (await switch(ada, "off")).path == "/security"
    assert (await rig.mails(EMAIL))[0].subject == OFF and await column(rig) is None
    assert (await other.get("/routers")).path == "/sign-in"
    assert (await other.sign_in()).path == "/sign-in/code"


async def test_for_three_days_its_mail_and_the_password_of_before_take_it_back(rig, ada):
    """Else a thief who has switched it on had locked the owner out for good."""
    await switched_on(ada)
    path = await link(rig, ON)
    owner = rig.browser()
    assert (await owner.post(path, password="not the password")).status == 422
    assert (await owner.post(path, password=PASSWORD)).path == "/sign-in"
    assert await column(rig) is None and (await ada.get("/routers")).path == "/sign-in"
    assert (await owner.sign_in()).path == "/sign-in/code"


async def test_after_three_days_no_link_takes_it_back(rig, ada):
    await switched_on(ada)
    path = await link(rig, ON)
    rig.clock.now += UNDO_S
    page = await rig.browser().get(path)
    assert page.status == 410 and await column(rig)


async def test_undoing_a_change_of_before_ends_it_too_and_is_told(rig, ada):
    """A thief's passkey goes, and with it what the thief has closed by it."""
    await ada.enrol()
    path = await link(rig, "An authenticator was added")
    rig.clock.now += 1
    await switched_on(ada)
    await rig.browser().post(path, password=PASSWORD)
    assert await column(rig) is None
    assert {mail.subject for mail in (await rig.mails(EMAIL))[:2]} == {"A change was undone", OFF}


async def test_a_change_that_was_made_meanwhile_is_undone_by_a_passkey_only(rig, ada):
    keys = await switched_on(ada)
    await prove(ada, keys[0])
    third, _ = await add(ada, SoftPasskey(ORIGIN), "The third")
    mail = (await rig.mails(EMAIL))[0]
    assert "once you have proved that it is you" in mail.body
    path = re.search(r"https://[^/]+(/undo#\S+)", mail.body)[1]
    stranger = rig.browser()
    assert "prove that it is you" in (await stranger.get(path)).text
    page = await stranger.post(path, form_page="/sign-in", password=PASSWORD)
    assert page.status in (403, 422)
    assert (await ada.post(path)).path == "/sign-in"
    assert await column(rig) and (await enter(rig.browser(), third)).status == 422


async def test_undoing_does_not_leave_fewer_than_two_passkeys(rig, ada):
    keys = await switched_on(ada)
    await prove(ada, keys[0])
    await add(ada, SoftPasskey(ORIGIN), "The third")
    path = re.search(r"https://[^/]+(/undo#\S+)", (await rig.mails(EMAIL))[0].body)[1]
    text = (await ada.get("/security")).text
    first = re.search(r'(/security/passkeys/[0-9a-f]+)" aria-label="Change My phone"', text)[1]
    await ada.post(first + "/remove", form_page=first)
    page = await ada.post(path)
    assert page.status == 422 and "the last two stay" in page.text


async def test_support_resets_it_after_its_waiting_time(rig, ada):
    await switched_on(ada)
    async with rig.parts.database.read() as session:
        account_id = await session.scalar(select(Account.id))
    operator = Visit("", "", "gatelodge cloud (grace)", rig.clock())
    await rig.parts.waiting.ask(account_id, RESET, "Lost both", operator)
    rig.clock.now += KINDS_OF_CHANGE[RESET].wait_s - 1
    await rig.parts.waiting.carry_out()
    assert await column(rig)
    rig.clock.now += 1
    await rig.parts.waiting.carry_out()
    assert await column(rig) is None
    assert (await rig.browser().enter()).path == "/routers"
