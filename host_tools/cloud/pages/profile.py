"""Pages of a person's own details, and of another e-mail."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from host_tools.cloud.accounts.email_change import CHANGED
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.profile import UTC, Details, time_zones
from host_tools.cloud.languages.text import N_, reader
from host_tools.cloud.pages import deliveries, forms, live
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.opened import Opened
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.account_models import EmailChange

EMAIL = (forms.NEW_EMAIL, forms.OWN_PASSWORD)


async def profile(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def post_profile(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, forms.PROFILE)
    if filled.errors:
        return await _page(request, details=filled, status=422)
    details = Details(*(filled.values[name] for name in Details._fields))
    await request.app[PARTS].profile.change(details, request[VISIT])
    raise web.HTTPSeeOther("/profile?done=profile-saved")


async def post_email(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, EMAIL)
    status = 422
    if not filled.errors:
        email, password = (filled.values[field.name] for field in EMAIL)
        try:
            await request.app[PARTS].email_changes.begin(email, password, request[VISIT])
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
    if filled.errors:
        return await _page(request, email=filled, status=status)
    raise web.HTTPSeeOther("/profile?done=email-asked")


async def email_live(request: web.Request) -> web.StreamResponse:
    """What becomes of the messages, while the change waits."""
    parts, visit = request.app[PARTS], request[VISIT]

    async def snapshot() -> dict[str, Any] | None:
        pending = await parts.email_changes.pending(visit.signed_in.id, parts.clock())
        return {"delivery": await _delivery(request, pending)}

    return await live.account_stream(request, snapshot, "e-mail")


async def post_cancel(request: web.Request) -> web.StreamResponse:
    await request.app[PARTS].email_changes.cancel(request[VISIT])
    raise web.HTTPSeeOther("/profile?done=email-cancelled")


async def _look(request: web.Request, code: str) -> web.StreamResponse:
    return await _agree_page(request, code, {})


async def _agree(request: web.Request, code: str) -> web.StreamResponse:
    try:
        state = await request.app[PARTS].email_changes.agree(code, request[VISIT])
    except RefusedError as error:
        return await _agree_page(request, code, refused(error), status_of(error))
    visit = request[VISIT]
    still_in = await request.app[PARTS].sessions.find(visit.session_token or "", visit.now, acting=False)
    if still_in is None:  # the change ended every session but the one that asked for it
        visit.account = visit.session = None
    return page(request, "email_agreed.html", changed=state == CHANGED)


AGREE = Opened(N_("Confirm your new e-mail"), _look, _agree)


async def _page(
    request: web.Request,
    details: forms.Filled | None = None,
    email: forms.Filled | None = None,
    status: int = 200,
) -> web.Response:
    visit = request[VISIT]
    account = visit.signed_in
    pending = await request.app[PARTS].email_changes.pending(account.id, visit.now)
    held = {name: getattr(account, name) for name in Details._fields}
    held |= {"language": account.language or reader().tag, "time_zone": account.time_zone or UTC}
    return page(
        request,
        "profile.html",
        details=details or forms.Filled(held, {}),
        email_form=email or forms.empty(EMAIL),
        pending=pending,
        delivery=await _delivery(request, pending),
        zones=[(name, name.replace("_", " ")) for name in time_zones()],
        status=status,
    )


async def _delivery(request: web.Request, pending: EmailChange | None) -> str:
    """What is wrong with the messages to the two addresses."""
    if pending is None:
        return ""
    states = await request.app[PARTS].email_changes.progress(pending)
    emails = (request[VISIT].signed_in.email, pending.email)
    faults = [
        deliveries.told(deliveries.NEW_EMAIL, state, email=email)
        for email, state in zip(emails, states, strict=True)
    ]
    return " ".join(filter(None, faults))


async def _agree_page(
    request: web.Request, code: str, errors: dict[str, str], status: int = 200
) -> web.Response:
    found = await request.app[PARTS].email_changes.by_link(code, request[VISIT].now)
    if found is None:
        return page(request, "link_over.html", status=410)
    change, account = found
    context = {"old": account.email, "new": change.email, "code": code}
    return page(request, "agree_email.html", errors=errors, status=status, **context)
