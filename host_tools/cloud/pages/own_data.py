"""Pages of a person's own data, and of what waits to happen to the account."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import KINDS
from host_tools.cloud.accounts.waiting import DELETION, KINDS_OF_CHANGE
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.opened import Opened
from host_tools.cloud.pages.passkeys_only import PAGE, is_due
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

DELETE = (forms.OWN_PASSWORD, forms.SURE)
FILE = "gatelodge-data.zip"


async def own_data(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def post_export(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    errors, status = filled.errors, 422
    if not errors:
        try:
            content = await request.app[PARTS].own_data.export(filled.values["password"], request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return await _page(request, export_errors=errors, status=status)
    headers = {"Content-Disposition": f'attachment; filename="{FILE}"'}
    return web.Response(body=content, content_type="application/zip", headers=headers)


async def post_delete(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, DELETE)
    errors, status = filled.errors, 422
    if not errors:
        try:
            await request.app[PARTS].own_data.ask_deletion(filled.values["password"], request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return await _page(request, delete_errors=errors, status=status)
    raise web.HTTPSeeOther("/profile/data?done=deletion-asked")


async def post_stop(request: web.Request) -> web.StreamResponse:
    """By whoever is signed in."""
    filled = await forms.read(request, (forms.KIND,))
    visit = request[VISIT]
    if filled.values["kind"] in KINDS_OF_CHANGE:
        await request.app[PARTS].waiting.stop(visit.signed_in.id, filled.values["kind"], visit)
    raise web.HTTPSeeOther(f"{PAGE if is_due(request) else '/security'}?done=stopped")


async def _look(request: web.Request, code: str) -> web.StreamResponse:
    found = await request.app[PARTS].waiting.by_link(code)
    if found is None:
        return page(request, "waiting_over.html", status=410)
    what = KINDS[KINDS_OF_CHANGE[found.kind].asked]
    return page(request, "waiting.html", row=found, what=what, code=code)


async def _stop(request: web.Request, code: str) -> web.StreamResponse:
    parts = request.app[PARTS]
    found = await parts.waiting.by_link(code)
    if found is None or not await parts.waiting.stop(found.account_id, found.kind, request[VISIT]):
        return page(request, "waiting_over.html", status=410)
    return page(request, "waiting_stopped.html", due=is_due(request))


WAITING = Opened(N_("Stop it"), _look, _stop)


async def _page(
    request: web.Request,
    export_errors: dict[str, str] | None = None,
    delete_errors: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    waits = await request.app[PARTS].waiting.of(request[VISIT].signed_in.id)
    return page(
        request,
        "own_data.html",
        deletion=next((row for row in waits if row.kind == DELETION), None),
        routers=len(await request.app[PARTS].ownership.routers(request[VISIT].signed_in.id)),
        export_errors=export_errors or {},
        delete_errors=delete_errors or {},
        status=status,
    )
