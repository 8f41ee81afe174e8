"""The provider, as an application sees it: questions, codes, tokens, logouts, devices, attacks."""

import asyncio
import base64
import hashlib
import json
import re
import secrets
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import KeySet

from host_tools import cli, exit_codes
from host_tools.cloud.oidc.described import GRANTS, Described, WrongClient
from host_tools.cloud.oidc.keys import PUBLISHED_BEFORE_S, SIGNS_S
from host_tools.cloud.oidc.logins import EVENT
from host_tools.cloud.pages.oidc_api import DEVICE_GRANT
from tests.host_tools.cloud_rig import Rig, database_url

BACK = "https://app.example.org/back"
AFTER = "https://app.example.org/bye"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
EMAIL = "ada@example.org"


class App:
    """A confidential application, as one would write it from the specifications."""

    def __init__(self, rig, secret, client_id="app"):
        self.rig, self.secret, self.client_id = rig, secret, client_id

    def link(self, **changed):
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": BACK, "state": "s t/1",
            "scope": "openid profile email", "nonce": "n-1", "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }  # fmt: skip
        kept = {name: value for name, value in {**asked, **changed}.items() if value is not None}
        return "/oidc/authorize?" + urlencode(kept)

    async def post(self, path, secret=None, headers=None, **fields):
        """Returns (status, JSON)."""
        basic = base64.b64encode(f"{self.client_id}:{secret or self.secret}".encode()).decode()
        headers = {**(headers or {}), **({"Authorization": "Basic " + basic} if self.secret else {})}
        if not self.secret:
            fields["client_id"] = self.client_id
        session = self.rig.browser()._session
        async with session.post(self.rig.server.make_url(path), data=fields, headers=headers) as answer:
            return answer.status, await answer.json()

    async def token(self, code, **changed):
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
        }
        return await self.post("/oidc/token", **{**fields, **changed})

    async def userinfo(self, access):
        session = self.rig.browser()._session
        headers = {"Authorization": f"Bearer {access}"}
        async with session.get(self.rig.server.make_url("/oidc/userinfo"), headers=headers) as answer:
            return answer.status, await answer.json()

    async def read(self, token):
        """What a token of ours says, its signature checked against the published keys."""
        page = await self.rig.browser()._session.get(self.rig.server.make_url("/oidc/jwks"))
        return jwt.decode(token, KeySet.import_key_set(await page.json()), algorithms=["RS256"]).claims


@pytest.fixture
async def app(rig):
    described = Described("app", "Garden App", [BACK], [AFTER], grants=GRANTS, plain=True)
    return App(rig, await rig.parts.oidc.clients.add(described))


async def follow(browser, link):
    """The page at the link, or the answer that the browser would carry to the application."""
    async with browser._session.get(browser._rig.server.make_url(link), allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


def answer_in(address):
    assert address.startswith(BACK), address
    return dict(parse_qsl(urlsplit(address).query))


async def agree(browser, link, button="agree"):
    """Agree on the page of consent. Returns the answer to the application."""
    page = await browser.get(link)
    assert "Garden App" in page.text and "your e-mail address" in page.text
    query = link.partition("?")[2]
    passed = await browser.post_raw("/oidc/consent", {"csrf": page.csrf, "query": query, button: "yes"})
    return answer_in(address_on(passed))


def address_on(page):
    assert 'http-equiv="refresh"' in page.text
    return re.search(r'<a class="button primary" href="([^"]+)"', page.text)[1].replace("&amp;", "&")


async def signed_in(app, ada, **changed):
    """The tokens of an application that was agreed to."""
    answer = await agree(ada, app.link(**changed))
    status, tokens = await app.token(answer["code"])
    assert status == 200, tokens
    return tokens


async def test_an_application_learns_who_it_is_and_no_more_than_was_agreed(app, ada, rig):
    answer = await agree(ada, app.link())
    assert answer["state"] == "s t/1" and answer["iss"] == "https://localhost:8444"
    status, tokens = await app.token(answer["code"])
    assert status == 200 and "refresh_token" not in tokens
    said = await app.read(tokens["id_token"])
    account_id = said["sub"]
    assert (said["iss"], said["aud"], said["nonce"]) == ("https://localhost:8444", "app", "n-1")
    assert said["exp"] > rig.clock() >= said["auth_time"] and len(said["sid"]) == 32
    _, told = await app.userinfo(tokens["access_token"])
    assert told == {
        "sub": account_id, "name": "Ada Bell", "given_name": "Ada", "family_name": "Bell",
        "email": EMAIL, "email_verified": True,
    }  # fmt: skip


async def test_consent_is_asked_once_and_again_for_more(app, ada):
    narrow = app.link(scope="openid")
    page = await ada.get(narrow)
    assert "that it is you" in page.text and "your e-mail address" not in page.text
    fields = {"csrf": page.csrf, "query": narrow.partition("?")[2], "agree": "yes"}
    answer = answer_in(address_on(await ada.post_raw("/oidc/consent", fields)))
    _, tokens = await app.token(answer["code"])
    _, told = await app.userinfo(tokens["access_token"])
    assert set(told) == {"sub"}
    status, address, _ = await follow(ada, narrow)
    assert status == 303 and "code" in answer_in(address)
    status, _, text = await follow(ada, app.link())
    assert status == 200 and "your e-mail address" in text


async def test_no_is_an_answer(app, ada):
    answer = await agree(ada, app.link(), button="other")
    assert answer["error"] == "access_denied" and "code" not in answer


async def test_a_stranger_signs_in_and_is_led_on(app, ada, rig):
    await agree(ada, app.link())
    await ada.sign_out()
    status, address, _ = await follow(ada, app.link())
    assert (status, address) == (303, "/sign-in?done=going")
    page = await ada.sign_in()
    assert "code" in answer_in(address_on(page))
    assert (await ada.get("/routers")).path == "/routers"  # once


async def test_a_part_of_gatelodge_asks_nobody(rig, ada):
    secret = await rig.parts.oidc.clients.add(Described("help", "Help centre", [BACK], ours=True, plain=True))
    status, address, _ = await follow(ada, App(rig, secret, "help").link())
    assert status == 303 and "code" in answer_in(address)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "smile"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"nonce": "n" * 201}, "invalid_request"),
        ({"nonce": "a\nb"}, "invalid_request"),
        ({"request": "ey.."}, "request_not_supported"),
        ({"request_uri": "https://x"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
async def test_a_wrong_question_is_answered_at_the_application(app, ada, changed, error):
    status, address, _ = await follow(ada, app.link(**changed))
    answer = answer_in(address)
    assert status == 303 and answer["error"] == error
    assert answer.get("state", "s t/1") == "s t/1" and answer["iss"]


async def test_a_parameter_that_comes_twice_is_refused(app, ada):
    _, address, _ = await follow(ada, app.link() + "&scope=openid")
    assert answer_in(address)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://app.example.org/back/"},
        {"redirect_uri": "https://app.example.org/back?x=1"},
        {"redirect_uri": "https://app.example.org.evil.example/back"},
        {"redirect_uri": "https://app.example.org@evil.example/back"},
        {"redirect_uri": "javascript:alert(1)//"},
        {"redirect_uri": None},
    ],
)
async def test_nobody_is_sent_to_an_address_that_was_not_registered(app, ada, changed):
    status, address, text = await follow(ada, app.link(**changed))
    assert (status, address) == (400, "") and "evil" not in text


async def test_an_app_on_this_computer_may_listen_at_any_port(rig, ada):
    await rig.parts.oidc.clients.add(
        Described("cli", "Tool", ["http://127.0.0.1/back"], public=True, ours=True, plain=True)
    )
    tool = App(rig, "", "cli")
    statuses = {
        "http://127.0.0.1:5123/back": 200,  # it is asked about: another program may listen there
        "http://127.0.0.1:5123/other": 400,
        "http://127.0.0.1@evil.example/back": 400,
        "http://localhost:1/back": 400,
    }
    for address, status in statuses.items():
        assert (await follow(ada, tool.link(redirect_uri=address)))[0] == status


async def test_without_a_session_prompt_none_says_login_required(app, rig):
    _, address, _ = await follow(rig.browser(), app.link(prompt="none"))
    assert answer_in(address)["error"] == "login_required"


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}])
async def test_who_must_sign_in_again_does_and_is_let_on(app, ada, rig, asked):
    await agree(ada, app.link())
    rig.clock.now += 600
    page = await ada.get(app.link(**asked))
    assert "Sign in again" in page.text
    query = app.link(**asked).partition("?")[2]
    assert (await ada.post_raw("/oidc/again", {"csrf": page.csrf, "query": query})).path == "/sign-in"
    answer = answer_in(address_on(await ada.sign_in()))
    _, tokens = await app.token(answer["code"])
    assert (await app.read(tokens["id_token"]))["auth_time"] >= rig.clock() - 1


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
        {"redirect_uri": "https://app.example.org/other"},
        {"code": "x" * 43},
        {"grant_type": "password"},
        {"grant_type": None},
    ],
)
async def test_a_code_is_worth_nothing_without_all_that_belongs_to_it(app, ada, changed):
    answer = await agree(ada, app.link())
    fields = {name: value for name, value in changed.items() if value is not None}
    absent = [name for name, value in changed.items() if value is None]
    whole = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": BACK,
             "code_verifier": VERIFIER, **fields}  # fmt: skip
    status, body = await app.post("/oidc/token", **{k: v for k, v in whole.items() if k not in absent})
    assert status == 400 and "error" in body and "access_token" not in body


async def test_a_code_is_tried_once_and_its_second_use_ends_the_tokens(app, ada):
    answer = await agree(ada, app.link())
    _, tokens = await app.token(answer["code"])
    assert (await app.userinfo(tokens["access_token"]))[0] == 200
    status, body = await app.token(answer["code"])
    assert (status, body["error"]) == (400, "invalid_grant")
    assert (await app.userinfo(tokens["access_token"]))[0] == 401


async def test_a_code_is_over_after_a_minute_and_is_nobody_elses(app, ada, rig):
    secret = await rig.parts.oidc.clients.add(Described("thief", "Thief", [BACK], plain=True))
    answer = await agree(ada, app.link())
    assert (await App(rig, secret, "thief").token(answer["code"]))[0] == 400
    rig.clock.now += 61
    assert (await app.token(answer["code"]))[0] == 400


async def test_a_wrong_secret_is_refused_and_then_held_back(app, ada):
    answer = await agree(ada, app.link())
    status, body = await app.token(answer["code"], secret="glc_wrong")
    assert (status, body["error"]) == (401, "invalid_client")
    for _ in range(30):
        status, _ = await app.token("x", secret="glc_wrong")
    assert status == 429
    assert (await app.token(answer["code"]))[0] == 200  # the right one was never held back


async def test_refresh_tokens_turn_and_a_used_one_ends_the_family(app, ada):
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    first = tokens["refresh_token"]
    refresh = {"grant_type": "refresh_token"}
    status, second = await app.post("/oidc/token", **refresh, refresh_token=first)
    assert status == 200 and second["refresh_token"] != first
    assert "nonce" not in await app.read(second["id_token"])
    status, _ = await app.post("/oidc/token", **refresh, refresh_token=first)  # somebody has a copy
    assert status == 400
    assert (await app.post("/oidc/token", **refresh, refresh_token=second["refresh_token"]))[0] == 400
    assert (await app.userinfo(second["access_token"]))[0] == 401
    assert "A used token of an application came again" in (await ada.get("/security/log")).text


async def test_two_who_refresh_at_once_get_one_pair(app, ada):
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(app.post("/oidc/token", **fields) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400]


async def test_a_refresh_cannot_ask_for_more(app, ada):
    tokens = await signed_in(app, ada, scope="openid email offline_access")
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    status, body = await app.post("/oidc/token", **fields, scope="openid profile")
    assert (status, body["error"]) == (400, "invalid_scope")
    assert (await app.post("/oidc/token", **fields, scope="openid"))[0] == 200


async def test_a_revoked_token_is_void_and_anothers_is_left_alone(app, ada, rig):
    secret = await rig.parts.oidc.clients.add(Described("other", "Other", [BACK], plain=True))
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    assert (await App(rig, secret, "other").post("/oidc/revoke", token=tokens["refresh_token"]))[0] == 200
    assert (await app.userinfo(tokens["access_token"]))[0] == 200
    assert (await app.post("/oidc/revoke", token=tokens["refresh_token"]))[0] == 200
    assert (await app.userinfo(tokens["access_token"]))[0] == 401


async def test_tokens_end_with_the_session_unless_offline_was_agreed_to(app, ada):
    kept = await signed_in(app, ada, scope="openid email profile offline_access")
    ended = await signed_in(app, ada, prompt="consent")
    await ada.sign_out()
    assert (await app.userinfo(ended["access_token"]))[0] == 401
    assert (await app.userinfo(kept["access_token"]))[0] == 200


async def test_a_person_disconnects_an_application_and_its_tokens_are_void(app, ada):
    tokens = await signed_in(app, ada, scope="openid email profile offline_access")
    page = await ada.get("/security/applications")
    assert "Garden App" in page.text and "your name" in page.text
    page = await ada.post("/security/applications/app/remove", form_page="/security/applications")
    assert "Garden App" not in page.text.replace("The application", "")
    assert (await app.userinfo(tokens["access_token"]))[0] == 401
    fields = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await app.post("/oidc/token", **fields))[0] == 400


async def test_the_keys_turn_and_what_the_old_one_signed_is_still_read(app, ada, rig):
    tokens = await signed_in(app, ada)
    keys = rig.parts.oidc.keys
    first = [key["kid"] for key in (await keys.public())["keys"]]
    assert len(first) == 1
    rig.clock.now += SIGNS_S + 1
    await keys.refresh()
    both = [key["kid"] for key in (await keys.public())["keys"]]
    assert len(both) == 2  # known before it signs
    assert head_of(await keys.sign({}))["kid"] == first[0]
    rig.clock.now += PUBLISHED_BEFORE_S
    assert head_of(await keys.sign({}))["kid"] == (set(both) - set(first)).pop()
    assert (await app.read(tokens["id_token"]))["aud"] == "app"
    rig.clock.now += 3 * 24 * 3600
    await keys.refresh()
    assert [key["kid"] for key in (await keys.public())["keys"]] == [key for key in both if key not in first]
    assert all("d" not in key and "p" not in key for key in (await keys.public())["keys"])


def head_of(token):
    text = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class Receiver:
    """An application's address for logouts, on this computer."""

    def __init__(self):
        self.heard, self.statuses = [], []
        self.came = asyncio.Event()

    async def take(self, request):
        self.heard.append((await request.post())["logout_token"])
        self.came.set()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def server(self):
        server = web.Application()
        server.router.add_post("/logout", self.take)
        return TestServer(server)


async def test_applications_hear_when_a_session_is_over(rig, ada):
    receiver = Receiver()
    receiver.statuses = [500]
    async with receiver.server as server, ClientSession() as http:
        described = Described(
            "app", "Garden App", [BACK], logout_uri=str(server.make_url("/logout")), plain=True
        )
        app = App(rig, await rig.parts.oidc.clients.add(described))
        tokens = await signed_in(app, ada)
        sid = (await app.read(tokens["id_token"]))["sid"]
        await rig.parts.oidc.logins.tell(http)
        assert receiver.heard == []
        await ada.post("/sign-out", form_page="/security")
        await rig.parts.oidc.logins.tell(http)
        await rig.parts.oidc.logins.tell(http)
        assert len(receiver.heard) == 1  # it answered 500, and is asked again later
        rig.clock.now += 11
        await rig.parts.oidc.logins.tell(http)
        await rig.parts.oidc.logins.tell(http)
    assert len(receiver.heard) == 2
    said = await app.read(receiver.heard[1])
    assert (said["sid"], said["aud"], said["events"]) == (sid, "app", {EVENT: {}})
    assert "nonce" not in said and head_of(receiver.heard[1])["typ"] == "logout+jwt"


async def test_signing_out_at_an_application_asks_and_leads_back(app, ada):
    tokens = await signed_in(app, ada)
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "x"}
    page = await ada.get("/oidc/logout?" + urlencode(asked))
    assert "Garden App" in page.text and (await ada.get("/routers")).path == "/routers"
    fields = {"csrf": page.csrf, "query": urlencode(asked)}
    done = await ada.post_raw("/oidc/logout/confirm", fields)
    assert address_on(done) == f"{AFTER}?state=x"
    assert (await ada.get("/routers")).path == "/sign-in"


@pytest.mark.parametrize("address", ["https://evil.example/", AFTER + "/", ""])
async def test_a_logout_leads_to_no_other_address(app, ada, address):
    asked = urlencode({"client_id": "app", "post_logout_redirect_uri": address})
    page = await ada.get("/oidc/logout?" + asked)
    done = await ada.post_raw("/oidc/logout/confirm", {"csrf": page.csrf, "query": asked})
    assert "You are signed out" in done.text and "evil" not in done.text


async def test_a_link_alone_signs_nobody_out(app, ada):
    await ada.get("/oidc/logout?client_id=app")
    assert (await ada.get("/routers")).path == "/routers"
    assert (await ada.post_raw("/oidc/logout/confirm", {"query": ""})).status == 403


async def begin_device(app):
    status, begun = await app.post("/oidc/device", scope="openid email offline_access")
    assert status == 200 and begun["verification_uri_complete"].endswith(begun["user_code"])
    return begun


async def device_token(app, begun):
    status, body = await app.post("/oidc/token", grant_type=DEVICE_GRANT, device_code=begun["device_code"])
    return body.get("error", status)


async def enter(browser, code, button="agree"):
    page = await browser.post("/device", user_code=code)
    assert page.status == 200 and "Garden App" in page.text and "in front of you" in page.text
    device = re.search(r'name="device" value="([0-9a-f]+)"', page.text)[1]
    return await browser.post_raw("/device/answer", {"csrf": page.csrf, "device": device, button: "yes"})


async def test_a_device_is_let_in_by_its_code(app, ada, rig):
    begun = await begin_device(app)
    assert await device_token(app, begun) == "authorization_pending"
    assert await device_token(app, begun) == "slow_down"
    assert "The device is in" in (await enter(ada, begun["user_code"].lower().replace("-", " "))).text
    rig.clock.now += 11
    assert await device_token(app, begun) == 200
    rig.clock.now += 11
    assert await device_token(app, begun) == "expired_token"
    assert "Garden App" in (await ada.get("/security/applications")).text


async def test_a_device_that_was_refused_or_is_late_stays_out(app, ada, rig):
    refused, late = await begin_device(app), await begin_device(app)
    assert "stays out" in (await enter(ada, refused["user_code"], "no")).text
    assert await device_token(app, refused) == "access_denied"
    rig.clock.now += 601
    assert await device_token(app, late) == "expired_token"
    assert (await ada.post("/device", user_code=late["user_code"])).status == 422


async def test_a_devices_code_cannot_be_guessed_at_a_rate(app, ada):
    pages = [await ada.post("/device", user_code="BCDF-GHJK") for _ in range(12)]
    assert [page.status for page in pages] == [422] * 10 + [429] * 2


async def test_whoever_has_to_sign_in_first_finds_the_code_again(app, ada):
    begun = await begin_device(app)
    await ada.sign_out()
    await ada.get(urlsplit(begun["verification_uri_complete"])._replace(scheme="", netloc="").geturl())
    page = await ada.sign_in()
    assert page.path == "/device" and begun["user_code"] in page.text


async def test_no_cookie_counts_where_machines_ask(app, ada):
    """A form of another site, sent by a browser that is signed in, is a stranger's."""
    page = await ada.post_raw("/oidc/authorize", dict(parse_qsl(urlsplit(app.link()).query)),
                              headers={"Origin": "https://evil.example"}, allow_redirects=False)  # fmt: skip
    assert page.status == 303 and page.headers["Location"].startswith("/oidc/authorize?")
    assert "Set-Cookie" not in page.headers


async def test_the_discovery_document_names_what_is_there(app, rig):
    session = rig.browser()._session
    async with session.get(rig.server.make_url("/.well-known/openid-configuration")) as answer:
        said = await answer.json()
    assert said["issuer"] == "https://localhost:8444"
    for name, address in said.items():
        if name.endswith(("_endpoint", "_uri")):
            path = address.removeprefix(said["issuer"])
            async with session.post(rig.server.make_url(path), data={}, allow_redirects=False) as answer:
                assert answer.status != 404, name


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"id": "No"}, "small letters"),
        ({"name": " "}, "has a name"),
        ({"redirect_uris": []}, "at least one"),
        ({"redirect_uris": ["http://app.example.org/"]}, "https"),
        ({"redirect_uris": ["https://a.example/#x"]}, "fragment"),
        ({"redirect_uris": ["https://u:p@a.example/"]}, "holds a user"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "https"),
        ({"redirect_uris": ["https://a.example/\nb"]}, "such as a URL has"),
        ({"scope": ["openid", "all"]}, "no scope all"),
        ({"scope": ["email"]}, "openid"),
        ({"logout_uri": "org.example.app://x"}, "https"),
        ({"logout_uri": "http.example.app://x"}, "https"),
    ],
)
async def test_a_client_that_cannot_be_registered_is_told_why(rig, changed, fault):
    described = Described("app", "Garden App", [BACK], plain=True)._replace(**changed)
    with pytest.raises(WrongClient, match=fault):
        await rig.parts.oidc.clients.add(described)


async def test_an_operator_registers_a_client_by_the_console(tmp_path, capsys):
    async with Rig(tmp_path):
        (tmp_path / "secrets.key").write_bytes(b"m" * 32)
    verb = ["cloud", "clients"]
    where = ["--data", str(tmp_path), "--database", database_url(tmp_path)]
    described = ["--name", "Garden App", "--redirect", BACK, "--plain"]

    async def run(*words):
        return await asyncio.to_thread(cli.main, [*verb, *words, *where])

    assert await run("add", "garden", *described) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("glc_")
    assert await run("add", "garden", *described) == exit_codes.USAGE
    assert await run("list") == 0
    listed = capsys.readouterr().out
    assert "Garden App" in listed and BACK in listed and secret not in listed
    assert await run("secret", "garden") == 0
    assert capsys.readouterr().out.strip() != secret
    assert await run("remove", "garden") == 0
    assert await run("remove", "garden") == exit_codes.USAGE
    assert await run("secret") == exit_codes.USAGE
