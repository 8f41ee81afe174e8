"""The provider, as an application sees it: questions, consent, codes."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from host_tools.cloud.oidc.described import Described
from tests.host_tools.oidc_rig import (
    BACK,
    VERIFIER,
    App,
    address_on,
    agree,
    answer_in,
    follow,
)

EMAIL = "ada@example.org"


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
