"""Pages of Telegram: make a link, confirm the chat that opened it, remove one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import _
from host_tools.cloud.pages import forms, live
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.security import qr_picture
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.telegram_models import TelegramLink

LINK = "/security/telegram/link"


async def add(request: web.Request) -> web.StreamResponse:
    return page(request, "add_telegram.html", errors={})


async def post_add(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    errors, status = filled.errors, 422
    if not errors:
        try:
            await request.app[PARTS].telegram.begin(filled.values["password"], request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return page(request, "add_telegram.html", errors=errors, status=status)
    raise web.HTTPSeeOther(LINK)


async def link(request: web.Request) -> web.StreamResponse:
    return await _link_page(request, {})


async def post_link(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _link_page(request, filled.errors, 422)
    try:
        codes = await request.app[PARTS].telegram.finish(filled.values["password"], request[VISIT])
    except RefusedError as error:
        return await _link_page(request, refused(error), status_of(error))
    return page(request, "telegram_added.html", codes=codes)


async def link_live(request: web.Request) -> web.StreamResponse:
    """Whether somebody has opened the link."""
    parts, visit = request.app[PARTS], request[VISIT]

    async def snapshot() -> dict[str, Any] | None:
        found = await parts.telegram.pending(replace(visit, now=parts.clock()))
        return {"version": _version(found)} if found else None

    return await live.account_stream(request, snapshot, f"telegram:{visit.open_session.id}")


async def remove(request: web.Request) -> web.StreamResponse:
    return await _remove_page(request, {})


async def post_remove(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _remove_page(request, filled.errors, 422)
    telegram, chat_id = request.app[PARTS].telegram, request.match_info["id"]
    try:
        await telegram.remove(chat_id, filled.values["password"], request[VISIT])
    except RefusedError as error:
        return await _remove_page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/security?done=telegram-removed")


def _version(row: TelegramLink) -> str:
    return "opened" if row.chat else "waiting"


async def _link_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    telegram = request.app[PARTS].telegram
    row = await telegram.pending(request[VISIT])
    if row is None:
        raise web.HTTPSeeOther("/security/telegram/add")
    address = telegram.address(row)
    picture = qr_picture(address, _("QR code that opens Telegram"))
    version = _version(row)
    return page(
        request,
        "link_telegram.html",
        link=row,
        address=address,
        picture=picture,
        version=version,
        errors=errors,
        status=status,
    )


async def _remove_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    held = await request.app[PARTS].telegram.of(request[VISIT].signed_in.id)
    found = [chat for chat in held if chat.id == request.match_info["id"]]
    if not found:
        raise web.HTTPNotFound
    return page(request, "remove_telegram.html", name=found[0].name, errors=errors, status=status)
