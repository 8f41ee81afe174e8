"""Requests that applications push beforehand (PAR, RFC 9126), and a cloud that takes nothing less."""

import asyncio
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import update

from host_tools.cloud.oidc.described import Described
from host_tools.cloud.oidc.pushed import PREFIX, SIGN_IN_S
from host_tools.cloud.store.oidc_models import OidcToken
from tests.host_tools.cloud_rig import Rig
from tests.host_tools.oidc_rig import BACK, App, address_on, agree, answer_in, follow
from tests.host_tools.test_cloud_oidc_dpop import KEY, OTHER, BoundApp, proof_of
from tests.host_tools.test_cloud_oidc_keys import KEY as CLIENT_KEY
from tests.host_tools.test_cloud_oidc_keys import KeyApp, key_set

ISSUER = "https://localhost:8444"
PAR = "/oidc/par"


def asked(app, **changed):
    return dict(parse_qsl(urlsplit(app.link(**changed)).query))


async def push(app, **changed):
    """The link that a browser is sent to, without anything that was pushed."""
    status, body = await app.post(PAR, **asked(app, **changed))
    assert status == 201 and body["expires_in"] == 60 and body["request_uri"].startswith(PREFIX), body
    return link(app, body["request_uri"])


def link(app, uri, **more):
    return "/oidc/authorize?" + urlencode({"client_id": app.client_id, "request_uri": uri, **more})


@pytest.fixture
async def app(rig):
    described = Described("app", "Garden App", [BACK], pushed_only=True, plain=True)
    return App(rig, await rig.parts.oidc.clients.add(described))


async def test_a_request_is_pushed_and_the_browser_brings_its_name(app, ada):
    answer = await agree(ada, await push(app, nonce="pushed"))
    assert answer["state"] == "s t/1"
    _, tokens = await app.token(answer["code"])
    assert (await app.read(tokens["id_token"]))["nonce"] == "pushed"


async def test_what_the_browser_adds_counts_for_nothing(app, ada):
    """RFC 9126 section 4: nobody on the way widens what was asked, or leads the answer away."""
    pushed = await push(app, scope="openid")
    more = urlencode({"scope": "openid email", "redirect_uri": "https://evil.example/", "state": "other"})
    page = await ada.get(f"{pushed}&{more}")
    assert "that it is you" in page.text and "your e-mail address" not in page.text
    fields = {"csrf": page.csrf, "query": f"{pushed}&{more}".partition("?")[2], "agree": "yes"}
    assert answer_in(address_on(await ada.post_raw("/oidc/consent", fields)))["state"] == "s t/1"


async def test_who_must_push_is_not_heard_otherwise(app, ada):
    _, address, _ = await follow(ada, app.link())
    answer = answer_in(address)
    assert answer["error"] == "invalid_request" and "code" not in answer


async def test_a_request_is_answered_once(app, ada):
    pushed = await push(app)
    assert "Garden App" in (await ada.get(pushed)).text  # whoever reloads the page has not answered
    assert (await agree(ada, pushed))["code"]
    status, address, text = await follow(ada, pushed)
    assert (status, address) == (400, "") and "taken too long, or was used before" in text
    refused = await push(app, prompt="consent")
    assert (await agree(ada, refused, button="other"))["error"] == "access_denied"
    assert (await follow(ada, refused))[0] == 400


async def test_of_two_answers_at_once_one_leaves(app, ada):
    pushed = await push(app)
    page = await ada.get(pushed)
    fields = {"csrf": page.csrf, "query": pushed.partition("?")[2], "agree": "yes"}
    pages = await asyncio.gather(*(ada.post_raw("/oidc/consent", fields) for _ in range(4)))
    assert sorted(page.status for page in pages) == [200, 400, 400, 400]


async def test_a_request_is_over_after_a_minute_unless_a_browser_has_brought_it(app, ada, rig):
    late, opened = await push(app), await push(app)
    await ada.get(opened)
    rig.clock.now += 61
    assert (await follow(ada, late))[0] == 400
    assert (await follow(ada, opened))[0] == 200
    rig.clock.now += SIGN_IN_S
    assert (await follow(ada, opened))[0] == 400


async def test_a_request_is_of_one_browser_and_of_one_application(app, ada, rig):
    pushed = await push(app)
    uri = dict(parse_qsl(urlsplit(pushed).query))["request_uri"]
    await rig.parts.oidc.clients.add(Described("other", "Other", [BACK], plain=True))
    assert (await follow(ada, link(App(rig, "", "other"), uri)))[0] == 400
    assert (await follow(ada, pushed))[0] == 200
    assert (await follow(rig.browser(), pushed))[0] == 400  # it was seen on the way
    assert (await follow(ada, pushed + "&client_id=app"))[0] == 400
    assert (await follow(ada, link(app, PREFIX + "guessed")))[0] == 400


async def test_whoever_signs_in_first_is_led_on(app, ada, rig):
    await agree(ada, await push(app))
    await ada.sign_out()
    assert (await ada.get(await push(app))).path == "/sign-in"
    rig.clock.now += 61
    assert "code" in answer_in(address_on(await ada.sign_in()))


async def test_what_is_wrong_is_said_at_once_to_the_application_alone(app, rig):
    other = await rig.parts.oidc.clients.add(
        Described("other", "Other", [BACK], grants=("device_code",), plain=True)
    )
    for changed, error in (
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": PREFIX + "x"}, "invalid_request"),
        ({"dpop_jkt": "short"}, "invalid_request"),
        ({"client_id": "other"}, "invalid_request"),
        ({"state": "x" * 1001}, "invalid_request"),
        ({"padding": "x" * 3000}, "invalid_request"),
    ):
        status, body = await app.post(PAR, **asked(app, **changed))
        assert (status, body["error"]) == (400, error), changed
    assert (await App(rig, "glc_x", "app").post(PAR, **asked(app)))[0] == 401
    assert (await App(rig, "", "app").post(PAR, **asked(app)))[0] == 401
    _, body = await App(rig, other, "other").post(PAR, **asked(app, client_id="other"))
    assert body["error"] == "unauthorized_client"


async def test_a_proof_that_is_pushed_binds_the_code(app, ada, rig):
    """RFC 9449 section 10.1."""
    proof = {"DPoP": proof_of(KEY, ISSUER + PAR, int(rig.clock()))}
    status, body = await app.post(PAR, headers=proof, **asked(app, dpop_jkt=OTHER.thumbprint()))
    assert (status, body["error"]) == (400, "invalid_dpop_proof")
    proof = {"DPoP": proof_of(KEY, ISSUER + PAR, int(rig.clock()))}
    status, body = await app.post(PAR, headers=proof, **asked(app))
    code = (await agree(ada, link(app, body["request_uri"])))["code"]
    assert (await app.token(code))[0] == 400
    status, body = await app.post(PAR, headers={"DPoP": proof["DPoP"]}, **asked(app))
    assert (status, body["error"]) == (400, "invalid_dpop_proof")  # it came before


async def test_strangers_do_not_fill_the_table(rig):
    await rig.parts.oidc.clients.add(Described("cli", "Garden App", [BACK], public=True, plain=True))
    app = App(rig, "", "cli")
    statuses = [(await app.post(PAR, **asked(app)))[0] for _ in range(61)]
    assert statuses == [201] * 60 + [429]


class StrictApp(KeyApp):
    """Has a key of its own, pushes, and binds."""

    async def post(self, path, **fields):
        proof = {"DPoP": proof_of(KEY, ISSUER + path, int(self.rig.clock()))}
        return await super().post(path, headers=proof, **fields)


async def test_a_strict_cloud_takes_nothing_less_from_anybody(tmp_path):
    """ASVS level 3 of 10.3.5, 10.4.5, 10.4.13, 10.4.14 and 10.4.16, however a client was registered."""
    async with Rig(tmp_path, strict_applications=True) as rig:
        clients, ada = rig.parts.oidc.clients, rig.browser()
        await ada.join()
        await clients.add(Described("app", "Garden App", [BACK], jwks=key_set(CLIENT_KEY)))
        secret = await clients.add(Described("secret", "Garden App", [BACK], plain=True))
        await clients.add(Described("cli", "Garden App", [BACK], public=True, plain=True))
        for weak in (App(rig, secret, "secret"), App(rig, "", "cli")):
            for path in (PAR, "/oidc/token", "/oidc/device", "/oidc/revoke"):
                status, body = await weak.post(path, **asked(weak))
                assert (status, body["error"]) == (401, "invalid_client"), path
        app, bare = StrictApp(rig), KeyApp(rig)
        assert "error=invalid_request" in (await follow(ada, app.link()))[1]
        code = (await agree(ada, await push(app)))["code"]
        assert (await bare.token(code))[1]["error"] == "invalid_dpop_proof"
        status, tokens = await app.token(code)
        assert status == 200 and tokens["token_type"] == "DPoP"
        access = tokens["access_token"]
        assert (await BoundApp(rig).userinfo(access))[0] == 200
        assert (await bare.userinfo(access))[0] == 401
        async with rig.parts.database.write() as session:  # a token of before
            await session.execute(update(OidcToken).values(jkt=""))
        assert (await bare.userinfo(access))[0] == 401
        assert (await BoundApp(rig).userinfo(access))[0] == 401
        page = await rig.browser()._session.get(rig.server.make_url("/.well-known/openid-configuration"))
        said = await page.json()
        assert said["require_pushed_authorization_requests"] is True
        assert said["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
