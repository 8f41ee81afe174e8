"""Pages on which whoever is signed in proves once more who they are (accounts/proof.py)."""

from __future__ import annotations

import re

from aiohttp import web

from host_tools.cloud.accounts import numbers, proof
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.outside import flow
from host_tools.cloud.pages import forms, second_step
from host_tools.cloud.pages.cookies import set_cookie
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.oidc import passing_page
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS

QUESTION_COOKIE = "__Host-cloud-outside"
PAGE = "/security/prove"
HOME = "/security"
# Where a person is led back to: a page of the account, by its path alone.
TARGET = re.compile(r"/(security|profile|routers|clients)(/[A-Za-z0-9_.:-]{1,64}){0,4}")
TYPED = (proof.MAIL, proof.AUTHENTICATOR, proof.SMS, proof.TELEGRAM, proof.RECOVERY)
WORDS = {way: second_step.WORDS[way] for way in TYPED}
NEXT = forms.Field("next", "", 200, optional=True)
WAY = forms.Field("way", "", 20, optional=True)


def target(text: str) -> str:
    return text if TARGET.fullmatch(text) and "/.." not in text else HOME


async def prove(request: web.Request) -> web.StreamResponse:
    return await _page(request, request.query.get("next", ""), {})


async def post_password(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.PASSWORD, NEXT))
    back = filled.values["next"]
    if filled.errors:
        return await _page(request, back, filled.errors, 422)
    try:
        await request.app[PARTS].proving.password(filled.values["password"], request[VISIT])
    except RefusedError as error:
        return await _page(request, back, refused(error), status_of(error))
    raise web.HTTPSeeOther(await onward(request, back))


async def options(request: web.Request) -> web.StreamResponse:
    """What a browser's script needs before it asks for a passkey."""
    text = await request.app[PARTS].proving.ask_passkey(request[VISIT])
    return web.Response(text=text, content_type="application/json")


async def post_passkey(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.CREDENTIAL, NEXT))
    back = filled.values["next"]
    if filled.errors:
        return await _page(request, back, {"": next(iter(filled.errors.values()))}, 422)
    try:
        await request.app[PARTS].proving.passkey(filled.values["credential"], request[VISIT])
    except RefusedError as error:
        return await _page(request, back, refused(error), status_of(error))
    raise web.HTTPSeeOther(await onward(request, back))


async def post_send(request: web.Request) -> web.StreamResponse:
    """A code: to the account's e-mail, to a phone, or in a chat."""
    filled = await forms.read(request, (WAY, NEXT))
    try:
        await request.app[PARTS].proving.send(filled.values["way"], request[VISIT])
    except RefusedError as error:
        return await _page(request, filled.values["next"], refused(error), status_of(error))
    raise web.HTTPSeeOther(f"{PAGE}?next={target(filled.values['next'])}")


async def post_code(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.CODE, WAY, NEXT))
    values, back = filled.values, filled.values["next"]
    if filled.errors:
        return await _page(request, back, filled.errors, 422, values["way"])
    try:
        await request.app[PARTS].proving.code(values["way"], values["code"], request[VISIT])
    except RefusedError as error:
        return await _page(request, back, refused(error), status_of(error), values["way"])
    raise web.HTTPSeeOther(await onward(request, back))


async def post_outside(request: web.Request) -> web.StreamResponse:
    """To a provider, which asks its person again; pages/outside.py takes the answer."""
    filled = await forms.read(request, (NEXT,))
    parts, visit, back = request.app[PARTS], request[VISIT], target(filled.values["next"])
    provider_id = request.match_info["provider"]
    if provider_id not in await parts.proving.providers(visit):
        raise web.HTTPNotFound
    purpose = f"{flow.PROVE}{visit.open_session.id} {back}"
    try:
        address, cookie = await parts.outside.begin(provider_id, purpose, visit)
    except RefusedError as error:
        return await _page(request, back, refused(error), status_of(error))
    answer = passing_page(request, None, address)
    set_cookie(answer, QUESTION_COOKIE, cookie, flow.LASTS_S)
    return answer


async def onward(request: web.Request, back: str) -> str:
    """After one part was proved: to the other, or back to what takes them."""
    step = await request.app[PARTS].proving.step(request[VISIT])
    return f"{PAGE}?next={target(back)}" if step.part else target(back)


async def _page(
    request: web.Request, back: str, errors: dict[str, str], status: int = 200, tried: str = ""
) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    step = await parts.proving.step(visit)
    if not step.two_factor and step.ways in ((), (proof.PASSWORD,)):  # the form itself asks for it
        raise web.HTTPSeeOther(target(back))
    names = {one.outside.id: one.outside.name for one in parts.outside.providers.values()}
    providers = await parts.proving.providers(visit) if proof.OUTSIDE in step.ways else []
    typed = [proof.BY_NAME[way] for way in step.ways if way in WORDS]
    return page(
        request,
        "prove.html",
        step=step,
        typed=typed,
        words=WORDS,
        providers=[(each, names[each]) for each in providers],
        sent=await parts.proving.sent([way.name for way in typed], visit),
        left_s=await parts.factors.code_left_s(visit.signed_in.id, visit.now),
        back=target(back),
        tried=tried,
        hinted=_hinted,
        errors=errors,
        status=status,
    )


def _hinted(recipient: str) -> str:
    return numbers.hinted(recipient) if recipient.startswith("+") else "Telegram"
