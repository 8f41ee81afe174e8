"""Whoever has to sign in with passkeys only (accounts/passkeys_rule.py) is led to that page from others."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.pages import passkeys_only
from host_tools.cloud.pages.guards import Handler
from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.pages.site import SITE
from host_tools.cloud.parts import PARTS

PROVE = "/security/prove"
# By path: what it takes to switch it on, and the ways out.
OPEN = frozenset((
    "/health", "/static/{name}", "/language", "/terms", "/sign-out", "/oidc/logout", "/oidc/logout/confirm",
    passkeys_only.PAGE, passkeys_only.PAGE + "/on", "/security/passkeys/add", "/security/passkeys/finish",
    PROVE, PROVE + "/options", PROVE + "/password", PROVE + "/passkey", PROVE + "/send", PROVE + "/code",
    PROVE + "/outside/{provider}", "/outside/{provider}/answer",
))  # fmt: skip


def led_first(path: str, lasting: bool, handler: Handler) -> Handler:
    """lasting: live updates follow no lead."""
    if path in OPEN:
        return handler

    async def led(request: web.Request) -> web.StreamResponse:
        visit = request.get(VISIT)  # none where a program asks
        account = visit.account if visit else None
        if account is None or not request.app[PARTS].passkeys_setting.is_due(account):
            return await handler(request)
        if lasting:
            raise web.HTTPNotFound
        raise web.HTTPSeeOther(request.app[SITE].at.account + passkeys_only.PAGE)

    return led
