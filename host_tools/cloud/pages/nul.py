"""NUL is in no text that a person types, and PostgreSQL's text holds none: it is refused at the door.

SQLite would take it. So both databases answer the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

NUL = "\0"
ENCODED = "%00"  # in an address it cannot stand as itself: the parser of HTTP refuses that

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def refuse_nul(request: web.Request, handler: Handler) -> web.StreamResponse:
    """In the address, before anything is looked up by it."""
    if ENCODED in request.raw_path:
        raise web.HTTPBadRequest
    return await handler(request)


def holds_nul(posted: Mapping[str, object]) -> bool:
    """Whether a form has it, in any field."""
    return any(isinstance(value, str) and NUL in value for value in posted.values())
