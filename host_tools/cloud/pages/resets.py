"""Pages of a forgotten password: ask, prove by code or link, set a new one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from host_tools.cloud.accounts.emails import is_user_name
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import deliveries, forms, live
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.opened import Opened
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.second_step import signed_in
from host_tools.cloud.parts import PARTS

CODE_PAGE = "/forgotten/code"


async def forgotten(request: web.Request) -> web.StreamResponse:
    return page(request, "forgotten.html", form=forms.empty((forms.EMAIL_LOGIN,)))


async def post_forgotten(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.EMAIL_LOGIN,))
    status = 422
    if not filled.errors:
        try:
            await request.app[PARTS].resets.begin(filled.values["email"], request[VISIT])
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
    if filled.errors:
        return page(request, "forgotten.html", form=filled, status=status)
    raise web.HTTPSeeOther(code_page_of(filled.values["email"]))


def code_page_of(who: str) -> str:
    """Where the code is entered; it says how to sign in from now on, where a user name was entered."""
    return CODE_PAGE + ("?by=user-name" if is_user_name(who) else "")


async def code(request: web.Request) -> web.StreamResponse:
    return await _code_page(request, {})


async def post_code(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.CODE,))
    errors, status = filled.errors, 422
    if not errors:
        try:
            typed = "".join(filled.values["code"].split())
            await request.app[PARTS].resets.prove(typed, request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return await _code_page(request, errors, status)
    raise web.HTTPSeeOther("/forgotten/password")


async def code_live(request: web.Request) -> web.StreamResponse:
    """What becomes of the message, where this browser may know."""
    parts, visit = request.app[PARTS], request[VISIT]

    async def snapshot() -> dict[str, Any] | None:
        state = await parts.resets.progress(replace(visit, now=parts.clock()))
        return None if state is None else {"delivery": deliveries.told(deliveries.RESET, state)}

    return await live.stream(request, snapshot, ("reset",), visit.browser_hash)


async def new_password(request: web.Request) -> web.StreamResponse:
    """In the browser that asked, once it knew the mail's code: without a link's."""
    return await _look(request, "")


async def post_new_password(request: web.Request) -> web.StreamResponse:
    return await _set_password(request, "")


async def _look(request: web.Request, link_code: str) -> web.StreamResponse:
    return await _password_page(request, link_code, {})


async def _set_password(request: web.Request, link_code: str) -> web.StreamResponse:
    filled = await forms.read(request, (forms.NEXT_PASSWORD, forms.TERMS_IF_NEW))
    errors, status = filled.errors, 422
    if not errors:
        password, terms = filled.values["new_password"], bool(filled.values["terms"])
        try:
            entered = await request.app[PARTS].resets.finish(link_code, password, terms, request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return await _password_page(request, link_code, errors, status)
    raise signed_in(entered)


BY_LINK = Opened(N_("New password"), _look, _set_password)


async def _code_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    if not errors and not await request.app[PARTS].resets.waits(request[VISIT]):
        raise web.HTTPSeeOther("/forgotten")
    by_user_name = request.query.get("by") == "user-name"
    state = await request.app[PARTS].resets.progress(request[VISIT])
    context = {"delivery": deliveries.told(deliveries.RESET, state or ""), "live": state is not None}
    return page(
        request, "forgotten_code.html", errors=errors, by_user_name=by_user_name, status=status, **context
    )


async def _password_page(
    request: web.Request, link_code: str, errors: dict[str, str], status: int = 200
) -> web.Response:
    account = await request.app[PARTS].resets.whose(link_code, request[VISIT])
    if account is None:
        return page(request, "reset_over.html", status=410)
    context = {"email": account.email, "asks_terms": not account.terms_version, "code": link_code}
    return page(request, "new_password.html", errors=errors, status=status, **context)
