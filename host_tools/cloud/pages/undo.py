"""The page of a mail's link by which a change is undone."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.events import KINDS
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import SESSION_COOKIE, refused, status_of
from host_tools.cloud.pages.opened import Opened
from host_tools.cloud.pages.over import leave
from host_tools.cloud.pages.passkeys_only import is_due
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

PASSWORD = forms.PASSWORD._replace(optional=True)  # there may have been none


async def _look(request: web.Request, code: str) -> web.StreamResponse:
    return await _page(request, code, {})


async def _undo(request: web.Request, code: str) -> web.StreamResponse:
    filled = await forms.read(request, (PASSWORD,))
    errors, status = filled.errors, 422
    if not errors:
        try:
            whose = await request.app[PARTS].undoing.undo(code, filled.values["password"], request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return await _page(request, code, errors, status)
    if _elsewhere(request, whose):
        return page(request, "undone_elsewhere.html")
    raise leave(web.HTTPSeeOther("/sign-in?done=undone"), SESSION_COOKIE)


async def _page(request: web.Request, code: str, errors: dict[str, str], status: int = 200) -> web.Response:
    found = await request.app[PARTS].undoing.view(code, request[VISIT].now)
    if found is None:
        return page(request, "undo_over.html", due=is_due(request), status=410)
    undoing, elsewhere = request.app[PARTS].undoing, _elsewhere(request, found.account_id)
    context = {"row": found, "what": KINDS[found.kind], "elsewhere": elsewhere}
    if not found.password_hash and not await undoing.proved_instead(found, request[VISIT]):
        status = status if errors else 403
        return page(request, "undo_prove.html", **context, status=status)
    return page(request, "undo.html", **context, code=code, errors=errors, status=status)


def _elsewhere(request: web.Request, account_id: str) -> bool:
    """Whether who opens the link is signed in to another account, which it leaves as it is."""
    account = request[VISIT].account
    return account is not None and account.id != account_id


UNDO = Opened(N_("Undo a change"), _look, _undo)
