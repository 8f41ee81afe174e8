"""The page of the applications that an account is connected to."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import NotTheirsError
from host_tools.cloud.oidc.claims import SCOPE_WORDS
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS


async def applications(request: web.Request) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    rows = await parts.oidc.consents.all(visit.signed_in.id)
    return page(request, "applications.html", rows=rows, words=SCOPE_WORDS)


async def post_remove_application(request: web.Request) -> web.StreamResponse:
    parts = request.app[PARTS]
    if not await parts.oidc.consents.disconnect(request.match_info["id"], request[VISIT]):
        raise NotTheirsError
    raise web.HTTPSeeOther("/security/applications?done=application-removed")
