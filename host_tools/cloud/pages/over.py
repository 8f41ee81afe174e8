"""When a session is over, its pages that are still open clear themselves (OWASP ASVS 5, 14.3.1).

They are told by the line that every page holds open (live.py), which connects anew when the session is gone.
Each knows besides until when its session lasts, and clears itself then if no server can be reached
(static/cloud.js). Where somebody signs out, the browser drops what it keeps of us, pages to go back to too.
"""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from host_tools.cloud.pages.guards import Handler
from host_tools.cloud.pages.render import VISIT

OVER = "event: over\ndata: over\n\n"  # an event without data is none (WHATWG HTML section 9.2.6)
# Not "storage": it would take the notices that this browser asked for (Web Push) along.
KEPT = '"cache"'

Answer = TypeVar("Answer", bound=web.StreamResponse)


def for_live(handler: Handler) -> Handler:
    """Of an account's live updates: to whom nobody is signed in, the session is over."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request[VISIT].account is None:
            return web.Response(text=OVER, content_type="text/event-stream")
        return await handler(request)

    return guarded


def leave(answer: Answer, cookie: str) -> Answer:
    """The answer to whoever has ended their session."""
    answer.del_cookie(cookie, path="/", secure=True, httponly=True, samesite="Lax")
    answer.headers["Clear-Site-Data"] = KEPT
    return answer
