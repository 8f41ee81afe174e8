"""Signing out: what applications hear of it, and where one that asks for it is led."""

import asyncio
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from host_tools.cloud.oidc.described import Described
from host_tools.cloud.oidc.logins import EVENT
from tests.host_tools.oidc_rig import AFTER, BACK, App, address_on, head_of, signed_in


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
        await rig.parts.oidc.logins.tell(http, http)
        assert receiver.heard == []
        await ada.post("/sign-out", form_page="/security")
        await rig.parts.oidc.logins.tell(http, http)
        await rig.parts.oidc.logins.tell(http, http)
        assert len(receiver.heard) == 1  # it answered 500, and is asked again later
        rig.clock.now += 11
        await rig.parts.oidc.logins.tell(http, http)
        await rig.parts.oidc.logins.tell(http, http)
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
