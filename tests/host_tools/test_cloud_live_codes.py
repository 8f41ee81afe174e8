"""Links, codes, tokens and addresses that go astray: each serves whom it was for, as it is served."""

import asyncio
import itertools
import json
import re
from urllib.parse import parse_qsl

import pytest

from host_tools import cli, exit_codes
from tests.fakes.push_service import PushedBrowser
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.live_stage import (  # noqa: F401 - stage is a fixture
    ADA,
    EVE,
    MORE,
    SERIAL,
    invited,
    mailed_code,
    opened,
    stage,
)  # fmt: skip
from tests.host_tools.oidc_rig import BACK, App, address_on, answer_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTERS = itertools.count(2)  # the factory makes none twice, also where a test is run once more


async def test_an_invitation_is_one_claim_of_one_account_whoever_has_its_link(stage):  # noqa: F811
    live = stage.live
    number = next(ROUTERS)
    serial_number = f"GL-{number:04}"
    credential, code = await live.make_router(serial_number, number)
    router = await live.switch_on(serial_number, credential)
    link = await invited(router, code, "1")
    pages = await asyncio.gather(*(opened(live, browser, link) for browser in (stage.ada, stage.eve)))
    assert sorted(page.status for page in pages) == [200, 410]
    winner = next(page for page in pages if page.status == 200)
    loser = stage.eve if winner is pages[0] else stage.ada
    for place in (str(winner.url), str(winner.url) + "/live"):
        assert (await loser.get(place)).status == 404
    assert (await opened(live, loser, link)).status == 410
    link = await invited(router, code, "2")
    await router.say("uninvite", invite_id="2")
    await router.hears("heartbeat_ack")  # of after it
    for browser in (stage.ada, stage.eve):
        assert (await opened(live, browser, link)).status == 410
    await router.say("invite", invite_id="3", service_code="000G40R40M30E209Z")
    assert (await router.hears("invitation"))["link"] is None


async def test_a_mailed_code_is_good_in_no_other_browser_and_for_no_other_account(stage):  # noqa: F811
    live = stage.live
    theirs, hers = live.browser(6), live.browser(7)
    for browser, email in ((theirs, ADA), (hers, EVE)):
        assert (await browser.sign_in(email)).path == "/sign-in/code"
        await browser.post("/sign-in/method", form_page="/sign-in/code", method="mail")
    codes = {email: await mailed_code(live, email) for email in (ADA, EVE)}
    for browser, code in ((theirs, codes[EVE]), (hers, codes[ADA])):
        assert (await browser.post("/sign-in/code", code=code)).status == 422
    assert (await hers.post("/sign-in/code", code=codes[EVE])).path == "/routers"
    assert (await theirs.get("/security")).path == "/sign-in"


async def registered(live, name, capsys):
    """An application, by an operator."""
    words = ["add", name, "--data", str(live.data), "--name", f"<b>{name}", "--redirect", BACK, "--plain"]
    assert await asyncio.to_thread(cli.main, ["cloud", "clients", *words]) == exit_codes.OK
    return App(live, re.search(r"glc_\S+", capsys.readouterr().out)[0], name)


async def test_no_code_of_an_application_serves_another_one(stage, capsys):  # noqa: F811
    live, ada = stage.live, stage.ada
    first, second = [await registered(live, name, capsys) for name in ("first", "second")]
    page = await ada.get(first.link())
    assert "<b>first" not in page.text and "&lt;b&gt;first" in page.text
    query = first.link().partition("?")[2]
    agreed = await ada.post_raw("/oidc/consent", {"csrf": page.csrf, "query": query, "agree": "yes"})
    answer = answer_in(address_on(agreed))
    assert answer["state"] == "s t/1" and answer["iss"] == live.url
    for thief in (second, App(live, first.secret, "second"), App(live, "", "first")):
        status, said = await thief.token(answer["code"])
        assert status in (400, 401) and "access_token" not in said
    stolen = await stage.eve.post_raw("/oidc/consent", {"csrf": page.csrf, "query": query, "agree": "yes"})
    assert stolen.status == 403
    status, begun = await first.post("/oidc/device", scope="openid")
    assert status in (200, 400)
    if status == 200:
        grant = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": begun["device_code"],
        }
        assert (await second.post("/oidc/token", **grant))[1]["error"] == "invalid_grant"


async def test_a_token_has_its_scopes_and_makes_nothing_more_of_itself(stage):  # noqa: F811
    live, ada = stage.live, stage.ada
    fields = {"name": "reads", "days": "30", "password": PASSWORD, "account:read": "yes", **MORE}
    page = await ada.post("/security/tokens", **fields)
    token = re.search(r"glp_[\w-]+", page.text)[0]
    mine = {"Authorization": f"Bearer {token}"}
    bare = live.browser(8)
    assert (await bare.get("/api/v1/account", headers=mine)).status == 200
    for path in ("/api/v1/routers", f"/api/v1/routers/{SERIAL}"):
        assert (await bare.get(path, headers=mine)).status == 403, path
    for path in (
        f"/api/v1/routers/{SERIAL}/restarts",
        "/api/v1/account",
        "/api/v1/tokens",
        "/security/tokens",
    ):
        page = await bare.post_raw(path, {"name": "more", **MORE}, headers=mine)
        assert page.status in (401, 403, 404, 405), path
    for place in (live.url + "/security", live.portal_url + "/routers", live.help_url + "/help"):
        assert "/sign-in" in str((await live.browser(8).get(place, headers=mine)).url)
    ids = re.findall(r"/security/tokens/(\w+)/revoke", (await ada.get("/security/tokens")).text)
    for each in ids:
        await ada.post(f"/security/tokens/{each}/revoke", form_page="/security/tokens", password=PASSWORD)
    assert (await bare.get("/api/v1/account", headers=mine)).status == 401


HOSTS = (
    "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "localhost",
    "[::1%25.push.example.org]", "127.0.0.1%00.push.example.org", "evil.example\\.push.example.org",
    "x@127.0.0.1", "x.push.example.org:22", "push.example.org.evil.example",
)  # fmt: skip


async def test_a_push_goes_to_no_door_that_a_browser_names_and_follows_nobody_there(stage):  # noqa: F811
    live, eve = stage.live, stage.eve
    form = {"csrf": (await eve.get("/security/push")).csrf}
    for host in HOSTS:
        subscription = PushedBrowser(f"https://{host}/push/0", None).subscription
        page = await eve.post_raw("/security/push/on", {**form, "subscription": json.dumps(subscription)})
        assert page.status == 422, host
    reached = asyncio.Event()
    door = await asyncio.start_server(lambda *_: reached.set(), "127.0.0.1", 0)
    port = door.sockets[0].getsockname()[1]
    subscription = live.pushes.browser().subscription
    await eve.post_raw("/security/push/on", {**form, "subscription": json.dumps(subscription)})
    live.pushes.status, live.pushes.headers = 307, {"Location": f"http://127.0.0.1:{port}/"}
    await live.browser(9).sign_in(EVE)  # a new browser, of which the trusted one is told
    await live.until(lambda: live.pushes.tried)
    door.close()
    await door.wait_closed()
    assert not reached.is_set() and live.pushes.refused == []


async def test_nobody_else_agrees_to_a_sign_in_or_ends_it(stage):  # noqa: F811
    """The id of the question and the number that the new browser shows have both gone astray."""
    live, ada, eve = stage.live, stage.ada, stage.eve
    other = live.browser(12)
    number = re.search(r"<strong>(\d\d)</strong>", (await other.sign_in(ADA)).text)[1]
    path = re.search(r"/approvals/\w+", (await ada.get("/terms")).text)[0]
    csrf = (await eve.get("/security")).csrf
    for deed in (path, path + "/deny"):
        assert (await eve.get(path)).status == 404
        assert (await eve.post_raw(deed, {"csrf": csrf, "number": number})).status == 404
    assert (await other.get("/security")).path == "/sign-in"
    await ada.post(path, number=number)
    assert (await other.post("/sign-in/agreed", form_page="/sign-in/code")).path == "/security"


async def test_no_question_of_an_application_has_the_cloud_call_anybody(stage, capsys):  # noqa: F811
    live, reached = stage.live, asyncio.Event()
    app = await registered(live, "caller", capsys)
    door = await asyncio.start_server(lambda *_: reached.set(), "127.0.0.1", 0)
    inside = f"http://127.0.0.1:{door.sockets[0].getsockname()[1]}/"
    for name in (
        "request_uri",
        "jwks_uri",
        "logo_uri",
        "client_uri",
        "redirect_uri",
        "id_token_hint",
        "request",
    ):
        asked_for = app.link(**{name: inside})
        await stage.ada.get(asked_for, allow_redirects=False)
        status, said = await app.post("/oidc/par", **dict(parse_qsl(asked_for.partition("?")[2])))
        assert status in (200, 201, 400), (name, said)
        page = await stage.ada.get("/oidc/logout", params={name: inside, "post_logout_redirect_uri": inside})
        assert page.status < 500 and page.url.host == "localhost"
    door.close()
    await door.wait_closed()
    assert not reached.is_set()
