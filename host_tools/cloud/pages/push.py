"""Web Push: a browser subscribes, and unsubscribes; and the worker that shows what is pushed."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.assets import ASSETS
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS


async def notices(request: web.Request) -> web.StreamResponse:
    return await _page(request, {})


async def post_on(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.SUBSCRIPTION,))
    if filled.errors:
        return await _page(request, {"": next(iter(filled.errors.values()))}, 422)
    try:
        await request.app[PARTS].pushes.subscribe(filled.values["subscription"], request[VISIT])
    except RefusedError as error:
        return await _page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/security?done=push-on")


async def post_off(request: web.Request) -> web.StreamResponse:
    await request.app[PARTS].pushes.unsubscribe(request[VISIT])
    raise web.HTTPSeeOther("/security?done=push-off")


async def worker(request: web.Request) -> web.StreamResponse:
    """At the top, so that it is in charge of every page; looked at again each time, so that a fix arrives."""
    headers = {"Cache-Control": "no-cache"}
    text = ASSETS.text("service-worker.js")
    return web.Response(text=text, content_type="text/javascript", headers=headers)


async def _page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    parts = request.app[PARTS]
    state, key = await parts.pushes.state(request[VISIT]), await parts.push_keys.public()
    return page(request, "notices.html", state=state, key=key, errors=errors, status=status)
