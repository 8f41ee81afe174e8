"""Whoever has to sign in with passkeys only (accounts/passkeys_rule.py) is led to that page from others."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.pages import passkeys_only
from host_tools.cloud.pages.guards import Handler
from host_tools.cloud.pages.site import SITE

PROVE = "/security/prove"
# By path: what it takes to switch it on, the ways out, and what ends a change that somebody else has made or
# asked for: else who takes such an account over could not be stopped from a browser that is signed in to it.
OPEN = frozenset((
    "/health", "/static/{name}", "/language", "/terms", "/sign-out", "/oidc/logout", "/oidc/logout/confirm",
    passkeys_only.PAGE, passkeys_only.PAGE + "/on", "/security/passkeys/add", "/security/passkeys/finish",
    PROVE, PROVE + "/options", PROVE + "/password", PROVE + "/passkey", PROVE + "/send", PROVE + "/code",
    PROVE + "/outside/{provider}", "/outside/{provider}/answer",
    "/undo", "/undo/{token}", "/waiting", "/waiting/{token}", "/waiting/stop",
))  # fmt: skip


def led_first(path: str, lasting: bool, handler: Handler) -> Handler:
    """lasting: live updates follow no lead."""
    if path in OPEN:
        return handler

    async def led(request: web.Request) -> web.StreamResponse:
        if not passkeys_only.is_due(request):
            return await handler(request)
        if lasting:
            raise web.HTTPNotFound
        raise web.HTTPSeeOther(request.app[SITE].at.account + passkeys_only.PAGE)

    return led
