"""The page of personal tokens: made with the password, shown once, listed, revoked."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.api.scopes import SCOPES
from host_tools.cloud.api.tokens import DAY_S, DAYS
from host_tools.cloud.languages.figures import duration
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

NO_SCOPE = N_("Tick at least one thing that the token may do.")


def check_days(value: str) -> str | None:
    return None if value in map(str, DAYS) else N_("Choose from the list when it expires.")


NAME = forms.Field("name", N_("Name the token by what will use it."), 60, forms.check_name)
EXPIRES = forms.Field("days", N_("Choose when it expires."), 4, check_days)
TICKS = tuple(forms.Field(scope, "", 10, optional=True) for scope in SCOPES)
FIELDS = (NAME, EXPIRES, *TICKS, forms.OWN_PASSWORD)


async def tokens(request: web.Request) -> web.StreamResponse:
    return await _shown(request, forms.empty(FIELDS))


async def post_make(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, FIELDS)
    values, errors, status = filled.values, dict(filled.errors), 422
    scopes = tuple(scope for scope in SCOPES if values[scope])
    if not scopes:
        errors["scopes"] = _(NO_SCOPE)
    if not errors:
        try:
            made = await request.app[PARTS].tokens.make(
                values["name"], scopes, int(values["days"]), values["password"], request[VISIT]
            )
            return page(request, "token_made.html", token=made, name=values["name"])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    return await _shown(request, filled._replace(errors=errors), status)


async def post_revoke(request: web.Request) -> web.StreamResponse:
    await request.app[PARTS].tokens.revoke(request.match_info["id"], request[VISIT])
    raise web.HTTPSeeOther("/security/tokens?done=token-revoked")


async def _shown(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    rows = await request.app[PARTS].tokens.of(request[VISIT].signed_in.id)
    days = [(str(days), duration(days * DAY_S)) for days in DAYS]
    return page(request, "tokens.html", rows=rows, scopes=SCOPES, days=days, form=form, status=status)
