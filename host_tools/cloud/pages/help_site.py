"""Signing in and out at the help centre's own address: to the portal and back."""

from __future__ import annotations

import logging

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.help.sessions import WHOLE_S
from host_tools.cloud.help.site import HOME, HelpSite
from host_tools.cloud.outside.flow import LASTS_S
from host_tools.cloud.outside.identity import Unbelievable
from host_tools.cloud.outside.provider import Away
from host_tools.cloud.pages.guards import FORM_TYPE, refused, set_cookie
from host_tools.cloud.pages.oidc import passing_page
from host_tools.cloud.pages.render import VISIT, page

SESSION_COOKIE = "__Host-help-session"
BROWSER_COOKIE = "__Host-help-browser"
QUESTION_COOKIE = "__Host-help-question"
HELP_SITE: web.AppKey[HelpSite] = web.AppKey("help site", HelpSite)

log = logging.getLogger("cloud.help")


async def home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther(HOME)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """On to the portal, which asks nothing of those who are signed in there."""
    if request[VISIT].account is not None:
        raise web.HTTPSeeOther(HOME)
    try:
        address, cookie = await request.app[HELP_SITE].begin(request.query.get("to", ""), request[VISIT])
    except RefusedError as error:
        return page(request, "help_failed.html", errors=refused(error), status=503)
    answer = web.HTTPSeeOther(address)
    set_cookie(answer, QUESTION_COOKIE, cookie, LASTS_S)
    raise answer


async def signed_in(request: web.Request) -> web.StreamResponse:
    """Back from the portal."""
    cookie, given = request.cookies.get(QUESTION_COOKIE, ""), dict(request.query)
    try:
        token, to = await request.app[HELP_SITE].signed_in(cookie, given, request[VISIT])
    except RefusedError as error:
        failed = page(request, "help_failed.html", errors=refused(error), status=422)
        _drop(failed, QUESTION_COOKIE)
        return failed
    answer = web.HTTPSeeOther(to)
    set_cookie(answer, SESSION_COOKIE, token, WHOLE_S)
    _drop(answer, QUESTION_COOKIE)
    raise answer


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    """Out of here at once; the portal asks whether to sign out there too."""
    site, visit = request.app[HELP_SITE], request[VISIT]
    await site.sessions.end(visit.session_token or "")
    visit.account = None
    answer = passing_page(request, None, site.logout_address())
    _drop(answer, SESSION_COOKIE)
    return answer


async def signed_out(request: web.Request) -> web.StreamResponse:
    return page(request, "help_signed_out.html")


async def post_logged_out(request: web.Request) -> web.StreamResponse:
    """The portal tells that a session is over (Back-Channel Logout 1.0 section 2.5 to 2.8)."""
    if request.content_type != FORM_TYPE:
        raise web.HTTPBadRequest
    token = str((await request.post()).get("logout_token", ""))
    try:
        await request.app[HELP_SITE].logged_out(token)
    except (Unbelievable, Away) as error:
        log.warning("a logout token was refused: %s", error)
        return web.json_response({"error": "invalid_request"}, status=400)
    return web.Response()


def elsewhere(url: str):
    """The portal's own address of a page that has moved there: old links go on."""

    async def moved(request: web.Request) -> web.StreamResponse:
        raise web.HTTPSeeOther(url + request.path)

    return moved


def _drop(answer: web.StreamResponse, cookie: str) -> None:
    answer.del_cookie(cookie, path="/", secure=True, httponly=True, samesite="Lax")
