"""Pages of sessions, trusted browsers and login activity; and of the first choice of a second factor."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import KINDS, SIGN_INS, told
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS


async def sessions(request: web.Request) -> web.StreamResponse:
    return await _page(request, {})


async def post_end(request: web.Request) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    error = await _refused(request, "end a session")
    if error is not None:
        return await _page(request, refused(error), status_of(error))
    await parts.sessions.end(request.match_info["id"], visit)
    raise web.HTTPSeeOther("/security/sessions?done=session-ended")


async def post_end_others(request: web.Request) -> web.StreamResponse:
    """All at once: the quickest answer to a stranger."""
    parts, visit = request.app[PARTS], request[VISIT]
    error = await _refused(request, "end a session")
    if error is not None:
        return await _page(request, refused(error), status_of(error))
    await parts.sessions.end_others(visit)
    raise web.HTTPSeeOther("/security/sessions?done=sessions-ended")


async def _refused(request: web.Request, action: str) -> RefusedError | None:
    """Why the action's proof is not enough."""
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return RefusedError("password", filled.errors["password"])
    try:
        await request.app[PARTS].factors.again.check(action, filled.values["password"], request[VISIT])
    except RefusedError as error:
        return error
    return None


async def _page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    parts, visit = request.app[PARTS], request[VISIT]
    account_id = visit.signed_in.id
    return page(
        request,
        "sessions.html",
        sessions=await parts.sessions.of(account_id, visit.now),
        current_id=visit.open_session.id,
        activity=await parts.events.of(account_id, SIGN_INS),
        kinds=KINDS,
        place_of=parts.places.of,
        errors=errors,
        status=status,
    )


async def remove_browser(request: web.Request) -> web.StreamResponse:
    return await _remove_page(request, {})


async def _remove_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    parts, visit = request.app[PARTS], request[VISIT]
    held = await parts.trusted.of(visit.signed_in.id, visit.now)
    found = [row for row in held if row.id == request.match_info["id"]]
    if not found:
        raise web.HTTPNotFound
    return page(request, "remove_browser.html", held=found[0], errors=errors, status=status)


async def post_remove_browser(request: web.Request) -> web.StreamResponse:
    error = await _refused(request, "remove a browser")
    if error is not None:
        return await _remove_page(request, refused(error), status_of(error))
    await request.app[PARTS].trusted.remove(request.match_info["id"], request[VISIT])
    raise web.HTTPSeeOther("/security?done=browser-removed")


async def log(request: web.Request) -> web.StreamResponse:
    """Everything that happened to the account's safety."""
    parts = request.app[PARTS]
    events = await parts.events.of(request[VISIT].signed_in.id)
    return page(request, "log.html", events=events, told=told, place_of=parts.places.of)


async def choose(request: web.Request) -> web.StreamResponse:
    """Once, after the first sign-in (N4)."""
    parts = request.app[PARTS]
    await parts.factors.asked(request[VISIT])
    possible = {"phones_possible": parts.phones.possible, "passkeys_possible": parts.passkeys.possible}
    return page(
        request,
        "choose.html",
        telegram_possible=parts.telegram.possible,
        are_called=parts.phones.are_called,
        **possible,
    )


async def password(request: web.Request) -> web.StreamResponse:
    return page(request, "password.html", errors={})


async def post_password(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD, forms.NEXT_PASSWORD))
    errors, status = filled.errors, 422
    if not errors:
        try:
            await request.app[PARTS].own_password.change(
                filled.values["password"], filled.values["new_password"], request[VISIT]
            )
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return page(request, "password.html", errors=errors, status=status)
    raise web.HTTPSeeOther("/security?done=password-changed")
