"""Pages of the help centre, for the person who asks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.help import attachments, diagnostics
from host_tools.cloud.help.attachments import FIELD, FILE_MAX, FILES_MAX, Attachment
from host_tools.cloud.help.records import Correspondence
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.pages import forms, report_words, uploads
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.live import account_stream
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.help_models import HelpFile
from host_tools.cloud.store.models import Router

TICKS = (forms.HELP_DIAGNOSTICS, forms.HELP_LOOK)
NEW = (forms.SUBJECT, forms.HELP_ROUTER, forms.HELP_TEXT, *TICKS)
WRITE = (forms.HELP_TEXT, *TICKS)
WORDS = {"waiting": N_("Waiting for support"), "answered": N_("Answered"), "closed": N_("Closed")}


async def overview(request: web.Request) -> web.StreamResponse:
    found = await request.app[PARTS].help.of(request[VISIT].signed_in.id)
    return page(request, "help.html", requests=found, words=WORDS)


async def new(request: web.Request) -> web.StreamResponse:
    filled = forms.empty(NEW)
    routers = await _routers(request)
    if len(routers) == 1:
        filled.values["router"] = routers[0].serial_number
    return await _new_page(request, filled)


async def post_new(request: web.Request) -> web.StreamResponse:
    filled, status = await forms.read(request, NEW), 422
    values = filled.values
    if not filled.errors:
        try:
            request_id = await request.app[PARTS].help.open(
                values["subject"],
                values["text"],
                values["router"],
                await attached(request),
                request[VISIT],
                _wanted(values),
            )
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
        else:
            raise web.HTTPSeeOther(f"/help/{request_id}?done=help-asked")
    return await _new_page(request, filled, status)


async def correspondence(request: web.Request) -> web.StreamResponse:
    return await _page(request, forms.empty(WRITE))


async def post_write(request: web.Request) -> web.StreamResponse:
    filled, status = await forms.read(request, WRITE), 422
    request_id, values = request.match_info["id"], filled.values
    if not filled.errors:
        try:
            await request.app[PARTS].help.write(
                request_id, values["text"], await attached(request), request[VISIT], _wanted(values)
            )
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
        else:
            raise web.HTTPSeeOther(f"/help/{request_id}?done=help-written")
    return await _page(request, filled, status)


def _wanted(values: dict[str, str]) -> str:
    """Of the diagnostics; who ticked no more than to look at them first wants none."""
    if not values["diagnostics"]:
        return diagnostics.NOT
    return diagnostics.LOOK_FIRST if values["look_first"] else diagnostics.AT_ONCE


async def post_close(request: web.Request) -> web.StreamResponse:
    request_id = request.match_info["id"]
    await request.app[PARTS].help.close(request_id, request[VISIT])
    raise web.HTTPSeeOther(f"/help/{request_id}?done=help-closed")


async def report(request: web.Request) -> web.StreamResponse:
    place, reports = request.match_info, request.app[PARTS].help.diagnostics
    found, file = await reports.read(place["id"], place["report_id"], request[VISIT])
    sections = report_words.told(file.content) if file else []
    return page(
        request, "help_report.html", report=found, file=file, sections=sections,
        offer=reports.offer(found.serial_number), state=report_words.state(found), words=report_words.STATES,
    )  # fmt: skip


async def post_attach_report(request: web.Request) -> web.StreamResponse:
    place, reports = request.match_info, request.app[PARTS].help.diagnostics
    if await reports.attach(place["id"], place["report_id"], request[VISIT]):
        raise web.HTTPSeeOther(f"/help/{place['id']}?done=report-attached")
    raise web.HTTPSeeOther(f"/help/{place['id']}/diagnostics/{place['report_id']}")  # it says why


async def post_remove_report(request: web.Request) -> web.StreamResponse:
    place = request.match_info
    await request.app[PARTS].help.diagnostics.remove(place["id"], place["report_id"], request[VISIT])
    raise web.HTTPSeeOther(f"/help/{place['id']}?done=report-removed")


async def live_correspondence(request: web.Request) -> web.StreamResponse:
    """Until the diagnostics that were asked for have come: the page loads itself again then."""
    parts, visit, request_id = request.app[PARTS], request[VISIT], request.match_info["id"]

    async def snapshot() -> dict[str, Any] | None:
        return {"version": _version(await parts.help.read(request_id, visit))}

    return await account_stream(request, snapshot, f"help:{request_id}")


def _version(found: Correspondence) -> str:
    reports = [report for written in found.messages for report in written.reports]
    return " ".join(f"{report.id}:{report_words.state(report)}" for report in reports)


async def file(request: web.Request) -> web.StreamResponse:
    place = request.match_info
    return download(await request.app[PARTS].help.file(place["id"], place["file_id"], request[VISIT]))


def download(found: HelpFile) -> web.Response:
    """Never shown, only saved, whatever it is (RFC 6266): what strangers attach must not run as our page."""
    plain = "".join(each if each.isascii() and each != "%" else "_" for each in found.name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Security-Policy": "sandbox; default-src 'none'"}
    return web.Response(body=found.content, content_type="application/octet-stream", headers=headers)


async def attached(request: web.Request) -> list[Attachment]:
    """The form's files, checked and looked through. Raises RefusedError."""
    sent = uploads.files(request)
    if len(sent) > FILES_MAX:
        raise RefusedError(FIELD, "Attach at most %(count)s files.", count=FILES_MAX)
    for name, content in sent:
        if len(content) > FILE_MAX:
            named = attachments.safe_name(name)
            wrong = N_("“%(name)s” is too large. A file may have %(megabytes)s MB.")
            raise RefusedError(FIELD, wrong, name=named, megabytes=FILE_MAX >> 20)
    found = [attachments.checked(*upload) for upload in sent]
    scanner = request.app[PARTS].scanner
    if scanner is not None:
        await scanner.check(found)
    return found


async def _new_page(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    parts, routers = request.app[PARTS], await _routers(request)
    offers = {each.serial_number: parts.help.diagnostics.offer(each.serial_number) for each in routers}
    named = [(each.serial_number, _router_words(each, offers)) for each in routers]
    return page(
        request, "help_new.html", form=form, routers=[("", _("None of them")), *named], status=status,
        offer=_offer_of(set(offers.values())), promised=report_words.promised(),
    )  # fmt: skip


async def _routers(request: web.Request) -> list[Router]:
    views = await request.app[PARTS].ownership.routers(request[VISIT].signed_in.id)
    return [view.router for view in views]


def _router_words(router: Router, offers: dict[str, str]) -> str:
    name, offer = f"{router.model}, {router.serial_number}", offers[router.serial_number]
    if offer == diagnostics.OLD:
        return _("%(router)s: too old to send diagnostics", router=name)
    return _("%(router)s: offline", router=name) if offer == diagnostics.OFFLINE else name


def _offer_of(offers: set[str]) -> str:
    """Of all routers together: the list says which of them is offline or too old."""
    for offer in (diagnostics.ONLINE, diagnostics.OFFLINE, diagnostics.OLD):
        if offer in offers:
            return offer
    return diagnostics.NO_ROUTER


async def _page(request: web.Request, form: forms.Filled, status: int = 200) -> web.Response:
    centre, visit, request_id = request.app[PARTS].help, request[VISIT], request.match_info["id"]
    found = await centre.read(request_id, visit)
    offer = await centre.diagnostics.offer_for(request_id, visit)
    under_way = offer == diagnostics.ON_THE_WAY
    online = centre.diagnostics.offer(found.request.serial_number or "") == diagnostics.ONLINE
    return page(
        request, "help_request.html", found=found, form=form, words=WORDS, status=status, offer=offer,
        expected=under_way and online, version=_version(found), promised=report_words.promised(),
        report_words=report_words.STATES,
    )  # fmt: skip
