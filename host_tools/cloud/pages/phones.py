"""Pages of phone numbers: add one, prove it by a code, remove it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from host_tools.cloud.accounts import numbers
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.pages import deliveries, forms, live
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

ADD = (forms.PHONE, forms.OWN_PASSWORD)


async def add(request: web.Request) -> web.StreamResponse:
    return page(request, "add_phone.html", form=forms.empty(ADD))


async def post_add(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, ADD)
    if filled.errors:
        return page(request, "add_phone.html", form=filled, status=422)
    number, password = (filled.values[field.name] for field in ADD)
    try:
        await request.app[PARTS].phones.begin(number, password, request[VISIT])
    except RefusedError as error:
        told = filled._replace(errors=refused(error))
        return page(request, "add_phone.html", form=told, status=status_of(error))
    raise web.HTTPSeeOther("/security/phones/confirm")


async def confirm(request: web.Request) -> web.StreamResponse:
    return await _confirm_page(request, {})


async def post_confirm(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.CODE,))
    if filled.errors:
        return await _confirm_page(request, filled.errors, 422)
    try:
        codes = await request.app[PARTS].phones.finish(filled.values["code"], request[VISIT])
    except RefusedError as error:
        return await _confirm_page(request, refused(error), status_of(error))
    return page(request, "phone_added.html", codes=codes)


async def confirm_live(request: web.Request) -> web.StreamResponse:
    """What becomes of the message."""

    async def snapshot() -> dict[str, Any] | None:
        return {"delivery": await _delivery(request)}

    return await live.account_stream(request, snapshot, "phone")


async def remove(request: web.Request) -> web.StreamResponse:
    return await _remove_page(request, {})


async def post_remove(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _remove_page(request, filled.errors, 422)
    phones, phone_id = request.app[PARTS].phones, request.match_info["id"]
    try:
        await phones.remove(phone_id, filled.values["password"], request[VISIT])
    except RefusedError as error:
        return await _remove_page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/security?done=phone-removed")


async def _confirm_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    number = await request.app[PARTS].phones.pending(request[VISIT])
    if number is None:
        raise web.HTTPSeeOther("/security/phones/add")
    number = numbers.readable(number)
    delivery = await _delivery(request)
    context = {"number": number, "delivery": delivery, "errors": errors}
    return page(request, "confirm_phone.html", status=status, **context)


async def _delivery(request: web.Request) -> str:
    return deliveries.told(deliveries.NUMBER, await request.app[PARTS].phones.progress(request[VISIT]))


async def _remove_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    held = await request.app[PARTS].phones.of(request[VISIT].signed_in.id)
    found = [phone for phone in held if phone.id == request.match_info["id"]]
    if not found:
        raise web.HTTPNotFound
    number = numbers.readable(found[0].number)
    return page(request, "remove_phone.html", number=number, errors=errors, status=status)
