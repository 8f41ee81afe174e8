"""The page that has only passkeys sign in to an account, or every way again."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.passkeys_only import PASSKEYS_MIN
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

PAGE = "/security/passkeys-only"


def is_due(request: web.Request) -> bool:
    """Whether the operator's rule keeps all but this page from who asks (first_passkeys.py)."""
    visit = request.get(VISIT)  # none where a program asks
    account = visit.account if visit else None
    return account is not None and request.app[PARTS].passkeys_setting.is_due(account)


async def passkeys_only(request: web.Request) -> web.StreamResponse:
    return await _page(request, {})


async def post_on(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _page(request, filled.errors, 422)
    parts, visit = request.app[PARTS], request[VISIT]
    due = is_due(request)
    try:
        await parts.passkeys_setting.switch_on(filled.values["password"], visit)
    except RefusedError as error:
        return await _page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther(f"{'/routers' if due else '/security'}?done=passkeys-only")


async def post_off(request: web.Request) -> web.StreamResponse:
    parts = request.app[PARTS]
    try:
        await parts.passkeys_setting.switch_off(request[VISIT])
    except RefusedError as error:
        return await _page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/security?done=every-way")


async def _page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    parts, account = request.app[PARTS], request[VISIT].signed_in
    setting = parts.passkeys_setting
    return page(
        request,
        "passkeys_only.html",
        missing=max(0, PASSKEYS_MIN - await setting.usable(account.id)),
        possible=parts.passkeys.possible,
        bound=setting.binds(account),
        # Else it is on the page of safety, which is closed before this is on.
        waits=await parts.waiting.of(account.id) if is_due(request) else [],
        errors=errors,
        status=status,
    )
