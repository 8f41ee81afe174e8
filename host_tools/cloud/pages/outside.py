"""Pages of accounts elsewhere: signing in by one, signing up by one, connecting and disconnecting them."""

from __future__ import annotations

from typing import TypeVar

from aiohttp import web

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.accounts.sessions import WHOLE_S
from host_tools.cloud.outside import flow
from host_tools.cloud.outside.identity import Identity
from host_tools.cloud.pages import forms, proof
from host_tools.cloud.pages.cookies import own_cookie, set_cookie
from host_tools.cloud.pages.going import set_going
from host_tools.cloud.pages.guards import SESSION_COOKIE, refused, status_of
from host_tools.cloud.pages.oidc import passing_page
from host_tools.cloud.pages.proof import QUESTION_COOKIE
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.pages.second_step import signed_in
from host_tools.cloud.parts import PARTS

IDENTITY_COOKIE = "__Host-cloud-identity"
FINISH = "/security/outside/finish"
OWN_SITES = ("same-origin", "none")  # our page, or an address that somebody typed
Answer = TypeVar("Answer", bound=web.StreamResponse)
SIGN_UP = (forms.FIRST_NAME, forms.LAST_NAME, forms.COUNTRY, forms.TERMS)


async def begin(request: web.Request) -> web.StreamResponse:
    """A link, for a form may lead to no other site. It changes nothing here.

    From another site it leads to the sign-in: a provider that asks nothing would make a session unasked.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in OWN_SITES:
        raise web.HTTPSeeOther("/sign-in")
    return await _ask(request, flow.SIGN_IN)


async def answer(request: web.Request) -> web.StreamResponse:
    """Back from the provider."""
    parts, visit = request.app[PARTS], request[VISIT]
    asked, given = own_cookie(request, QUESTION_COOKIE), dict(request.query)
    try:
        identity, purpose = await parts.outside.answer(_provider_id(request), asked, given, visit)
        if purpose == flow.SIGN_IN:
            return _sent(_forget(await _enter(request, identity), QUESTION_COOKIE))
        if purpose.startswith(flow.PROVE):
            back = await _proved(request, identity, purpose)
            raise _forget(web.HTTPSeeOther(back), QUESTION_COOKIE)
        if visit.session is None or visit.session.id != purpose:
            raise RefusedError("", flow.FAILED)
        await parts.links.add(identity, _name(request, identity.provider), visit)
    except RefusedError as error:
        failed = page(request, "outside_failed.html", errors=refused(error), status=422)
        return _forget(failed, QUESTION_COOKIE)
    raise _forget(web.HTTPSeeOther("/security/outside?done=outside-added"), QUESTION_COOKIE)


async def new(request: web.Request) -> web.StreamResponse:
    """Nobody here is connected to that account: sign up by it, or sign in and connect it."""
    identity = _kept(request)
    given = {"first_name": identity.first_name, "last_name": identity.last_name}
    form = forms.empty(SIGN_UP)
    return _new_page(request, identity, form._replace(values={**form.values, **given}))


async def post_new(request: web.Request) -> web.StreamResponse:
    identity = _kept(request)
    filled = await forms.read(request, (*SIGN_UP, forms.BROWSERS_ZONE))
    values, status = filled.values, 422
    if not filled.errors:
        names = (values["first_name"], values["last_name"], values["country"])
        try:
            token = await request.app[PARTS].links.sign_up(identity, *names, request[VISIT], values["zone"])
        except RefusedError as error:
            filled, status = filled._replace(errors=refused(error)), status_of(error)
        else:
            done = web.HTTPSeeOther("/security/choose")
            set_cookie(done, SESSION_COOKIE, token, WHOLE_S)
            raise _forget(done, IDENTITY_COOKIE)
    return _new_page(request, identity, filled, status)


async def post_have(request: web.Request) -> web.StreamResponse:
    """The person has an account: signing in leads back to connecting."""
    _kept(request)
    raise set_going(web.HTTPSeeOther("/sign-in?done=connect"), FINISH)


async def overview(request: web.Request) -> web.StreamResponse:
    return await _overview(request, {})


async def post_connect(request: web.Request) -> web.StreamResponse:
    try:
        await _prove(request)
        return await _ask(request, request[VISIT].open_session.id)
    except RefusedError as error:
        return await _overview(request, refused(error), status_of(error))


async def finish(request: web.Request) -> web.StreamResponse:
    return _finish_page(request, _kept(request), {})


async def post_finish(request: web.Request) -> web.StreamResponse:
    identity, parts = _kept(request), request.app[PARTS]
    try:
        await _prove(request)
        await parts.links.add(identity, _name(request, identity.provider), request[VISIT])
    except RefusedError as error:
        return _finish_page(request, identity, refused(error), status_of(error))
    raise _forget(web.HTTPSeeOther("/security/outside?done=outside-added"), IDENTITY_COOKIE)


async def post_remove(request: web.Request) -> web.StreamResponse:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    errors, status = filled.errors, 422
    if not errors:
        names = {one.outside.id: one.outside.name for one in request.app[PARTS].outside.providers.values()}
        password = filled.values["password"]
        try:
            await request.app[PARTS].links.remove(request.match_info["id"], password, names, request[VISIT])
        except RefusedError as error:
            errors, status = refused(error), status_of(error)
    if errors:
        return await _overview(request, errors, status)
    raise web.HTTPSeeOther("/security/outside?done=outside-removed")


async def _ask(request: web.Request, purpose: str) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    try:
        address, cookie = await parts.outside.begin(_provider_id(request), purpose, visit)
    except RefusedError as error:
        return page(request, "outside_failed.html", errors=refused(error), status=status_of(error))
    answer: web.StreamResponse = web.HTTPSeeOther(address)
    if purpose != flow.SIGN_IN:
        answer = passing_page(request, None, address)
    set_cookie(answer, QUESTION_COOKIE, cookie, flow.LASTS_S)
    return _sent(answer)


async def _enter(request: web.Request, identity: Identity) -> web.StreamResponse:
    """The first step of a sign-in, or the question what to do with somebody new."""
    parts, visit = request.app[PARTS], request[VISIT]
    account_id = await parts.links.account_id(identity, visit)
    if account_id is None:
        answer = web.HTTPSeeOther("/outside/new")
        set_cookie(answer, IDENTITY_COOKIE, parts.outside.keep(identity, visit), flow.LASTS_S)
        return answer
    return signed_in(await parts.entry.outside(account_id, visit))


async def _proved(request: web.Request, identity: Identity, purpose: str) -> str:
    """Whoever is signed in was asked there again (pages/proof.py). Where they go on. Raises RefusedError."""
    visit = request[VISIT]
    session_id, _, back = purpose.removeprefix(flow.PROVE).partition(" ")
    if visit.session is None or visit.session.id != session_id:
        raise RefusedError("", flow.FAILED)
    await request.app[PARTS].proving.outside(identity.provider, identity.subject, visit)
    return await proof.onward(request, back)


async def _prove(request: web.Request) -> None:
    filled = await forms.read(request, (forms.OWN_PASSWORD,))
    if filled.errors:
        raise RefusedError("password", filled.errors["password"])
    await request.app[PARTS].links.prove(filled.values["password"], request[VISIT])


async def _overview(request: web.Request, errors: dict[str, str], status: int = 200) -> web.Response:
    parts = request.app[PARTS]
    links = await parts.links.of(request[VISIT].signed_in.id)
    providers = {one.outside.id: one.outside.name for one in parts.outside.providers.values()}
    return page(request, "outside.html", links=links, providers=providers, errors=errors, status=status)


def _new_page(
    request: web.Request, identity: Identity, form: forms.Filled, status: int = 200
) -> web.Response:
    name = _name(request, identity.provider)
    return page(
        request,
        "outside_new.html",
        identity=identity,
        name=name,
        form=form,
        status=status,
    )


def _finish_page(
    request: web.Request, identity: Identity, errors: dict[str, str], status: int = 200
) -> web.Response:
    name = _name(request, identity.provider)
    return page(request, "outside_finish.html", identity=identity, name=name, errors=errors, status=status)


def _kept(request: web.Request) -> Identity:
    """The identity that waits in this browser. Raises HTTPSeeOther where none does."""
    found = request.app[PARTS].outside.kept(own_cookie(request, IDENTITY_COOKIE), request[VISIT])
    if found is None:
        raise web.HTTPSeeOther("/security/outside" if request[VISIT].account else "/sign-in")
    return found


def _provider_id(request: web.Request) -> str:
    provider_id = request.match_info["provider"]
    if provider_id not in request.app[PARTS].outside.providers:
        raise web.HTTPNotFound
    return provider_id


def _name(request: web.Request, provider_id: str) -> str:
    return request.app[PARTS].outside.providers[provider_id].outside.name


def _sent(answer: web.StreamResponse) -> web.StreamResponse:
    """An answer that is an exception is raised: then the browser's own cookie goes with it too."""
    if isinstance(answer, web.HTTPException):
        raise answer
    return answer


def _forget(answer: Answer, cookie: str) -> Answer:
    answer.del_cookie(cookie, path="/", secure=True, httponly=True, samesite="Lax")
    return answer
