"""Sessions end by many forms: sign-outs, new passwords and factors, undone changes. After each, whoever shows
what a session may see is told to look again."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.pages.guards import Handler
from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.parts import PARTS


def heard(handler: Handler) -> Handler:
    """Of a form: the account's live pages look at once, and its applications are told without delay."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        parts, account = request.app[PARTS], request[VISIT].account
        try:
            return await handler(request)
        finally:
            parts.oidc.logins.wake()
            if account is not None:
                parts.bus.publish(f"account:{account.id}")

    return guarded
