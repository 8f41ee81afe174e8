"""The pages on which a person lets in something without a keyboard (RFC 8628)."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.languages.text import _
from host_tools.cloud.oidc.claims import SCOPE_WORDS
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.going import set_going
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS


async def device(request: web.Request) -> web.StreamResponse:
    """Where the person enters the code that a device shows (RFC 8628 section 3.3)."""
    if request[VISIT].account is None:
        raise set_going(web.HTTPSeeOther("/sign-in?done=going"), request.path_qs)
    shown = request.query.get("user_code", "")[:20]
    return page(request, "device.html", user_code=shown, errors={})


async def post_device(request: web.Request) -> web.StreamResponse:
    """Who is it? Shown before anything is agreed to: the code may be a stranger's (section 5.4)."""
    parts, visit = request.app[PARTS], request[VISIT]
    filled = await forms.read(request, (forms.USER_CODE,))
    errors, status, found = filled.errors, 422, None
    if not errors:
        try:
            found = await parts.oidc.devices.look(filled.values["user_code"], visit)
            errors = {} if found else {"user_code": _("That code is wrong, used, or older than ten minutes.")}
        except ThrottledError as error:
            errors, status = refused(error), status_of(error)
    if found is None:
        shown = filled.values["user_code"]
        return page(request, "device.html", user_code=shown, errors=errors, status=status)
    row, client = found
    place = parts.places.of(row.address)
    words = [SCOPE_WORDS[scope] for scope in row.scope.split()]
    return page(request, "device_agree.html", row=row, client=client, words=words, place=place)


async def post_device_answer(request: web.Request) -> web.StreamResponse:
    posted = await request.post()
    agrees = "agree" in posted
    await request.app[PARTS].oidc.devices.answer(str(posted.get("device", "")), agrees, request[VISIT])
    return page(request, "device_done.html", agrees=agrees)
