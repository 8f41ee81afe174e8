"""Proving once more who one is, without a password: by a passkey, elsewhere, or by a code."""

import asyncio
import itertools
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import select

from host_tools.cloud.accounts import proof
from host_tools.cloud.accounts.proof import ACTIONS, PROVED_S, Held, Proved
from host_tools.cloud.accounts.sessions import OVERLAP_S
from host_tools.cloud.outside.config import FACEBOOK, Outside
from host_tools.cloud.pages.asking import ACTION_OF
from host_tools.cloud.pages.guards import SESSION_COOKIE
from host_tools.cloud.pages.proof import HOME, target
from host_tools.cloud.pages.routes import ROUTES
from host_tools.cloud.store.models import Throttle
from tests.fakes.openid_provider import SECRET, OpenIdProvider
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD, Clock, Rig, code_in, without_secrets
from tests.host_tools.test_cloud_outside import NEW, come_back, sign_in
from tests.host_tools.test_cloud_passkeys import OPTIONS, ORIGIN, add, options_of, send_made

CLOUD = Path(proof.__file__).parents[1]
EMAIL, PROVE, FAILED = "ada@example.org", "/security/prove", "Proving once more who it was failed"
# What is sensitive: (where it goes, its form's page, its other fields).
SENSITIVE = [
    ("/security/authenticators/add", "", {"name": "My phone", "code": "000000"}),
    ("/security/recovery-codes", "", {}),
    ("/security/phones/add", "", {"number": "+32470123456"}),
    ("/security/passkeys/add", "", {}),
    ("/security/telegram/add", "", {}),
    ("/security/password", "", {"new_password": "seven herons left the weir"}),
    ("/security/tokens", "", {"name": "mine", "days": "30", "account:read": "yes"}),
    ("/security/outside/example/connect", "/security/outside", {}),
    ("/profile/email", "/profile", {"email": "other@example.org"}),
    ("/profile/data/export", "/profile/data", {}),
    ("/profile/data/delete", "/profile/data", {"sure": "yes"}),
]


@pytest.fixture
async def provider():
    async with OpenIdProvider(Clock()) as provider:
        yield provider


@pytest.fixture
async def rig(tmp_path, provider):
    example = Outside("example", "Example Ltd", provider.issuer, "gatelodge", SECRET)
    async with Rig(tmp_path, outside=(example,)) as rig:
        provider.clock = rig.clock
        yield rig


@pytest.fixture
async def ada(rig, provider):
    """Signed up by an account elsewhere: she has no password."""
    browser = rig.browser()
    await sign_in(browser, provider)
    await browser.post("/outside/new", **NEW)
    return browser


async def another(rig, provider):
    """Another browser of hers, signed in elsewhere, and verified by mail."""
    browser = rig.browser()
    page = await sign_in(browser, provider)
    if "Code from the e-mail" not in page.text:
        await browser.post("/sign-in/method", form_page="/sign-in/code", method="mail")
    code = code_in((await rig.mails(EMAIL))[0])
    assert (await browser.post("/sign-in/code", code=code)).path in ("/routers", "/security/choose")
    return browser


async def by_mail(rig, browser, back="/profile/data"):
    """The page after the code of a mail was entered."""
    form = f"{PROVE}?next={back}"
    await browser.post(f"{PROVE}/send", form_page=form, next=back, way="mail")
    code = code_in((await rig.mails(EMAIL))[0])
    return await browser.post(f"{PROVE}/code", form_page=form, next=back, way="mail", code=code)


async def ask_elsewhere(browser, back="/profile/data"):
    """The link that leads to the provider."""
    page = await browser.post(f"{PROVE}/outside/example", form_page=PROVE, next=back)
    return re.search(r'primary" href="([^"]+)"', page.text)[1].replace("&amp;", "&")


async def proved(browser):
    return "You have just proved that it is you" in (await browser.get("/profile/data")).text


def test_both_parts_are_open_to_every_account_and_a_mail_only_to_who_has_nothing_better():
    everywhere = frozenset(("mail", "sms", "telegram"))
    for counts in itertools.product((0, 1), repeat=7):
        held = Held(*counts)
        first, second = (proof.open_ways(held, part, everywhere) for part in proof.BOTH)
        assert first and (second or not held.two_factor), held
        assert ("mail" in first) == (not held.password and not held.passkeys)
        assert "mail" not in second and "password" not in second and "outside" not in second
        assert ("passkey" in first) == ("passkey" in second) == bool(held.passkeys)


@pytest.mark.parametrize("action", proof.ACTIONS)
def test_a_proof_in_full_is_all_that_a_sign_in_takes(action):
    """OWASP ASVS 5, 7.5.1; what ends sessions takes one factor (7.5.2)."""
    full = proof.ACTIONS[action] == proof.FULL
    for two_factor, first_at, second_at in itertools.product((False, True), (None, 1000), (None, 1000)):
        missing = proof.missing(action, two_factor, Proved(first_at, second_at), 1001)
        enough = first_at and (second_at or not two_factor) if full else first_at or second_at
        assert bool(missing) != bool(enough), (two_factor, first_at, second_at)


def test_no_action_is_left_to_its_page():
    """Each is named where it is done, and every page of one asks."""
    sources = "".join(path.read_text("utf-8") for path in CLOUD.rglob("*.py") if path.name != "proof.py")
    for action in proof.ACTIONS:
        assert sources.count(f'"{action}"') >= 1, action
    assert set(ACTION_OF) <= {route.path for route in ROUTES} and set(ACTION_OF.values()) <= set(ACTIONS)


def test_a_proof_counts_for_five_minutes_and_not_before_it_was_given():
    assert not proof.is_proved(None, 1000)
    assert [proof.is_proved(1000, now) for now in (999, 1000, 1000 + PROVED_S - 1, 1000 + PROVED_S)] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "form_page", "fields"), SENSITIVE)
async def test_who_has_no_password_is_asked_for_a_proof(rig, ada, path, form_page, fields):
    form = await ada.get(form_page or path)
    assert 'name="password"' not in form.text
    back = re.search(rf'href="{PROVE}\?next=([^"]+)"', form.text)[1]
    assert (await ada.get(back)).status == 200
    for more in ({}, {"password": ""}, {"password": "a guess"}):
        page = await ada.post_raw(path, {"csrf": form.csrf, **fields, **more})
        assert page.status == 422 and "Prove first that it is you" in page.text, more


async def test_a_mailed_code_proves_it_in_that_session_for_five_minutes(rig, ada, provider):
    other = await another(rig, provider)
    page = await by_mail(rig, ada)
    assert page.path == "/profile/data" and await proved(ada) and not await proved(other)
    assert (await ada.post("/security/recovery-codes")).text.count("<li><code>") == 10
    rig.clock.now += PROVED_S
    assert not await proved(ada)
    assert (await ada.post("/security/recovery-codes")).status == 422
    assert "You proved once more that it was you: e-mail" in (await ada.get("/security/log")).text


async def test_a_code_is_good_for_its_session_alone_and_for_five_tries(rig, ada, provider):
    other = await another(rig, provider)
    await ada.post(f"{PROVE}/send", form_page=PROVE, way="mail")
    code = code_in((await rig.mails(EMAIL))[0])
    assert (await other.post(f"{PROVE}/code", form_page=PROVE, way="mail", code=code)).status == 422
    for _ in range(5):
        assert (await ada.post(f"{PROVE}/code", form_page=PROVE, way="mail", code="1")).status == 422
    assert (await ada.post(f"{PROVE}/code", form_page=PROVE, way="mail", code=code)).status == 422
    assert not await proved(ada) and not await proved(other)
    assert FAILED in (await ada.get("/security/log")).text


async def test_signing_in_again_elsewhere_proves_it(rig, ada, provider):
    link = await ask_elsewhere(ada)
    asked = parse_qs(urlsplit(link).query)
    assert asked["prompt"] == ["login"] and asked["max_age"] == ["0"]
    assert (await come_back(ada, provider.agree(link))).path == "/profile/data"
    assert await proved(ada)


@pytest.mark.parametrize("signed_in_s", [None, "now", True, -3600, 3600])
async def test_a_provider_that_did_not_ask_again_proves_nothing(rig, ada, provider, signed_in_s):
    moves = isinstance(signed_in_s, int) and signed_in_s is not True
    provider.spoil["auth_time"] = int(rig.clock()) + signed_in_s if moves else signed_in_s
    page = await come_back(ada, provider.agree(await ask_elsewhere(ada)))
    assert page.status == 422 and "did not ask you to sign in again" in page.text
    assert not await proved(ada)


async def test_another_account_of_the_provider_proves_nothing_and_is_not_connected(rig, ada, provider):
    link = await ask_elsewhere(ada)
    provider.person = {**provider.person, "sub": "p-2", "email": "mallory@example.org"}
    page = await come_back(ada, provider.agree(link))
    assert page.status == 422 and "is not connected to yours" in page.text
    assert not await proved(ada) and FAILED in (await ada.get("/security/log")).text
    assert "mallory" not in (await ada.get("/security/outside")).text


async def test_an_answer_for_a_sign_in_is_no_proof_and_a_proof_signs_nobody_in(rig, ada, provider):
    answer = provider.agree(await ask_elsewhere(ada))
    await ada.sign_out()
    assert (await come_back(ada, answer)).status == 422
    assert (await ada.get("/routers")).path == "/sign-in"
    assert (await sign_in(ada, provider)).path == "/routers"
    assert not await proved(ada)


async def test_a_passkey_proves_it_and_then_no_mail_does(rig, ada):
    await by_mail(rig, ada)
    page = await ada.post("/security/passkeys/add")
    key = SoftPasskey(ORIGIN, sign_count=1)
    await send_made(ada, key.create(json.loads(OPTIONS.search(page.text)[1].replace("&#34;", '"'))))
    rig.clock.now += PROVED_S
    assert (await ada.post(f"{PROVE}/send", form_page=PROVE, way="mail")).status == 422
    assert (await ada.post(f"{PROVE}/code", form_page=PROVE, way="mail", code="123456")).status == 422
    for_signing_in = key.sign(await options_of(ada, f"{PROVE}/options"))
    assert (await send_proof(ada, for_signing_in, "/security/password")).path == "/security/password"
    assert await proved(ada)


async def send_proof(browser, credential, back=""):
    return await browser.post(f"{PROVE}/passkey", form_page=PROVE, credential=credential, next=back)


async def test_a_passkey_answers_the_session_that_asked_once_and_is_the_accounts_own(rig, ada):
    await by_mail(rig, ada)
    page = await ada.post("/security/passkeys/add")
    key = SoftPasskey(ORIGIN)
    await send_made(ada, key.create(json.loads(OPTIONS.search(page.text)[1].replace("&#34;", '"'))))
    rig.clock.now += PROVED_S
    bob = rig.browser()
    await bob.join("bob@example.org")
    theirs, _ = await add(bob, SoftPasskey(ORIGIN))
    stranger = await options_of(rig.browser())  # a challenge of the sign-in page
    question = await options_of(ada, f"{PROVE}/options")
    for answer in (
        key.sign(stranger),
        theirs.sign(question),
        key.sign(await options_of(bob, f"{PROVE}/options")),
    ):
        assert (await send_proof(ada, answer)).status == 422 and not await proved(ada)
    right = key.sign(await options_of(ada, f"{PROVE}/options"))
    assert (await send_proof(ada, right)).path == HOME
    rig.clock.now += PROVED_S
    assert (await send_proof(ada, right)).status == 422


async def test_with_an_authenticator_both_are_asked_and_neither_alone_is_enough(rig, ada, provider):
    """Who reads the mail, and has the session, has no phone: no mail takes a second factor away."""
    await by_mail(rig, ada)
    page = await ada.get("/security/authenticators/add")
    totp = pyotp.TOTP(re.search(r'id="key">([A-Z2-7 ]+)<', page.text)[1].replace(" ", ""))
    fields = {"name": "My phone", "code": totp.at(int(rig.clock()))}
    assert (await ada.post("/security/authenticators/add", **fields)).status == 200
    assert await proved(ada)  # by the mail, and by the code that has just set it up
    rig.clock.now += PROVED_S
    by_code = {"form_page": PROVE, "way": "authenticator"}
    wrong = await ada.post(f"{PROVE}/code", code="000000", **by_code)
    assert wrong.status == 422 and not await proved(ada)
    page = await ada.post(f"{PROVE}/code", code=totp.at(int(rig.clock())), **by_code)
    assert page.path == PROVE and not await proved(ada)
    rig.clock.now += PROVED_S
    page = await come_back(ada, provider.agree(await ask_elsewhere(ada)))
    assert page.path == PROVE and "Now your second factor" in page.text and not await proved(ada)
    page = await ada.post(f"{PROVE}/code", code=totp.at(int(rig.clock())), next="/profile/data", **by_code)
    assert page.path == "/profile/data" and await proved(ada)


async def test_a_way_that_sends_nothing_takes_no_message_of_the_allowance(rig):
    browser = rig.browser()
    await browser.join()
    await browser.enrol()

    async def taken():
        async with rig.parts.database.read() as session:
            found = await session.execute(select(Throttle.key, Throttle.due_at).order_by(Throttle.key))
            return [tuple(row) for row in found]

    before = await taken()
    for way in ("authenticator", "recovery"):
        assert (await browser.post(f"{PROVE}/send", form_page=PROVE, way=way)).status == 422
    assert await taken() == before


async def test_a_password_is_one_part_where_there_are_two(rig):
    ada = rig.browser()
    await ada.join()
    totp, page = await ada.enrol()
    codes = re.findall(r"<li><code>([^<]+)<", page.text)
    path = re.search(r"/security/authenticators/[0-9a-f]+/remove", (await ada.get("/security")).text)[0]
    rig.clock.now += PROVED_S
    page = await ada.post(path, password=PASSWORD)
    assert page.status == 422 and "by your second factor too" in page.text
    assert 'name="password"' not in page.text
    assert (await ada.prove(password="a guess")).status == 422
    page = await ada.prove()
    assert page.path == PROVE and (await ada.post(path)).status == 422
    recovery = {"form_page": PROVE, "way": "recovery", "code": codes[0], "next": path}
    page = await ada.post(f"{PROVE}/code", **recovery)
    assert page.path == path and page.status == 200  # with no way to the password's form: it is proved
    rig.clock.now += PROVED_S
    assert (await ada.prove()).path == PROVE
    assert (await ada.post(f"{PROVE}/code", **recovery)).status == 422  # each works once
    assert (await ada.prove(totp)).path == HOME and (await ada.post(path)).path == "/security"


async def test_who_has_a_password_is_asked_for_it_and_may_use_a_passkey_instead(rig):
    browser = rig.browser()
    await browser.join()
    assert (await browser.get(PROVE)).path == HOME  # nothing beside the password is open
    key, _ = await add(browser, SoftPasskey(ORIGIN))
    rig.clock.now += PROVED_S
    page = await browser.post("/profile/data/export", form_page="/profile/data", password=PASSWORD)
    assert page.status == 422 and f'href="{PROVE}?next=/profile/data"' in page.text
    await send_proof(browser, key.sign(await options_of(browser, f"{PROVE}/options")))
    page = await browser.post("/security/password", new_password="seven herons left the weir")
    assert page.path == "/security" and "Your password is changed" in page.text
    await browser.sign_out()
    assert (await browser.sign_in(password=PASSWORD)).status == 422


async def test_a_first_password_is_set_after_a_proof(rig, ada):
    await by_mail(rig, ada, "/security/password")
    page = await ada.post("/security/password", new_password=PASSWORD)
    assert page.path == "/security" and "Your password is changed" in page.text
    await ada.sign_out()
    assert (await ada.sign_in()).path == "/routers"


async def test_a_change_of_an_account_without_a_password_is_undone_after_a_proof(rig, ada, provider):
    await by_mail(rig, ada, "/security/password")
    await ada.post("/security/password", new_password=PASSWORD)
    link = re.search(r"https://[^/]+(/undo#\S+)", (await rig.mails(EMAIL))[0].body)[1]
    stranger = rig.browser()
    page = await stranger.get(link)
    assert page.status == 403 and "Sign in, and prove that it is you" in page.text
    assert (await stranger.post_raw(link, {"csrf": (await stranger.get("/sign-in")).csrf})).status == 422
    bob = rig.browser()
    await bob.join("bob@example.org")
    assert (await bob.get(link)).status == 403
    page = await ada.post(link)
    assert page.path == "/sign-in" and "The change is undone" in page.text
    assert (await ada.sign_in()).status == 422


async def test_no_password_opens_such_an_account_and_nobody_learns_that_there_is_none(rig, ada):
    other = rig.browser()
    pages = []
    for email in (EMAIL, "nobody@example.org"):
        for password in ("a guess", " ", "0"):
            page = await other.sign_in(email, password)
            assert page.path == "/sign-in" and page.status == 422
            pages.append(without_secrets(page.text).replace(email, "WHO"))
    assert len(set(pages)) == 1


def test_a_proof_leads_to_a_page_of_the_account_and_nowhere_else():
    for path in ("/security", "/security/phones/add", "/profile/data", "/routers/GL-1.a:b/release"):
        assert target(path) == path
    for text in (
        "", "//evil.example", "/\\evil.example", "https://evil.example", "/security//evil.example",
        "/security\n", "/security?x=1", "/security/../oidc/authorize", "/sign-out", "/securityx",
        "/security/%2e%2e", "javascript:x",
    ):  # fmt: skip
        assert target(text) == HOME, text


def test_only_a_provider_that_asks_again_is_asked():
    common = ("Name", "https://login.example.org", "id", SECRET)
    assert Outside("example", *common).asks_again
    assert not Outside("google", *common, again="no").asks_again
    assert not Outside("facebook", *common, FACEBOOK).asks_again


async def test_whoever_proves_again_gets_another_token_and_other_windows_go_on(rig):
    """OWASP ASVS 5, 7.2.4."""
    ada = rig.browser()
    await ada.join()
    window = await ada.get("/security/password")  # open in another window, with the token of before
    cookie = token_of(rig, ada)
    await ada.post("/security/recovery-codes", password=PASSWORD)
    renewed = token_of(rig, ada)
    assert renewed != cookie
    late = await rig.browser().get("/routers", cookies={SESSION_COOKIE: cookie})  # a request under way
    assert late.path == "/routers"
    stolen = {"cookies": {SESSION_COOKIE: cookie}}
    assert "You have just proved" not in (await rig.browser().get("/profile/data", **stolen)).text
    page = await ada.post_raw("/security/recovery-codes", {"csrf": window.csrf})
    assert page.status == 200 and token_of(rig, ada) == renewed  # nothing was asked: nothing changes
    rig.clock.now += OVERLAP_S
    assert (await rig.browser().get("/routers", **stolen)).path == "/sign-in"
    assert (await ada.get("/routers")).path == "/routers"


@pytest.mark.parametrize("count", [2, 8])
async def test_of_windows_that_prove_at_once_one_renews_the_token(rig, count):
    ada = rig.browser()
    await ada.join()
    form = await ada.get("/security/password")
    fields = {"csrf": form.csrf, "password": PASSWORD, "new_password": PASSWORD}  # refused, after the proof
    await asyncio.gather(*(ada.post_raw("/security/password", fields) for _ in range(count)))
    rig.clock.now += OVERLAP_S
    assert (await ada.get("/routers")).path == "/routers"


async def test_whoever_proves_with_the_token_of_before_gets_none_and_ends_none(rig):
    ada = rig.browser()
    await ada.join()
    window = await ada.get("/security/password")
    before = token_of(rig, ada)
    await ada.post("/security/recovery-codes", password=PASSWORD)
    renewed = token_of(rig, ada)
    fields = {"csrf": window.csrf, "password": PASSWORD}
    late = await ada.post_raw("/security/recovery-codes", fields, cookies={SESSION_COOKIE: before})
    assert late.status == 200 and token_of(rig, ada) == renewed
    rig.clock.now += OVERLAP_S
    assert (await ada.get("/routers")).path == "/routers"


def token_of(rig, browser):
    return browser._session.cookie_jar.filter_cookies(rig.server.make_url("/"))[SESSION_COOKIE].value
