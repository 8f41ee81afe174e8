"""A provider that has gone bad, or was broken into: one sentence, and nobody is let in or led astray."""

import pytest

from host_tools.cloud.outside.config import FACEBOOK, Outside
from tests.fakes.openid_provider import SECRET, OpenIdProvider
from tests.host_tools.cloud_rig import Clock, Rig
from tests.host_tools.test_cloud_outside import NEW, sign_in

DEEP = "[" * 100_000
SPOILT = "does not answer as it should"


@pytest.fixture
async def provider():
    async with OpenIdProvider(Clock()) as provider:
        yield provider


@pytest.fixture
async def rig(tmp_path, provider):
    facebook = Outside(
        "facebook", "Facebook", provider.issuer, "app", SECRET, FACEBOOK, provider.issuer + "/dialog"
    )
    async with Rig(
        tmp_path, outside=(Outside("example", "Example Ltd", provider.issuer, "gatelodge", SECRET), facebook)
    ) as rig:
        yield rig


@pytest.mark.parametrize(
    "name, address",
    [
        ("authorization_endpoint", "javascript:alert(1)//"), ("authorization_endpoint", "data:text/html,x"),
        ("authorization_endpoint", "https://a.example/\r\nb"), ("authorization_endpoint", "https:///x"),
        ("token_endpoint", "http://example.org/"), ("jwks_uri", "file:///etc/passwd"),
        ("userinfo_endpoint", "http://192.0.2.1/"), ("userinfo_endpoint", 7),
    ],
)  # fmt: skip
async def test_discovery_leads_to_no_address_that_is_not_https(rig, provider, name, address):
    provider.document[name] = address
    browser = rig.browser()
    async with browser._session.get(rig.server.make_url("/outside/example"), allow_redirects=False) as answer:
        assert answer.status == 422 and SPOILT in await answer.text()


@pytest.mark.parametrize(
    "instead",
    [
        {"/keys": DEEP}, {"/keys": '{"keys": 3}'}, {"/keys": '{"keys": [{"kty": ["x"]}]}'},
        {"/keys": '{"keys": []}'}, {"/token": DEEP}, {"/token": "[]"}, {"/token": '{"id_token": 3}'},
        {"/token": '{"id_token": "eyJhbGciOlsieCJdfQ.e30.x"}'}, {"/token": " " * 300_000},
    ],
    ids=lambda instead: str(instead)[:40],
)  # fmt: skip
async def test_an_answer_that_is_none_lets_nobody_in(rig, provider, instead):
    provider.instead = instead
    page = await sign_in(rig.browser(), provider)
    assert page.status == 422 and SPOILT in page.text


@pytest.mark.parametrize(
    "spoil",
    [
        {"sub": 7}, {"sub": ["p-1"]}, {"sub": "p\0"}, {"sub": "ä"}, {"nonce": "ä"}, {"nonce": 5},
        {"exp": float("nan")}, {"iat": float("nan")},
    ],
    ids=str,
)  # fmt: skip
async def test_a_claim_of_another_kind_lets_nobody_in(rig, provider, spoil):
    provider.spoil = spoil
    page = await sign_in(rig.browser(), provider)
    assert page.status == 422 and SPOILT in page.text


@pytest.mark.parametrize("subject", [None, 5, ""])
async def test_facebook_has_to_say_who_it_is(rig, provider, subject):
    provider.person["sub"] = subject
    page = await sign_in(rig.browser(), provider, "facebook")
    assert page.status == 422 and SPOILT in page.text


@pytest.mark.parametrize("email", ["ada", "ada@example.org, eve@example.org", "ada @example.org", "ada@x"])
async def test_what_is_no_email_makes_no_account_although_it_is_vouched_for(rig, provider, email):
    provider.person["email"] = email
    browser = rig.browser()
    page = await sign_in(browser, provider)
    assert page.path == "/outside/new" and "does not vouch" in page.text
    await browser.post_raw("/outside/new", {"csrf": page.csrf, **NEW})
    assert (await browser.get("/routers")).path == "/sign-in"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_token_that_needs_no_private_key_lets_nobody_in(rig, provider, algorithm):
    """RFC 8725 sections 2.1 and 3.1: signed by nobody, or with the public key as if it were a secret."""
    provider.algorithm = algorithm
    page = await sign_in(rig.browser(), provider)
    assert page.status == 422 and SPOILT in page.text
