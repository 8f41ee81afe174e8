"""Pages of the help centre, for the person who asks."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.help import attachments
from host_tools.cloud.help.attachments import FIELD, FILE_MAX, FILES_MAX, Attachment
from host_tools.cloud.pages import forms, uploads
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.help_models import HelpFile

NEW = (forms.SUBJECT, forms.HELP_ROUTER, forms.HELP_TEXT)
WORDS = {"waiting": "Waiting for support", "answered": "Answered", "closed": "Closed"}


async def overview(request: web.Request) -> web.StreamResponse:
    found = await request.app[PARTS].help.of(request[VISIT].signed_in.id)
    return page(request, "help.html", requests=found, words=WORDS)


async def new(request: web.Request) -> web.StreamResponse:
    return await _new_page(request, forms.empty(NEW))


async def post_new(request: web.Request) -> web.StreamResponse:
    filled, status = await forms.read(request, NEW), 422
    values = filled.values
    if not filled.errors:
        try:
            request_id = await request.app[PARTS].help.open(
                values["subject"], values["text"], values["router"], attached(request), request[VISIT]
            )
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
        else:
            raise web.HTTPSeeOther(f"/help/{request_id}?done=help-asked")
    return await _new_page(request, filled, status)


async def correspondence(request: web.Request) -> web.StreamResponse:
    return await _page(request, forms.empty((forms.HELP_TEXT,)))


async def post_write(request: web.Request) -> web.StreamResponse:
    filled, status = await forms.read(request, (forms.HELP_TEXT,)), 422
    request_id = request.match_info["id"]
    if not filled.errors:
        try:
            await request.app[PARTS].help.write(
                request_id, filled.values["text"], attached(request), request[VISIT]
            )
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
        else:
            raise web.HTTPSeeOther(f"/help/{request_id}?done=help-written")
    return await _page(request, filled, status)


async def post_close(request: web.Request) -> web.StreamResponse:
    request_id = request.match_info["id"]
    await request.app[PARTS].help.close(request_id, request[VISIT])
    raise web.HTTPSeeOther(f"/help/{request_id}?done=help-closed")


async def file(request: web.Request) -> web.StreamResponse:
    place = request.match_info
    return download(await request.app[PARTS].help.file(place["id"], place["file_id"], request[VISIT]))


def download(found: HelpFile) -> web.Response:
    """Never shown, only saved, whatever it is (RFC 6266): what strangers attach must not run as our page."""
    plain = "".join(each if each.isascii() and each != "%" else "_" for each in found.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox; default-src 'none'"}
    return web.Response(body=found.content, content_type="application/octet-stream", headers=headers)


def attached(request: web.Request) -> list[Attachment]:
    """The form's files, checked. Raises RefusedError."""
    sent = uploads.files(request)
    if len(sent) > FILES_MAX:
        raise RefusedError(FIELD, f"Attach at most {FILES_MAX} files.")
    for name, content in sent:
        if len(content) > FILE_MAX:
            named = attachments.safe_name(name)
            raise RefusedError(FIELD, f"“{named}” is too large. A file may have {FILE_MAX >> 20} MB.")
    return [attachments.checked(*upload) for upload in sent]


async def _new_page(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    views = await request.app[PARTS].ownership.routers(request[VISIT].signed_in.id)
    routers = [view.router for view in views]
    named = [(router.serial_number, f"{router.model}, {router.serial_number}") for router in routers]
    return page(request, "help_new.html", form=form, routers=[("", "None of them"), *named], status=status)


async def _page(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    found = await request.app[PARTS].help.read(request.match_info["id"], request[VISIT])
    return page(request, "help_request.html", found=found, form=form, words=WORDS, status=status)
