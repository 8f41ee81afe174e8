"""The security page: authenticators and recovery codes."""

from __future__ import annotations

import segno
from aiohttp import web
from markupsafe import Markup, escape

from host_tools.cloud.accounts import drift
from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.factors import AUTHENTICATORS_MAX
from host_tools.cloud.accounts.totp import ALGORITHMS, SHA1
from host_tools.cloud.languages.text import _
from host_tools.cloud.pages import forms
from host_tools.cloud.pages.guards import refused, status_of
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.models import Authenticator

ADD = (forms.AUTHENTICATOR_NAME, forms.CODE, forms.OWN_PASSWORD)
QUIET_ZONE = 4  # ISO/IEC 18004: modules of light around the picture


async def overview(request: web.Request) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    factors, account_id = parts.factors, visit.signed_in.id
    return page(
        request,
        "security.html",
        authenticators=await factors.authenticators(account_id),
        codes_left=await factors.recovery.left(account_id),
        clock_of=drift.learned,
        algorithms=ALGORITHMS,
        is_old=lambda held: held.algorithm not in factors.rule.allowed,
        authenticators_max=AUTHENTICATORS_MAX,
        waits=await parts.waiting.of(account_id),
        passkeys=await parts.passkeys.of(account_id),
        passkeys_possible=parts.passkeys.possible,
        phones=await parts.phones.of(account_id),
        phones_possible=parts.phones.possible,
        are_called=parts.phones.are_called,
        chats=await parts.telegram.of(account_id),
        telegram_possible=parts.telegram.possible,
        outside_possible=bool(parts.outside.providers),
        push_state=await parts.pushes.state(visit),
        browsers=await parts.trusted.of(account_id, visit.now),
        this_browser=visit.browser_hash,
        place_of=parts.places.of,
    )


async def add(request: web.Request) -> web.StreamResponse:
    """?algorithm=SHA256: not what the operator's rule proposes, but something that it allows."""
    return await _add_page(request, forms.empty(ADD))


async def post_add(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, ADD)
    if filled.errors:
        return await _add_page(request, filled, 422)
    name, code, password = (filled.values[field.name] for field in ADD)
    try:
        made = await request.app[PARTS].factors.finish_enrolment(name, code, password, request[VISIT])
    except RefusedError as error:
        return await _add_page(request, filled._replace(errors=refused(error)), status_of(error))
    clock = drift.learned(made.drift_s)
    return page(request, "authenticator_added.html", codes=made.codes, name=name, clock=clock)


async def remove(request: web.Request) -> web.StreamResponse:
    return await _remove_page(request, {})


async def post_remove(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        return await _remove_page(request, filled.errors, 422)
    try:
        await request.app[PARTS].factors.remove(
            request.match_info["id"], filled.values["password"], request[VISIT]
        )
    except RefusedError as error:
        return await _remove_page(request, refused(error), status_of(error))
    raise web.HTTPSeeOther("/security?done=authenticator-removed")


async def recovery_codes(request: web.Request) -> web.StreamResponse:
    return page(request, "recovery_codes.html", codes=[], errors={})


async def post_recovery_codes(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    errors, codes, status = filled.errors, [], 422
    if not errors:
        try:
            codes = await request.app[PARTS].factors.new_recovery_codes(
                filled.values["password"], request[VISIT]
            )
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    status = status if errors else 200
    return page(request, "recovery_codes.html", codes=codes, errors=errors, status=status)


def qr_picture(uri: str, label: str) -> Markup:
    """The QR code as inline SVG, dark on light in the dark too: many phones cannot read it inverted."""
    code = segno.make(uri, error="m", micro=False)
    picture = code.svg_inline(
        border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(picture.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1))


async def _add_page(request: web.Request, filled: forms.Filled, status: int = 200) -> web.Response:
    factors = request.app[PARTS].factors
    enrolment = await factors.begin_enrolment(request[VISIT], request.query.get("algorithm", ""))
    key = " ".join(enrolment.secret[i : i + 4] for i in range(0, len(enrolment.secret), 4))
    picture = qr_picture(enrolment.uri, _("QR code for your authenticator app"))
    return page(
        request,
        "add_authenticator.html",
        form=filled,
        picture=picture,
        key=key,
        uri=enrolment.uri,
        algorithm=ALGORITHMS[enrolment.algorithm].name,
        others={each: ALGORITHMS[each].name for each in factors.rule.allowed if each != enrolment.algorithm},
        is_usual=enrolment.algorithm == SHA1,
        status=status,
    )


async def _remove_page(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    held = await request.app[PARTS].factors.authenticators(request[VISIT].signed_in.id)
    found: list[Authenticator] = [row for row in held if row.id == request.match_info["id"]]
    if not found:
        raise web.HTTPNotFound
    return page(
        request, "remove_authenticator.html", held=found[0], last=len(held) == 1, errors=errors, status=status
    )
