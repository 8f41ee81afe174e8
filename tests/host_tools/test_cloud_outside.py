"""Accounts elsewhere: signing in and up by one, connecting one, and what a stranger or a provider may try."""

from urllib.parse import urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select

from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.outside.config import FACEBOOK, Outside, load
from host_tools.cloud.store.models import Account
from host_tools.errors import ToolError
from tests.fakes.openid_provider import SECRET, OpenIdProvider
from tests.host_tools.cloud_rig import PASSWORD, Clock, Rig, code_in

EMAIL = "ada@example.org"
NEW = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "terms": "yes"}


@pytest.fixture
async def provider():
    async with OpenIdProvider(Clock()) as provider:
        yield provider


@pytest.fixture
async def rig(tmp_path, provider):
    outside = (
        Outside("example", "Example Ltd", provider.issuer, "gatelodge", SECRET),
        Outside(
            "facebook", "Facebook", provider.issuer, "app", SECRET, FACEBOOK, provider.issuer + "/dialog"
        ),
    )
    async with Rig(tmp_path, outside=outside) as rig:
        yield rig


async def leave(browser, name="example"):
    """The link that a click on “Sign in with …” leads to."""
    url = browser._rig.server.make_url(f"/outside/{name}")
    async with browser._session.get(url, allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers["Location"]


async def come_back(browser, address):
    parts = urlsplit(address)
    assert parts.netloc == "localhost:8444"
    return await browser.get(f"{parts.path}?{parts.query}")


async def sign_in(browser, provider, name="example"):
    return await come_back(browser, provider.agree(await leave(browser, name)))


async def connect(browser, provider, password=PASSWORD):
    page = await browser.post(
        "/security/outside/example/connect", form_page="/security/outside", password=password
    )
    link = page.text.partition('primary" href="')[2].partition('"')[0].replace("&amp;", "&")
    return await come_back(browser, provider.agree(link)) if link else page


async def test_a_new_person_signs_up_without_the_mail_step(rig, provider):
    browser = rig.browser()
    page = await sign_in(browser, provider)
    assert page.path == "/outside/new" and "Example Ltd" in page.text and EMAIL in page.text
    assert 'value="Bell"' in page.text
    page = await browser.post("/outside/new", **NEW)
    assert page.path == "/security/choose"
    assert await rig.mails(EMAIL) == []
    await browser.sign_out()
    assert (await sign_in(browser, provider)).path == "/routers"


async def test_signing_up_asks_for_the_terms_and_for_what_the_provider_did_not_say(rig, provider):
    browser = rig.browser()
    await sign_in(browser, provider)
    page = await browser.post("/outside/new", **{**NEW, "terms": "", "country": ""})
    assert page.status == 422 and "Read the terms" in page.text and "Choose your country" in page.text


@pytest.mark.parametrize("verified", [False, None, "yes", 1])
async def test_an_email_that_nobody_vouches_for_makes_and_opens_no_account(rig, ada, provider, verified):
    provider.person = {**provider.person, "email_verified": verified}
    thief = rig.browser()
    page = await sign_in(thief, provider)
    assert page.path == "/outside/new" and "does not vouch" in page.text
    page = await thief.post_raw("/outside/new", {"csrf": page.csrf, **NEW})
    assert page.status == 422 and (await thief.get("/routers")).path == "/sign-in"


async def test_an_email_that_has_an_account_opens_it_only_by_its_password(rig, ada, provider):
    """The provider may be right about the e-mail, and still be nobody that this account has chosen."""
    other = rig.browser()
    assert (await sign_in(other, provider)).path == "/outside/new"
    page = await other.post("/outside/new", **NEW)
    assert page.status == 422 and "There is an account with this e-mail already" in page.text
    assert (await other.get("/routers")).path == "/sign-in"


async def test_who_has_an_account_signs_in_once_and_connects_the_two(rig, ada, provider):
    await ada.sign_out()
    await sign_in(ada, provider)
    assert (await ada.post("/outside/have", form_page="/outside/new")).path == "/sign-in"
    page = await ada.sign_in()
    assert page.path == "/security/outside/finish" and EMAIL in page.text
    assert (await ada.post("/security/outside/finish", password="wrong")).status == 422
    page = await ada.post("/security/outside/finish", password=PASSWORD)
    assert page.path == "/security/outside" and "Example Ltd" in page.text
    assert "An account elsewhere was connected" in (await rig.mails(EMAIL))[0].body
    await ada.sign_out()
    assert (await sign_in(ada, provider)).path == "/routers"


async def test_connecting_asks_for_the_password(rig, ada, provider):
    assert (await connect(ada, provider, "not it")).status == 422
    assert await rig.parts.links.of((await account(rig)).id) == []
    assert (await connect(ada, provider)).path == "/security/outside"
    assert len(await rig.parts.links.of((await account(rig)).id)) == 1


async def test_an_account_elsewhere_is_no_second_factor(rig, ada, provider):
    await connect(ada, provider)
    totp, _ = await ada.enrol()
    rig.clock.now += 30
    stranger = rig.browser()
    page = await sign_in(stranger, provider)
    assert page.path == "/sign-in/code" and "authenticator" in page.text
    page = await stranger.post("/sign-in/code", code=totp.at(int(rig.clock())))
    assert page.path == "/routers"


async def test_a_new_browser_verifies_after_it_too(rig, ada, provider):
    await connect(ada, provider)
    await ada.sign_out()
    other = rig.browser()
    assert (await sign_in(other, provider)).path == "/sign-in/code"
    assert (await other.post("/sign-in/code", code=code_in((await rig.mails(EMAIL))[0]))).path == "/routers"


async def test_one_account_elsewhere_opens_one_account_here(rig, ada, provider):
    await connect(ada, provider)
    eve = rig.browser()
    await eve.join("eve@example.org")
    page = await connect(eve, provider)
    assert page.status == 422 and "opens another account" in page.text


async def test_what_is_disconnected_opens_nothing(rig, ada, provider):
    await connect(ada, provider)
    link = (await rig.parts.links.of((await account(rig)).id))[0]
    remove = f"/security/outside/{link.id}/remove"
    rig.clock.now += PROVED_S
    assert (await ada.post(remove, form_page="/security/outside", password="not it")).status == 422
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.post(remove, form_page="/security/outside", password=PASSWORD)).status == 404
    await ada.post(remove, form_page="/security/outside", password=PASSWORD)
    await ada.sign_out()
    assert (await sign_in(ada, provider)).path == "/outside/new"


@pytest.mark.parametrize(
    "spoil",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["gatelodge", "another"]},
        {"azp": "another"}, {"exp": 1}, {"exp": None}, {"iat": 9999999999}, {"nonce": "another"},
        {"nonce": None}, {"sub": ""}, {"sub": "x" * 256},
    ],
    ids=str,
)  # fmt: skip
async def test_an_id_token_that_lies_lets_nobody_in(rig, provider, spoil):
    provider.spoil = spoil
    browser = rig.browser()
    page = await sign_in(browser, provider)
    assert page.status == 422 and "does not answer as it should" in page.text


async def test_a_token_of_another_key_lets_nobody_in_and_a_key_that_turned_does(rig, ada, provider):
    await connect(ada, provider)
    provider.signs_with = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    assert (await sign_in(rig.browser(), provider)).status == 422
    provider.turn_key()
    rig.clock.now += 61
    provider.clock.now += 61
    await ada.sign_out()
    assert (await sign_in(ada, provider)).path == "/routers"


async def test_an_answer_fits_the_browser_and_the_question_alone(rig, ada, provider):
    await connect(ada, provider)
    mine, theirs = rig.browser(), rig.browser()
    await leave(theirs)
    stolen = provider.agree(await leave(mine))
    assert (await come_back(theirs, stolen)).status == 422  # another browser
    older = provider.agree(await leave(mine))
    await leave(mine)
    assert (await come_back(mine, older)).status == 422  # another question
    late = provider.agree(await leave(mine))
    rig.clock.now += 901
    assert (await come_back(mine, late)).status == 422
    assert (await come_back(mine, late)).status == 422


async def test_an_answer_works_once(rig, ada, provider):
    await connect(ada, provider)
    await ada.sign_out()
    address = provider.agree(await leave(ada))
    assert (await come_back(ada, address)).path == "/routers"
    await ada.sign_out()
    assert (await come_back(ada, address)).status == 422


async def test_what_another_session_began_connects_nothing(rig, ada, provider):
    page = await ada.post(
        "/security/outside/example/connect", form_page="/security/outside", password=PASSWORD
    )
    link = page.text.partition('primary" href="')[2].partition('"')[0].replace("&amp;", "&")
    await ada.sign_out()
    await ada.sign_in()
    assert (await come_back(ada, provider.agree(link))).status == 422
    assert await rig.parts.links.of((await account(rig)).id) == []


async def test_a_provider_that_is_away_is_one_sentence(rig, provider):
    browser = rig.browser()
    link = await leave(browser)
    await provider._server.close()
    page = await come_back(browser, provider.agree(link))
    assert page.status == 422 and "does not answer" in page.text


async def test_a_discovery_document_of_another_issuer_is_not_believed(rig, provider):
    provider.issuer = "https://evil.example"
    page = await rig.browser().get("/outside/example")
    assert page.path == "/outside/example" and "does not answer as it should" in page.text


async def test_another_site_begins_no_sign_in(rig):
    """The provider may ask nothing: then a page elsewhere would make a session that nobody asked for."""
    for site in ("cross-site", "same-site"):
        page = await rig.browser().get("/outside/example", headers={"Sec-Fetch-Site": site})
        assert page.path == "/sign-in", site


async def test_facebook_vouches_for_no_email(rig, ada, provider):
    page = await sign_in(rig.browser(), provider, "facebook")
    assert page.path == "/outside/new" and "does not vouch" in page.text


async def test_facebook_signs_in_who_has_connected_it(rig, ada, provider):
    await ada.sign_out()
    await sign_in(ada, provider, "facebook")
    await ada.post("/outside/have", form_page="/outside/new")
    await ada.sign_in()
    await ada.post("/security/outside/finish", password=PASSWORD)
    await ada.sign_out()
    assert (await sign_in(ada, provider, "facebook")).path == "/routers"


async def test_an_unknown_provider_is_nothing(rig):
    assert (await rig.browser().get("/outside/nobody")).status == 404


async def account(rig):
    async with rig.parts.database.read() as session:
        return await session.scalar(select(Account).where(Account.email == EMAIL))


GOOD = '[google]\nclient_id = "x"\nclient_secret_file = "secret"\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[", "cannot be read"),
        ('[new]\nclient_id = "x"', "no provider"),
        ('[google]\nclient_id = "x"', "client_secret_file"),
        ('[google]\nclient_id = "x"\nclient_secret = "y"', "holds a secret"),
        ('[google]\nclient_secret_file = "secret"', "client_id"),
        (GOOD + 'color = "red"', "color"),
        (GOOD + "name = 3", "name"),
        (GOOD + 'kind = "saml"', "kind"),
        (GOOD.replace("google", "example") + 'name = "E"\nissuer = "http://e.example"', "https"),
        ('[google]\nclient_id = "x"\nclient_secret_file = "open"', "read by others"),
        ('[google]\nclient_id = "x"\nclient_secret_file = "none"', "cannot be read"),
    ],
)
def test_a_wrong_file_of_providers_is_one_sentence_without_a_secret(tmp_path, text, fault):
    for name, mode in (("secret", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("hush\n")
        (tmp_path / name).chmod(mode)
    (tmp_path / "outside.toml").write_text(text)
    with pytest.raises(ToolError, match=fault) as raised:
        load(tmp_path / "outside.toml")
    assert "hush" not in str(raised.value)


def test_google_and_facebook_are_known(tmp_path):
    (tmp_path / "secret").write_text("hush\n")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "outside.toml").write_text(GOOD + GOOD.replace("google", "facebook"))
    google, facebook = load(tmp_path / "outside.toml")
    assert (google.name, google.issuer) == ("Google", "https://accounts.google.com")
    assert facebook.kind == FACEBOOK and "hush" not in repr(google)
