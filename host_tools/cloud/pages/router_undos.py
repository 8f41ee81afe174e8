"""The page of a mail's link by which changes on a router are undone (routers/undos.py)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.delivery.texts import router_change
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.going import set_going
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.live import account_stream
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.routers.undos import UndoView, topic


async def undo(request: web.Request) -> web.StreamResponse:
    """Opening it changes nothing. Who is not signed in comes back here afterwards."""
    if request[VISIT].account is None:
        raise set_going(web.HTTPSeeOther("/sign-in?done=going"), request.path)
    return await _page(request, {})


async def post_undo(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _page(request, filled.errors, 422)
    try:
        await request.app[PARTS].undos.ask(
            request.match_info["id"], filled.values["password"], request[VISIT]
        )
    except RefusedError as error:
        return await _page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther(request.path)


async def undo_live(request: web.Request) -> web.StreamResponse:
    id = request.match_info["id"]

    async def snapshot() -> dict[str, Any] | None:
        return {"version": _version(await _view(request))}

    return await account_stream(request, snapshot, topic(id))


async def _page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    view = await _view(request)
    return page(
        request,
        "router_undo.html",
        view=view,
        what=router_change,
        version=_version(view),
        errors=errors,
        status=status,
    )


async def _view(request: web.Request) -> UndoView:
    return await request.app[PARTS].undos.view(request.match_info["id"], request[VISIT])


def _version(view: UndoView) -> str:
    return f"{view.state} {'online' if view.is_online else 'offline'}"
