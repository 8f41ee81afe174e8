"""Pages of sign-up, confirmation, sign-in and sign-out."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts import passwords, signin
from host_tools.cloud.accounts import sign_up as sign_ups
from host_tools.cloud.accounts.emails import is_user_name
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.second_step import Entered
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import forms, resets
from host_tools.cloud.pages.first_step import sign_in_page
from host_tools.cloud.pages.guards import SESSION_COOKIE, refused, status_of
from host_tools.cloud.pages.opened import Opened
from host_tools.cloud.pages.over import leave
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.second_step import signed_in
from host_tools.cloud.parts import PARTS


async def home(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/routers" if request[VISIT].account else "/sign-in")


async def terms(request: web.Request) -> web.StreamResponse:
    return page(request, "terms.html", version=sign_ups.TERMS_VERSION)


async def sign_up(request: web.Request) -> web.StreamResponse:
    return _sign_up_page(request, forms.empty(forms.SIGN_UP))


async def post_sign_up(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, forms.SIGN_UP)
    values = filled.values
    if values["password"]:
        fault = passwords.fault(values["password"], _personal(values))
        filled.errors.update({"password": fault} if fault else {})
    if filled.errors:
        return _sign_up_page(request, filled, 422)
    person = sign_ups.NewPerson(*(values[name] for name in sign_ups.NewPerson._fields))
    try:
        await request.app[PARTS].sign_ups.begin(person, request[VISIT])
    except RefusedError as error:
        return _sign_up_page(request, filled._replace(errors=refused(error)), status_of(error))
    raise web.HTTPSeeOther("/confirm")


async def confirm(request: web.Request) -> web.StreamResponse:
    return await _confirm_page(request)


async def post_confirm(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.CODE, forms.BROWSERS_ZONE))
    if filled.errors:
        return await _confirm_page(request, filled.errors, 422)
    code, zone = filled.values["code"].replace(" ", ""), filled.values["zone"]
    try:
        token = await request.app[PARTS].sign_ups.confirm_code(code, request[VISIT], zone)
    except RefusedError as error:
        return await _confirm_page(request, refused(error), status_of(error))
    raise signed_in(Entered(signin.SIGNED_IN, token, lead=True))


async def post_resend(request: web.Request) -> web.StreamResponse:
    try:
        await request.app[PARTS].sign_ups.resend(request[VISIT])
    except RefusedError as error:
        return await _confirm_page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/confirm?done=resent")


async def _look(request: web.Request, code: str) -> web.StreamResponse:
    return await _link_page(request, code, {})


async def _confirm_by_link(request: web.Request, code: str) -> web.StreamResponse:
    filled = await forms.read(request, (forms.PASSWORD, forms.BROWSERS_ZONE))
    password, zone = filled.values["password"], filled.values["zone"]
    try:
        token = await request.app[PARTS].sign_ups.confirm_link(code, password, request[VISIT], zone)
    except RefusedError as error:
        return await _link_page(request, code, refused(error), status_of(error))
    raise signed_in(Entered(signin.SIGNED_IN, token, lead=True))


BY_LINK = Opened(N_("Confirm your e-mail"), _look, _confirm_by_link)


async def sign_in(request: web.Request) -> web.StreamResponse:
    return sign_in_page(request, forms.empty(forms.SIGN_IN))


async def post_sign_in(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, forms.SIGN_IN)
    if filled.values["email"] and is_user_name(filled.values["email"]):
        return await resets.post_forgotten(request)  # the password is not even looked at
    if filled.errors:
        return sign_in_page(request, filled, 422)
    try:
        entered = await request.app[PARTS].entry.password(
            filled.values["email"], filled.values["password"], request[VISIT]
        )
    except RefusedError as error:
        return sign_in_page(request, filled._replace(errors=refused(error)), status_of(error))
    raise signed_in(entered)


async def post_sign_out(request: web.Request) -> web.StreamResponse:
    await request.app[PARTS].sessions.end(request[VISIT].open_session.id, request[VISIT])
    raise leave(web.HTTPSeeOther("/sign-in?done=signed-out"), SESSION_COOKIE)


def _personal(values: dict[str, str]) -> tuple[str, ...]:
    return (values["email"].partition("@")[0], values["first_name"], values["last_name"], "gatelodge")


def _sign_up_page(request: web.Request, filled: forms.Filled, status: int = 200) -> web.Response:
    return page(request, "sign_up.html", form=filled, status=status)


async def _confirm_page(
    request: web.Request, errors: dict[str, str] | None = None, status: int = 200
) -> web.Response:
    pending = await request.app[PARTS].sign_ups.pending(request[VISIT])
    if pending is None:
        raise web.HTTPSeeOther("/sign-up")
    return page(request, "confirm.html", email=pending.email, errors=errors or {}, status=status)


async def _link_page(
    request: web.Request, code: str, errors: dict[str, str], status: int = 200
) -> web.Response:
    visit = request[VISIT]
    pending = await request.app[PARTS].sign_ups.by_link(code, visit.now)
    if pending is None:
        return page(request, "link_over.html", status=410)
    asks = not request.app[PARTS].sign_ups.same_browser(pending, visit)
    context = {"email": pending.email, "asks_password": asks, "code": code}
    return page(request, "confirm_link.html", errors=errors, status=status, **context)
