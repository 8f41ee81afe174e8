"""Pages of an account's routers: the list, registering one, one router, restart and release."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud import links
from host_tools.cloud.accounts.errors import RefusedError, ThrottledError
from host_tools.cloud.delivery.texts import router_change
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.cookies import own_cookie, set_cookie
from host_tools.cloud.pages.going import going
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.opened import Opened
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.words import router_words, warranty_words
from host_tools.cloud.parts import PARTS
from host_tools.cloud.routers.claims import APPROVED
from host_tools.cloud.routers.invitations import INVITED_S
from host_tools.cloud.routers.ownership import RouterView
from host_tools.cloud.routers.results import said

INVITED_COOKIE = "__Host-cloud-invited"  # the code of the link that somebody opened who has to sign in first


async def overview(request: web.Request) -> web.StreamResponse:
    """Where everybody arrives who has signed in: whoever came by a link goes on to it."""
    if links.parsed(own_cookie(request, INVITED_COOKIE)):
        raise web.HTTPSeeOther("/routers/invited")
    if going(request):
        raise web.HTTPSeeOther("/oidc/resume")
    parts, visit = request.app[PARTS], request[VISIT]
    views = await parts.ownership.routers(visit.signed_in.id)
    rows = [(view, router_words(view, visit.now)) for view in views]
    claim = await parts.claims.waiting(visit.signed_in.id, visit.now)
    return page(request, "routers.html", rows=rows, live=parts.live, claim=claim)


async def register(request: web.Request) -> web.StreamResponse:
    return page(request, "register.html", form=forms.empty((forms.SERVICE_CODE,)))


async def post_register(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.SERVICE_CODE,))
    if filled.errors:
        return page(request, "register.html", form=filled, status=422)
    try:
        claim_id = await request.app[PARTS].claims.begin(filled.values["service_code"], request[VISIT])
    except RefusedError as error:
        return page(
            request, "register.html", form=filled._replace(errors=refused(error)), status=status_of(error)
        )
    raise web.HTTPSeeOther(f"/routers/claims/{claim_id}")


async def invited(request: web.Request) -> web.StreamResponse:
    """The link of a router's own page. Who had to sign in first has come back with its code."""
    code = links.parsed(own_cookie(request, INVITED_COOKIE))
    if not code or request[VISIT].account is None:
        return await INVITED.get(request)
    answer = await _look(request, code)
    answer.del_cookie(INVITED_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    return answer


async def _look(request: web.Request, code: str) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    if visit.account is None:
        raise _sign_in_first(code)
    router = await parts.invitations.router(code, visit.now)
    return page(request, "invited.html", router=router, code=code, errors={}, status=200 if router else 410)


async def _begin(request: web.Request, code: str) -> web.StreamResponse:
    visit = request[VISIT]
    if visit.account is None:
        raise _sign_in_first(code)
    try:
        claim_id = await request.app[PARTS].claims.begin_invited(code, visit)
    except RefusedError as error:
        status = 429 if isinstance(error, ThrottledError) else 410
        return page(request, "invited.html", router=None, errors=refused(error), status=status)
    raise web.HTTPSeeOther(f"/routers/claims/{claim_id}")


def _sign_in_first(code: str) -> web.HTTPSeeOther:
    answer = web.HTTPSeeOther("/sign-in?done=invited")
    set_cookie(answer, INVITED_COOKIE, code, INVITED_S)
    return answer


INVITED = Opened(N_("Register a router"), _look, _begin)


async def claim(request: web.Request) -> web.StreamResponse:
    visit = request[VISIT]
    found = await request.app[PARTS].claims.view(
        request.match_info["claim_id"], visit.signed_in.id, visit.now
    )
    if found is None:
        raise web.HTTPNotFound
    if found.state == APPROVED:
        return page(request, "claim_approved.html", claim=found)
    return page(request, "claim.html", claim=found, remaining_s=max(0, int(found.expires_at - visit.now)))


async def router(request: web.Request) -> web.StreamResponse:
    return await _router_page(request, await require_router(request))


async def restart(request: web.Request) -> web.StreamResponse:
    return page(request, "restart.html", view=await require_router(request), errors={})


async def post_restart(request: web.Request) -> web.StreamResponse:
    view = await require_router(request)
    try:
        await request.app[PARTS].ownership.reboot(view.router.serial_number, request[VISIT])
    except RefusedError as error:
        return page(request, "restart.html", view=view, errors=refused(error), status=status_of(error))
    raise web.HTTPSeeOther(f"/routers/{view.router.serial_number}")


async def release(request: web.Request) -> web.StreamResponse:
    return page(request, "release.html", view=await require_router(request), errors={})


async def post_release(request: web.Request) -> web.StreamResponse:
    """The router goes: the password is asked again, however young the session."""
    view = await require_router(request)
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    parts, visit = request.app[PARTS], request[VISIT]
    if filled.errors:
        return page(request, "release.html", view=view, errors=filled.errors, status=422)
    try:
        await parts.factors.again.check("release a router", filled.values["password"], visit)
    except RefusedError as error:
        return page(request, "release.html", view=view, errors=refused(error), status=status_of(error))
    await parts.ownership.release(view.router.serial_number, visit)
    raise web.HTTPSeeOther("/routers?done=released")


async def require_router(request: web.Request) -> RouterView:
    """This account's router, read from the database; else there is nothing at this address."""
    serial_number = request.match_info["serial_number"]
    view = await request.app[PARTS].ownership.router(serial_number, request[VISIT].signed_in.id)
    if view is None:
        raise web.HTTPNotFound
    return view


async def _router_page(request: web.Request, view: RouterView) -> web.Response:
    parts, visit = request.app[PARTS], request[VISIT]
    commands = await parts.ownership.commands(view.router.serial_number, visit.signed_in.id)
    words, covered = router_words(view, visit.now), warranty_words(view.router, visit.now)
    return page(
        request,
        "router.html",
        view=view,
        words=words,
        warranty=covered,
        commands=commands,
        told=said,
        undos=await parts.undos.of_router(view.router.serial_number, visit),
        what=router_change,
        live=parts.live,
    )
