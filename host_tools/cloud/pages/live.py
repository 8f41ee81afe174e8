"""Live updates (server-sent events, WHATWG HTML section 9.2): texts for an open page's fields."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from host_tools.cloud.accounts.errors import BusyError
from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.pages.site import SITE, ends_at
from host_tools.cloud.pages.words import router_words
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.outage import is_away

EVERY_S = 2  # heartbeats come no faster; what cannot wait rings the bus
SILENT_MAX_S = 20  # a comment then: proxies close a silent line after 30 s or more
LASTS_S = 3600  # then the browser connects again, and its session is looked at again
WRITE_MAX_S = 20  # for a browser to take one event; the line's buffers are full long before
STREAMS_MAX = 1000  # of this process, at some 50 KB each
STREAMS_OF_ACCOUNT_MAX = 20  # browsers keep at most six lines to one name

STREAMS: web.AppKey[Counter[str]] = web.AppKey("streams", Counter)  # open ones by account
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

    return await account_stream(request, snapshot, "routers")


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

    return await account_stream(request, snapshot, f"router:{serial_number}")


async def claim(request: web.Request) -> web.StreamResponse:
    parts, visit, claim_id = request.app[PARTS], request[VISIT], request.match_info["claim_id"]

    async def snapshot() -> dict[str, Any] | None:
        found = await parts.claims.view(claim_id, visit.signed_in.id, parts.clock())
        return {"version": found.state} if found else None

    return await account_stream(request, snapshot, f"claim:{claim_id}")


async def notices(request: web.Request) -> web.StreamResponse:
    """For pages that have no live values of their own: only what every page of an account is told."""

    async def snapshot() -> dict[str, Any] | None:
        return {}

    return await account_stream(request, snapshot, "notices")


async def account_stream(request: web.Request, snapshot: Snapshot, topic: str) -> web.StreamResponse:
    """The page's own snapshot, and the new browser that asks to be let in, while the session lives."""
    parts, visit = request.app[PARTS], request[VISIT]

    async def both() -> dict[str, Any] | None:
        until = await _in_until(request)
        own = await snapshot() if until else None
        asking = await parts.approvals.waiting(replace(visit, now=parts.clock()))
        return None if own is None else {**own, "approval": asking.id if asking else "", "ends": until}

    account_id = visit.signed_in.id
    return await stream(request, both, (topic, f"account:{account_id}"), account_id)


async def stream(
    request: web.Request, snapshot: Snapshot, topics: tuple[str, ...], who: str
) -> web.StreamResponse:
    """Send the snapshot whenever it differs from the last one. Raises HTTPNotFound where there is none.

    `who` may have so many streams: an account, or a browser that nobody has signed in with.
    """
    open_streams = request.app[STREAMS]
    first = await snapshot()
    if first is None:
        raise web.HTTPNotFound
    if open_streams.total() >= STREAMS_MAX or open_streams[who] >= STREAMS_OF_ACCOUNT_MAX:
        raise BusyError
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    open_streams[who] += 1
    try:
        await response.prepare(request)
        await _follow(request, Speaker(response), snapshot, first, topics)
    except (ConnectionResetError, TimeoutError):
        return response  # the page was closed, or its computer sleeps
    finally:
        open_streams[who] -= 1
        if not open_streams[who]:
            del open_streams[who]
    return response


class Speaker:
    """Says what is new, and now and then that it is still there."""

    def __init__(self, response: web.StreamResponse):
        self._response = response
        self._said = ""
        self._spoke_at = time.monotonic()

    async def say(self, state: dict[str, Any]) -> None:
        """Raises TimeoutError where nobody reads."""
        text = json.dumps(state)
        if text != self._said:
            await self._write(f"data: {text}\n\n")
            self._said = text
        elif time.monotonic() - self._spoke_at > SILENT_MAX_S:
            await self._write(": still here\n\n")

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(WRITE_MAX_S):
            await self._response.write(text.encode())
        self._spoke_at = time.monotonic()


async def _follow(
    request: web.Request,
    speaker: Speaker,
    snapshot: Snapshot,
    state: dict[str, Any] | None,
    topics: tuple[str, ...],
) -> None:
    parts, end = request.app[PARTS], time.monotonic() + LASTS_S
    with parts.bus.listen(*topics) as changed:
        while state is not None and time.monotonic() < end and not parts.stopping.is_set():
            if request.transport is None:
                return  # the page was closed: who goes on to another one needs its place
            await speaker.say(state)
            await _wait(changed)
            state = await _news(snapshot, state)


async def _news(snapshot: Snapshot, state: dict[str, Any]) -> dict[str, Any] | None:
    """While the database is away a page keeps what it shows, and its line: it is asked again."""
    try:
        return await snapshot()
    except Exception as error:
        if not is_away(error):
            raise
        return state


async def _in_until(request: web.Request) -> int:
    """When the session ends if nobody acts. 0: it ended elsewhere, and its live pages end too. Looking on is
    not acting."""
    visit, parts = request[VISIT], request.app[PARTS]
    sessions = request.app[SITE].sessions
    found = await sessions.find(visit.session_token or "", parts.clock(), acting=False)
    return int(ends_at(found[0], found[0].acted_at)) if found else 0


async def _wait(changed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(changed.wait(), EVERY_S)
    except TimeoutError:
        return
    changed.clear()
