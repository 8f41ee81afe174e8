"""Signing in and out at the own address of a site of ours: to the account and back."""

from __future__ import annotations

import logging

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.outside.flow import LASTS_S
from host_tools.cloud.outside.identity import Unbelievable
from host_tools.cloud.outside.provider import Away
from host_tools.cloud.pages import arriving
from host_tools.cloud.pages.cookies import own_cookie, set_cookie
from host_tools.cloud.pages.going import going
from host_tools.cloud.pages.guards import refused
from host_tools.cloud.pages.oidc import passing_page
from host_tools.cloud.pages.over import leave
from host_tools.cloud.pages.render import NOTICES, VISIT, page
from host_tools.cloud.sites.client import SiteClient
from host_tools.cloud.sites.sessions import WHOLE_S

CLIENT: web.AppKey[SiteClient] = web.AppKey("client", SiteClient)

log = logging.getLogger("cloud.sites")


async def home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther(request.app[CLIENT].kind.home)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """On to the account, which asks nothing of those who are signed in there."""
    client, visit = request.app[CLIENT], request[VISIT]
    if visit.account is not None:
        raise web.HTTPSeeOther(client.kind.home)
    try:
        address, cookie = await client.begin(request.query.get("to", ""), visit)
    except RefusedError as error:
        return page(request, "site_failed.html", errors=refused(error), status=503)
    raise _to_the_account(client, address, cookie)


async def prove(request: web.Request) -> web.StreamResponse:
    """On to the account, which asks again who it is, and back to the page of something sensitive."""
    client = request.app[CLIENT]
    try:
        address, cookie = await client.prove(request.query.get("next", ""), request[VISIT])
    except RefusedError as error:
        return page(request, "site_failed.html", errors=refused(error), status=503)
    raise _to_the_account(client, address, cookie)


def _to_the_account(client: SiteClient, address: str, cookie: str) -> web.HTTPSeeOther:
    answer = web.HTTPSeeOther(address)
    set_cookie(answer, client.kind.question_cookie, cookie, LASTS_S)
    return answer


async def signed_in(request: web.Request) -> web.StreamResponse:
    """Back from the account."""
    client = request.app[CLIENT]
    asked, given = own_cookie(request, client.kind.question_cookie), dict(request.query)
    try:
        token, to = await client.signed_in(asked, given, request[VISIT])
    except RefusedError as error:
        failed = page(request, "site_failed.html", errors=refused(error), status=422)
        _drop(failed, client.kind.question_cookie)
        return failed
    answer = web.HTTPSeeOther(to)
    set_cookie(answer, client.kind.session_cookie, token, WHOLE_S)
    _drop(answer, client.kind.question_cookie)
    raise answer


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    """Out of here at once; the account asks whether to sign out there too."""
    client, visit = request.app[CLIENT], request[VISIT]
    await client.sessions.end(visit.session_token or "")
    visit.account = None
    return leave(passing_page(request, None, client.logout_address()), client.kind.session_cookie)


async def signed_out(request: web.Request) -> web.StreamResponse:
    kind = request.app[CLIENT].kind
    return page(request, "site_signed_out.html", said_out=kind.signed_out, home=kind.home)


async def post_logged_out(request: web.Request) -> web.StreamResponse:
    """The account tells that a session is over (Back-Channel Logout 1.0 section 2.5 to 2.8)."""
    try:
        token = str((await arriving.form(request)).get("logout_token", ""))
    except ValueError:
        raise web.HTTPBadRequest from None
    try:
        await request.app[CLIENT].logged_out(token)
    except (Unbelievable, Away) as error:
        log.warning("a logout token was refused: %s", error)
        return web.json_response({"error": "invalid_request"}, status=400)
    return web.Response()


def elsewhere(url: str):
    """The account's own address of a page that has moved to `url`: old links go on."""

    async def moved(request: web.Request) -> web.StreamResponse:
        raise web.HTTPSeeOther(url + request.path)

    return moved


def arrival(url: str, home: str):
    """Where forms of the account lead in the end, such as a sign-in's. They lead to no other site
    (form-action): a page goes on there by itself."""

    async def arrived(request: web.Request) -> web.StreamResponse:
        if going(request):
            raise web.HTTPSeeOther("/oidc/resume")
        done = request.query.get("done", "")
        return passing_page(request, None, url + home + (f"?done={done}" if done in NOTICES else ""))

    return arrived


def _drop(answer: web.StreamResponse, cookie: str) -> None:
    answer.del_cookie(cookie, path="/", secure=True, httponly=True, samesite="Lax")
