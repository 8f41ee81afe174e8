"""The pages of the provider: signing in for an application, and agreeing to what it may know."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from host_tools.cloud.languages.text import N_
from host_tools.cloud.oidc import decision
from host_tools.cloud.oidc.claims import SCOPE_WORDS
from host_tools.cloud.oidc.clients import known, may
from host_tools.cloud.oidc.described import CODE
from host_tools.cloud.oidc.pushed import PREFIX
from host_tools.cloud.oidc.requests import Asked, AskedWrongly, answer_address, read
from host_tools.cloud.pages import arriving
from host_tools.cloud.pages.going import clear_going, going, set_going
from host_tools.cloud.pages.guards import SESSION_COOKIE
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient

AUTHORIZE = "/oidc/authorize"
LINK_MAX = 6000  # a request's first line may have 8190 bytes, here as elsewhere
OVER = "invalid_request_uri"
IS_OVER = N_("This sign-in has taken too long, or was used before.")
BEGIN_AGAIN = N_("Go back to the application, and begin again.")
TELL_THEM = N_("Go back to the application, and tell whoever runs it.")
QUERY_MAX = 2800  # it waits in a cookie while the person signs in: 4 KB, in base64


async def authorize(request: web.Request) -> web.StreamResponse:
    return await _authorize(request, request.rel_url.raw_query_string, passing=False)


async def post_authorize(request: web.Request) -> web.StreamResponse:
    """From another site, without our cookies: the same question again, as a link asks it."""
    raise web.HTTPSeeOther(f"{AUTHORIZE}?{await posted_query(request)}")


async def resume(request: web.Request) -> web.StreamResponse:
    """After a sign-in: on to where the person was going."""
    target = going(request)
    path, _, query = target.partition("?")
    if path != AUTHORIZE:
        raise clear_going(web.HTTPSeeOther(target or "/routers"))
    return clear_going(await _authorize(request, query, passing=True))


async def post_consent(request: web.Request) -> web.StreamResponse:
    """The person's answer. What was asked is read again, from the form."""
    query = str((await request.post()).get("query", ""))
    try:
        asked, client = await _read(request, query)
    except AskedWrongly as error:
        return _told(request, error, passing=True)
    if "agree" not in await request.post():
        await _first_answer(request, asked)
        wrong = AskedWrongly("access_denied", "the person said no", asked.redirect_uri, asked.state)
        return _told(request, wrong, passing=True)
    return await _go(request, asked, client, passing=True)


async def post_again(request: web.Request) -> web.StreamResponse:
    """The session ends, and begins anew with a sign-in."""
    query = str((await request.post()).get("query", ""))[:QUERY_MAX]
    parts, visit = request.app[PARTS], request[VISIT]
    await parts.sessions.end(visit.open_session.id, visit)
    answer = web.HTTPSeeOther("/sign-in?done=going")
    answer.del_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    raise set_going(answer, f"{AUTHORIZE}?{query}")


async def _authorize(request: web.Request, query: str, passing: bool) -> web.StreamResponse:
    """`passing`: a form led here, and browsers follow a form to our own pages only (form-action)."""
    parts, visit = request.app[PARTS], request[VISIT]
    try:
        asked, client = await _read(request, query)
        sure = not client.public  # or anybody may ask in its name: the person is asked each time
        agreed = await parts.oidc.consents.of(visit, client.id) if visit.account and sure else ()
        since = visit.session.created_at if visit.session else None
        step = decision.next_step(asked, since, agreed, client.ours and sure, visit.now)
    except AskedWrongly as error:
        return _told(request, error, passing)
    if step == decision.SIGN_IN:
        raise set_going(web.HTTPSeeOther("/sign-in?done=going"), f"{AUTHORIZE}?{query}")
    if step == decision.GO:
        return await _go(request, asked, client, passing)
    words = [SCOPE_WORDS[scope] for scope in asked.scope]
    template = "oidc_consent.html" if step == decision.CONSENT else "oidc_again.html"
    return page(request, template, client=client, words=words, query=query)


async def _read(request: web.Request, query: str) -> tuple[Asked, OidcClient]:
    """Raises AskedWrongly."""
    oidc, visit = request.app[PARTS].oidc, request[VISIT]
    given, repeated = _parameters(query)
    client = await oidc.clients.find(given.get("client_id", ""))
    uri = given.get("request_uri", "")
    pushed = uri if client and not repeated and uri.startswith(PREFIX) else ""
    if client and pushed:  # whatever else the browser brings counts for nothing (RFC 9126 section 4)
        told = await oidc.pushed.opened(pushed, client.id, visit.browser_hash, visit.now)
        if told is None:
            raise AskedWrongly(OVER, IS_OVER)
        given, repeated = _parameters(told)
    asked = read(given, repeated, known(client), pushed)
    assert client is not None  # or it had no address to be told at
    if not may(client, CODE):
        text = "the client is not registered for the code flow"
        raise AskedWrongly("unauthorized_client", text, asked.redirect_uri, asked.state)
    if oidc.wants_pushed(client) and not pushed:
        text = "this client pushes what it asks (RFC 9126)"
        raise AskedWrongly("invalid_request", text, asked.redirect_uri, asked.state)
    return asked, client


def _parameters(query: str) -> tuple[dict[str, str], frozenset[str]]:
    """What was asked, and what came more than once. Raises AskedWrongly."""
    if len(query) > QUERY_MAX:
        raise AskedWrongly("invalid_request", N_("This application asks for too much at once."))
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=40)
    except ValueError:
        raise AskedWrongly("invalid_request", N_("This application's question makes no sense.")) from None
    counted = Counter(name for name, _ in pairs)
    return dict(pairs), frozenset(name for name, times in counted.items() if times > 1)


async def _go(request: web.Request, asked: Asked, client: OidcClient, passing: bool) -> web.StreamResponse:
    parts = request.app[PARTS]
    if not await _first_answer(request, asked):
        return _told(request, AskedWrongly(OVER, IS_OVER), passing)
    code = await parts.oidc.grants.code(asked, client, request[VISIT])
    # iss: so that an application of many providers sees which one answers (RFC 9207).
    fields = {"code": code, "state": asked.state, "iss": parts.oidc.issuer}
    address = answer_address(asked.redirect_uri, **fields)
    if passing:
        return passing_page(request, client, address)
    raise web.HTTPSeeOther(address)


async def _first_answer(request: web.Request, asked: Asked) -> bool:
    """What was pushed is answered once; another question as often as it is asked."""
    return not asked.pushed or await request.app[PARTS].oidc.pushed.answered(asked.pushed)


def _told(request: web.Request, error: AskedWrongly, passing: bool) -> web.StreamResponse:
    """To the application, where it has an address; else to the person."""
    if not error.redirect_uri:
        remedy = BEGIN_AGAIN if error.error == OVER else TELL_THEM
        return page(request, "error.html", status=400, what=error.text, remedy=remedy)
    fields = {"error": error.error, "error_description": error.text, "state": error.state}
    address = answer_address(error.redirect_uri, **fields, iss=request.app[PARTS].oidc.issuer)
    if passing:
        return passing_page(request, None, address)
    raise web.HTTPSeeOther(address)


async def posted_query(request: web.Request) -> str:
    """A form of another site as the query of a link, which a browser would not follow at any length."""
    try:
        posted = await arriving.form(request)
    except ValueError:
        raise web.HTTPBadRequest from None
    query = urlencode([(name, str(value)) for name, value in posted.items()])
    if len(query) > LINK_MAX:
        raise web.HTTPRequestEntityTooLarge(LINK_MAX, len(query))
    return query


def passing_page(request: web.Request, client: OidcClient | None, address: str) -> web.Response:
    """On to the application by itself: a refresh is no form, and its address is in nobody's log."""
    return page(request, "oidc_passing.html", client=client, address=address)
