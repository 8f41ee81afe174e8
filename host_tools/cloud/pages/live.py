"""Live updates (server-sent events, WHATWG HTML section 9.2): texts for an open page's fields."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.pages.words import router_words
from host_tools.cloud.parts import PARTS

EVERY_S = 2  # heartbeats come no faster; what cannot wait rings the bus
SILENT_MAX_S = 20  # a comment then: proxies close a silent line after 30 s or more
LASTS_S = 3600  # then the browser connects again, and its session is looked at again
STREAMS_MAX = 1000  # of this process, at some 50 KB each

STREAMS: web.AppKey[set] = web.AppKey("streams", set)
Snapshot = Callable[[], Awaitable[dict[str, Any] | None]]


async def health(request: web.Request) -> web.StreamResponse:
    """Ready: the listeners stand (or this would not be answered) and the database answers."""
    routers = await request.app[PARTS].registry.count()
    return web.json_response({"status": "ready", "routers": routers})


async def routers(request: web.Request) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]

    async def snapshot() -> dict[str, Any] | None:
        views = await parts.ownership.routers(visit.signed_in.id)
        return {view.router.serial_number: router_words(view, parts.clock()) for view in views}

    return await _stream(request, snapshot, "routers")


async def router(request: web.Request) -> web.StreamResponse:
    parts, visit, serial_number = request.app[PARTS], request[VISIT], request.match_info["serial_number"]

    async def snapshot() -> dict[str, Any] | None:
        view = await parts.ownership.router(serial_number, visit.signed_in.id)
        if view is None:
            return None
        commands = await parts.ownership.commands(serial_number, visit.signed_in.id)
        # A page whose list of commands differs from this loads itself again.
        version = " ".join(f"{command.id}:{command.state}" for command in commands)
        return {serial_number: router_words(view, parts.clock()), "version": version}

    return await _stream(request, snapshot, f"router:{serial_number}")


async def claim(request: web.Request) -> web.StreamResponse:
    parts, visit, claim_id = request.app[PARTS], request[VISIT], request.match_info["claim_id"]

    async def snapshot() -> dict[str, Any] | None:
        found = await parts.claims.view(claim_id, visit.signed_in.id, parts.clock())
        return {"version": found.state} if found else None

    return await _stream(request, snapshot, f"claim:{claim_id}")


async def _stream(request: web.Request, snapshot: Snapshot, topic: str) -> web.StreamResponse:
    """Send the snapshot whenever it differs from the last one. Raises HTTPNotFound where there is none."""
    streams = request.app[STREAMS]
    first = await snapshot()
    if first is None:
        raise web.HTTPNotFound
    if len(streams) >= STREAMS_MAX:
        raise web.HTTPServiceUnavailable
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    streams.add(response)
    try:
        await _follow(request, response, snapshot, first, topic)
    except ConnectionResetError:
        return response  # the page was closed
    finally:
        streams.discard(response)
    return response


async def _follow(
    request: web.Request,
    response: web.StreamResponse,
    snapshot: Snapshot,
    state: dict[str, Any] | None,
    topic: str,
) -> None:
    parts, loop = request.app[PARTS], asyncio.get_running_loop()
    end, spoke_at, last = loop.time() + LASTS_S, 0.0, ""
    with parts.bus.listen(topic) as changed:
        while state is not None and loop.time() < end and not parts.stopping.is_set():
            text = json.dumps(state)
            if text != last:
                await response.write(f"data: {text}\n\n".encode())
                last, spoke_at = text, loop.time()
            elif loop.time() - spoke_at > SILENT_MAX_S:
                await response.write(b": still here\n\n")
                spoke_at = loop.time()
            await _wait(changed)
            state = await snapshot() if await _still_in(request) else None


async def _still_in(request: web.Request) -> bool:
    """A session that ended elsewhere ends its live pages too. Looking on is not acting."""
    visit, parts = request[VISIT], request.app[PARTS]
    return await parts.sessions.find(visit.session_token or "", parts.clock(), acting=False) is not None


async def _wait(changed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(changed.wait(), EVERY_S)
    except TimeoutError:
        return
    changed.clear()
