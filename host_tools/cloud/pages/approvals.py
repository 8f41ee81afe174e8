"""The page of a trusted browser on which the sign-in of a new one is agreed to, or ended."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import APPROVAL, VISIT, page
from host_tools.cloud.parts import PARTS


async def approval(request: web.Request) -> web.StreamResponse:
    return await _page(request, {})


async def post_approval(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.NUMBER,))
    if filled.errors:
        return await _page(request, filled.errors, 422)
    try:
        await request.app[PARTS].approvals.agree(
            request.match_info["id"], filled.values["number"], request[VISIT]
        )
    except RefusedError as error:
        return await _page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/routers?done=agreed")


async def post_deny(request: web.Request) -> web.StreamResponse:
    await request.app[PARTS].approvals.deny(request.match_info["id"], request[VISIT])
    raise web.HTTPSeeOther("/security/password?done=not-me")


async def _page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    parts = request.app[PARTS]
    row = await parts.approvals.view(request.match_info["id"], request[VISIT])
    request[APPROVAL] = None  # this page is what the notice leads to
    place = parts.places.of(row.address)
    return page(request, "approval.html", row=row, place=place, errors=errors, status=status)
