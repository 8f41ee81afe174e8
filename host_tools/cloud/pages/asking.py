"""Which pages are for a sensitive action (accounts/proof.py): their forms ask for what is missing.

What is refused is decided where the action is done; here a page only learns what to show.
"""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.pages.guards import Handler
from host_tools.cloud.pages.render import ASKING, VISIT, Asking
from host_tools.cloud.parts import PARTS

ROUTER = "/routers/{serial_number:[A-Za-z0-9._:-]{1,64}}"
CLIENT_DEEDS = ("/secret", "/disable", "/enable", "/remove")
# By path, of the page and of where its form goes. Where a page has several forms, they take the same.
ACTION_OF = {
    "/security/authenticators/add": "add an authenticator",
    "/security/authenticators/{id}/remove": "remove an authenticator",
    "/security/recovery-codes": "make recovery codes",
    "/security/phones/add": "add a phone number",
    "/security/phones/{id}/remove": "remove a phone number",
    "/security/passkeys/add": "add a passkey",
    "/security/passkeys/{id}": "remove a passkey",
    "/security/passkeys/{id}/rename": "remove a passkey",
    "/security/passkeys/{id}/remove": "remove a passkey",
    "/security/passkeys-only": "sign in with passkeys only",
    "/security/passkeys-only/on": "sign in with passkeys only",
    "/security/passkeys-only/off": "sign in in any way",
    "/security/telegram/add": "link a chat",
    "/security/telegram/link": "link a chat",
    "/security/telegram/{id}/remove": "unlink a chat",
    "/security/password": "change the password",
    "/security/routers/{id}": "undo a router's change",
    "/security/outside": "connect an account elsewhere",
    "/security/outside/finish": "connect an account elsewhere",
    "/security/outside/{provider}/connect": "connect an account elsewhere",
    "/security/outside/{id}/remove": "disconnect an account elsewhere",
    "/security/tokens": "make a token",
    "/security/tokens/{id}/revoke": "make a token",
    "/clients/_add": "manage applications",
    **{"/clients/{id}" + more: "manage applications" for more in ("", *CLIENT_DEEDS)},
    "/security/sessions": "end a session",
    "/security/sessions/{id}/end": "end a session",
    "/security/sessions/end-others": "end a session",
    "/security/browsers/{id}/remove": "remove a browser",
    "/profile": "change the e-mail",
    "/profile/email": "change the e-mail",
    "/profile/email/cancel": "change the e-mail",
    "/profile/data": "take the data",
    "/profile/data/export": "take the data",
    "/profile/data/delete": "delete the account",
    ROUTER + "/release": "release a router",
}


def asking(path: str, handler: Handler) -> Handler:
    action = ACTION_OF.get(path)
    if action is None:
        return handler

    async def asked(request: web.Request) -> web.StreamResponse:
        if request[VISIT].account is None:
            return await handler(request)
        two_factor = await request.app[PARTS].factors.again.two_factor(request[VISIT])
        request[ASKING] = Asking(action, two_factor)
        return await handler(request)

    return asked
