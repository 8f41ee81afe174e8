"""The provider under attack: tokens that outlive their reason, impersonated applications, spoilt requests."""

import pytest
from sqlalchemy import select, update

from host_tools.cloud.accounts.endings import drop_factors
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.oidc.described import GRANTS, Described
from host_tools.cloud.store.models import Account
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.oidc_rig import (
    BACK,
    App,
    agree,
    begin_device,
    device_token,
    enter,
    follow,
    signed_in,
)
from tests.host_tools.test_cloud_resets import reset_by_code
from tests.host_tools.test_cloud_undo import link

EMAIL = "ada@example.org"
AWAY = "openid email profile offline_access"
LOOPBACK = "http://127.0.0.1/back"


@pytest.fixture
async def app(rig):
    return App(
        rig,
        await rig.parts.oidc.clients.add(Described("app", "Garden App", [BACK], grants=GRANTS, plain=True)),
    )


async def by_new_password(rig, ada):
    fields = {"password": PASSWORD, "new_password": "seven herons on the weir"}
    assert (await ada.post("/security/password", **fields)).status == 200


async def by_reset(rig, ada):
    assert (await reset_by_code(rig, rig.browser())).path == "/routers"


async def by_undo(rig, ada):
    await ada.enrol()
    page = await rig.browser().post(await link(rig, "An authenticator was added"), password=PASSWORD)
    assert "undone" in page.text


async def by_dropping_factors(rig, ada):
    async with rig.parts.database.write() as session:
        await drop_factors(session, await session.scalar(select(Account)))


async def by_disabling(rig, ada):
    account = await rig.parts.administration.find(EMAIL)
    await rig.parts.administration.disable(account.id, "x", Visit("", "", "", rig.clock()))
    await rig.parts.administration.enable(account.id, Visit("", "", "", rig.clock()))


@pytest.mark.parametrize("take_back", [by_new_password, by_reset, by_undo, by_dropping_factors, by_disabling])
async def test_whoever_takes_an_account_back_ends_what_applications_hold(app, ada, rig, take_back):
    tokens = await signed_in(app, ada, scope=AWAY)
    waiting = (await agree(ada, app.link(prompt="consent", scope=AWAY)))["code"]
    begun = await begin_device(app)
    await enter(ada, begun["user_code"])  # let in, and not yet come for its tokens
    await take_back(rig, ada)
    assert (await app.userinfo(tokens["access_token"]))[0] == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await app.post("/oidc/token", **refresh))[0] == 400
    assert (await app.token(waiting))[0] == 400
    rig.clock.now += 11
    assert await device_token(app, begun) == "expired_token"


async def test_nothing_works_for_a_disabled_account_whenever_it_was_given(app, ada, rig):
    """As if it were given in the moment of disabling."""
    tokens = await signed_in(app, ada, scope=AWAY)
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(disabled_at=rig.clock()))
    assert (await app.userinfo(tokens["access_token"]))[0] == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await app.post("/oidc/token", **refresh))[0] == 400


async def test_a_code_is_over_with_its_session_also_for_an_application_that_stays(app, ada):
    answer = await agree(ada, app.link(scope=AWAY))
    await ada.sign_out()
    assert (await app.token(answer["code"]))[0] == 400


async def test_a_device_that_was_let_in_is_out_when_its_application_is_disconnected(app, ada, rig):
    begun = await begin_device(app)
    await enter(ada, begun["user_code"])
    await ada.post("/security/applications/app/remove", form_page="/security/applications")
    rig.clock.now += 11
    assert await device_token(app, begun) == "expired_token"


async def test_a_used_token_that_comes_again_and_again_is_noted_once(app, ada):
    tokens = await signed_in(app, ada, scope=AWAY)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    statuses = [(await app.post("/oidc/token", **refresh))[0] for _ in range(4)]
    assert statuses == [200, 400, 400, 400]
    assert (await ada.get("/security/log")).text.count("A used token of an application came again") == 1


async def test_who_may_be_impersonated_is_asked_about_each_time(rig, ada):
    """Of an app that can prove nothing anybody may take the name, and on one computer also the address."""
    described = Described("cli", "Garden App", [BACK, LOOPBACK], public=True, plain=True)
    await rig.parts.oidc.clients.add(described)
    tool = App(rig, "", "cli")
    await agree(ada, tool.link())
    for there in (BACK, "http://127.0.0.1:5123/back"):
        status, _, text = await follow(ada, tool.link(redirect_uri=there))
        assert status == 200 and "asks who you are" in text
        _, address, _ = await follow(ada, tool.link(redirect_uri=there, prompt="none"))
        assert address.startswith(there) and "error=consent_required" in address


@pytest.mark.parametrize("spoilt", ["http://127.0.0.1:5\t1/back", "http://127.0.0.1/ba\nck", " " + LOOPBACK])
async def test_an_address_on_this_computer_is_written_as_a_url(rig, ada, spoilt):
    await rig.parts.oidc.clients.add(Described("cli", "Garden App", [LOOPBACK], public=True, plain=True))
    link = App(rig, "", "cli").link(redirect_uri=spoilt, response_type="token")
    assert (await follow(ada, link))[0] == 400


@pytest.mark.parametrize(
    "path", ["/oidc/token", "/oidc/revoke", "/oidc/device", "/oidc/authorize", "/oidc/logout"]
)
@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded; charset=raw_unicode_escape", "multipart/form-data; boundary=x", ""],
)
async def test_a_form_that_is_none_of_ours_is_refused(app, rig, path, kind):
    body, headers = b"token=\\ud800&device_code=\\ud800&state=\\ud800", {"Content-Type": kind}
    url = rig.server.make_url(path)
    async with rig.browser()._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 400
