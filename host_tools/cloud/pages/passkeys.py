"""Pages of passkeys: signing in by one, and the account's own."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.accounts import signin
from host_tools.cloud.accounts.attempts import START_AGAIN
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.first_step import sign_in_page
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.second_step import code_page, signed_in
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.passkey_models import Passkey

ADD = (forms.OWN_PASSWORD,)
FINISH = (forms.PASSKEY_NAME, forms.CREDENTIAL)


async def first_options(request: web.Request) -> web.StreamResponse:
    """What a browser's script needs before it asks for a passkey."""
    return _json(request.app[PARTS].passkeys.ask_first(request[VISIT]))


async def post_first(request: web.Request) -> web.StreamResponse:
    """A sign-in without a password."""
    filled = await forms.read(request, (forms.CREDENTIAL,))
    form = forms.empty(forms.SIGN_IN)
    try:
        _complain(filled)
        entered = await request.app[PARTS].entry.passkey(filled.values["credential"], request[VISIT])
    except RefusedError as error:
        return sign_in_page(request, form._replace(errors=refused(error)), status_of(error))
    raise signed_in(entered)


async def second_options(request: web.Request) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    waiting = await parts.second_step.waiting(visit)
    if waiting is None or waiting.row.method != signin.PASSKEY:
        raise web.HTTPNotFound
    return _json(await parts.passkeys.ask_second(waiting.row, visit))


async def post_second(request: web.Request) -> web.StreamResponse:
    """A passkey after the password."""
    filled = await forms.read(request, (forms.CREDENTIAL, forms.TRUST))
    second, wants_trust = request.app[PARTS].second_step, bool(filled.values["trust"])
    try:
        _complain(filled)
        waiting = await second.waiting(request[VISIT])
        if waiting is None or waiting.row.method != signin.PASSKEY:
            raise RefusedError("", START_AGAIN)
        entered = await second.answer(filled.values["credential"], wants_trust, request[VISIT])
    except RefusedError as error:
        return await code_page(request, {"": error.text}, status_of(error))
    raise signed_in(entered)


async def add(request: web.Request) -> web.StreamResponse:
    return page(request, "add_passkey.html", errors={})


async def post_add(request: web.Request) -> web.StreamResponse:
    """The password first: the page that answers holds what the browser is to make."""
    filled = await forms.read(request, ADD)
    errors, status, options = filled.errors, 422, ""
    if not errors:
        try:
            options = await request.app[PARTS].passkeys.begin(filled.values["password"], request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return page(request, "add_passkey.html", errors=errors, status=status)
    return page(request, "make_passkey.html", options=options)


async def post_finish(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, FINISH)
    name, credential = (filled.values[field.name] for field in FINISH)
    try:
        _complain(filled)
        codes = await request.app[PARTS].passkeys.finish(name, credential, request[VISIT])
    except RefusedError as error:
        return page(request, "add_passkey.html", errors={"": error.text}, status=status_of(error))
    return page(request, "passkey_added.html", codes=codes, name=name)


async def passkey(request: web.Request) -> web.StreamResponse:
    return await _page(request, {})


async def post_rename(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.PASSKEY_NAME,))
    if filled.errors:
        return await _page(request, filled.errors, 422)
    passkey_id, name = request.match_info["id"], filled.values["name"]
    await request.app[PARTS].passkeys.rename(passkey_id, name, request[VISIT])
    raise web.HTTPSeeOther("/security?done=passkey-renamed")


async def post_remove(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _page(request, filled.errors, 422)
    passkey_id, password = request.match_info["id"], filled.values["password"]
    try:
        await request.app[PARTS].passkeys.remove(passkey_id, password, request[VISIT])
    except RefusedError as error:
        return await _page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/security?done=passkey-removed")


def _complain(filled: forms.Filled) -> None:
    """One sentence for a form whose fields a script fills."""
    for text in filled.errors.values():
        raise RefusedError("", text)


def _json(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/json")


async def _page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    held = await request.app[PARTS].passkeys.of(request[VISIT].signed_in.id)
    found: list[Passkey] = [row for row in held if row.id == request.match_info["id"]]
    if not found:
        raise web.HTTPNotFound
    return page(request, "passkey.html", held=found[0], errors=errors, status=status)
