"""What was refused goes to the log: a page of somebody else's, a form of another site, what comes too often.

Whoever makes many requests must not fill the disk: a burst is written down, then one a second, and how many
were left out. Of the address only the route's pattern is told, for it may hold a link's token.
"""

from __future__ import annotations

import logging

from aiohttp import web

from host_tools.cloud.accounts.throttle import Limit, next_attempt
from host_tools.cloud.pages.render import VISIT

LIMIT = Limit("refusals", 50, 1)
STATUSES = (401, 403, 421, 429)
NOT_FOUND = 404
NOBODY = "nobody"
NO_ROUTE = "(no route)"
log = logging.getLogger("cloud.refused")


class Refusals:
    """Of one process."""

    def __init__(self) -> None:
        self._due_at = 0.0
        self._left_out = 0

    def note(self, request: web.Request, route: str, status: int, now: float) -> None:
        verdict = next_attempt(self._due_at, LIMIT, now)
        if not verdict.allowed:
            self._left_out += 1
            return
        self._due_at, left_out, self._left_out = verdict.due_at, self._left_out, 0
        log.info("%s %s: %d to %s at %s", request.method, route, status, _who(request), request.remote)
        if left_out:
            log.warning("%d refusals were not written down, they came too fast", left_out)


def is_refusal(request: web.Request, route: str, status: int) -> bool:
    """Where a stranger finds nothing it is a typing error; of an account or a token it was refused."""
    if status == NOT_FOUND:
        return route != NO_ROUTE and (_who(request) != NOBODY or request.path.startswith("/api/"))
    return status in STATUSES


def _who(request: web.Request) -> str:
    visit = request.get(VISIT)
    return f"account {visit.account.id}" if visit is not None and visit.account is not None else NOBODY


REFUSALS: web.AppKey[Refusals] = web.AppKey("refusals", Refusals)
