"""Pages of the desk, for support staff (guards.for_staff)."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.help import roles, states
from host_tools.cloud.pages import forms, report_words
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.help import WORDS, download
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.words import router_words, warranty_words
from host_tools.cloud.parts import PARTS
from host_tools.cloud.routers.ownership import RouterView


async def overview(request: web.Request) -> web.StreamResponse:
    asked = request.query.get("state", states.WAITING)
    state = asked if asked in states.STATES else states.WAITING
    found = await request.app[PARTS].desk.list(state)
    return page(request, "desk.html", requests=found, state=state, words=WORDS)


async def opened(request: web.Request) -> web.StreamResponse:
    return await _page(request, {})


async def post_answer(request: web.Request) -> web.StreamResponse:
    filled, status = await forms.read(request, (forms.HELP_TEXT,)), 422
    errors = filled.errors
    if not errors:
        try:
            desk = request.app[PARTS].desk
            await desk.answer(request.match_info["id"], filled.values["text"], request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
        else:
            raise web.HTTPSeeOther("/desk?done=desk-answered")
    return await _page(request, errors, filled.values["text"], status=status)


async def post_note(request: web.Request) -> web.StreamResponse:
    filled, request_id = await forms.read(request, (forms.HELP_NOTE,)), request.match_info["id"]
    if filled.errors:
        return await _page(request, filled.errors, note=filled.values["note"], status=422)
    await request.app[PARTS].desk.note(request_id, filled.values["note"], request[VISIT])
    raise web.HTTPSeeOther(f"/desk/{request_id}")


async def post_close(request: web.Request) -> web.StreamResponse:
    try:
        await request.app[PARTS].desk.close(request.match_info["id"], request[VISIT])
    except RefusedError as error:
        return await _page(request, refused(error), status=status_of(error))
    raise web.HTTPSeeOther("/desk?done=desk-closed")


async def post_reopen(request: web.Request) -> web.StreamResponse:
    request_id = request.match_info["id"]
    try:
        await request.app[PARTS].desk.reopen(request_id, request[VISIT])
    except RefusedError as error:
        return await _page(request, refused(error), status=status_of(error))
    raise web.HTTPSeeOther(f"/desk/{request_id}")


async def post_remove(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.SURE,))
    if filled.errors:
        return await _page(request, filled.errors, status=422)
    await request.app[PARTS].desk.remove(request.match_info["id"], request[VISIT])
    raise web.HTTPSeeOther("/desk?done=desk-removed")


async def file(request: web.Request) -> web.StreamResponse:
    place = request.match_info
    return download(await request.app[PARTS].desk.file(place["id"], place["file_id"], request[VISIT]))


async def report(request: web.Request) -> web.StreamResponse:
    place, desk = request.match_info, request.app[PARTS].desk
    asked, found, kept = await desk.report(place["id"], place["report_id"], request[VISIT])
    sections = report_words.told(kept.content) if kept else []
    return page(
        request, "desk_report.html", asked=asked, report=found, file=kept, sections=sections,
        words=report_words.STATES,
    )  # fmt: skip


async def _page(
    request: web.Request, errors: dict[str, str], text: str = "", note: str = "", status: int = 200
) -> web.Response:
    parts, visit = request.app[PARTS], request[VISIT]
    found = await parts.desk.read(request.match_info["id"], visit)
    facts = {}
    if found.router is not None:
        hub = parts.ownership.hub
        view = RouterView(found.router, hub.online(found.router.serial_number) if hub else None)
        facts = {
            **router_words(view, visit.now),
            "warranty": warranty_words(found.router, visit.now)["state"],
        }
    removable = roles.may(visit.signed_in.role, roles.REMOVE)
    return page(
        request, "desk_request.html", found=found, facts=facts, errors=errors, text=text, note=note,
        removable=removable, words=WORDS, report_words=report_words.STATES, status=status,
    )  # fmt: skip
