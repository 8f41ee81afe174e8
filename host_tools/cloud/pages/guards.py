"""What stands in front of every page: who may speak, from where, as whom, and what the answer must carry."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from aiohttp import web

from host_tools.cloud.accounts.agents import said
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError, ThrottledError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.api import problems
from host_tools.cloud.certificates import NAMES
from host_tools.cloud.help import roles
from host_tools.cloud.languages.text import N_
from host_tools.cloud.pages import arriving, failures
from host_tools.cloud.pages.cookies import own_cookie, set_cookie
from host_tools.cloud.pages.going import set_going, worth_going
from host_tools.cloud.pages.greeting import greet
from host_tools.cloud.pages.nul import holds_nul, refuse_nul
from host_tools.cloud.pages.proxies import see_through_proxies
from host_tools.cloud.pages.refusals import NO_ROUTE, REFUSALS, is_refusal
from host_tools.cloud.pages.render import APPROVAL, CSRF, VISIT, page
from host_tools.cloud.pages.site import SITE
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.models import Account, Session
from host_tools.cloud.store.secret_box import new_token
from host_tools.cloud.store.site_models import SiteSession

# The router's page may be on this computer too, at another port, and cookies know no ports: the names differ.
SESSION_COOKIE = "__Host-cloud-session"
BROWSER_COOKIE = "__Host-cloud-browser"
KNOWN_COOKIE = "__Host-cloud-known"  # by which the sign-in knows a browser again, whoever else tries
BROWSER_COOKIE_S = 400 * 24 * 3600  # the longest that browsers keep one
TOKEN_MAX = 100
CSRF_FIELD = "csrf"
SAFE_METHODS = ("GET", "HEAD")
API = "/api/"  # no page is below it
HOST = re.compile(r"(?P<name>[\w.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?", re.ASCII)
PAGE_TIMEOUT_S = 30

HEADERS = {
    "Server": "gatelodge",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send our own forms with "Origin: null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
HEADERS_WITH_HSTS = {**HEADERS, "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

ERRORS = {
    400: (N_("That request makes no sense here."), N_("Go back and try again.")),
    403: (
        N_("This form has expired, or another site sent it."),
        N_("Open the form again, and send it once more."),
    ),
    404: (N_("There is nothing at this address."), N_("Check it for a typing error, or begin anew.")),
    405: (N_("That is not possible here."), N_("The address is there for forms only. Begin anew.")),
    408: (N_("Your form did not arrive in time."), N_("Go back and send it again.")),
    413: (N_("That is too large."), N_("Send less.")),
    421: (N_("This name is not one of ours."), N_("Use the address that your cloud's operator gave you.")),
}

# (method, path) of the routes that other programs and other sites may use.
MACHINES: web.AppKey[frozenset[tuple[str, str]]] = web.AppKey("machines", frozenset)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Misdirected(web.HTTPClientError):
    status_code = 421  # RFC 9110 section 15.5.20


@web.middleware
async def note_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """OWASP ASVS 5, 16.3.2 and 16.3.3."""
    response = await handler(request)
    route = route_name(request)
    if is_refusal(request, route, response.status):
        request.app[REFUSALS].note(request, route, response.status, request.app[PARTS].clock())
    return response


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure becomes a page."""
    greet(request)  # also whoever is refused before anybody looks who it is
    try:
        return remember_browser(request, await handler(request))
    except web.HTTPException as error:
        if error.status < 400:
            remember_browser(request, error)
            raise
        return error_page(request, error.status, error)
    except NotTheirsError:
        return error_page(request, 404)
    except Exception as error:
        failure = await failures.judge(request, route_name(request), error)
    if failure is failures.OVER:
        raise web.HTTPSeeOther("/sign-in")
    return failure_page(request, failure)


def error_page(
    request: web.Request, status: int, error: web.HTTPException | None = None
) -> web.StreamResponse:
    """Where programs ask, an error is problem details."""
    if request.path.startswith(API):
        return keep_session(request, problems.of_status(status, error))
    what, remedy = ERRORS.get(status, ERRORS[400])
    return keep_session(request, page(request, "error.html", status=status, what=what, remedy=remedy))


def failure_page(request: web.Request, failure: failures.Failure) -> web.StreamResponse:
    status, what, remedy, retry_after_s = failure
    answer: web.StreamResponse
    if request.path.startswith(API):
        answer = problems.answer(problems.ProblemError(status, f"{what} {remedy}"))
    else:
        answer = page(request, "error.html", status=status, what=what, remedy=remedy)
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(retry_after_s)
    return keep_session(request, answer)


def route_name(request: web.Request) -> str:
    """The route's pattern: an address may hold a link's token, a log must not."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else NO_ROUTE


def for_machines(request: web.Request) -> bool:
    """Whether the route reads no cookie: then a form of another site can do no harm there."""
    if request.path.startswith(API):  # also where there is no such route
        return True
    resource = request.match_info.route.resource
    return resource is not None and (request.method, resource.canonical) in request.app[MACHINES]


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, also the ones that begin before a handler has ended (live updates)."""
    response.headers["Server"] = HEADERS["Server"]  # aiohttp's own is there already
    for name, value in headers_of_all(request.app[PARTS].settings.public_host).items():
        response.headers.setdefault(name, value)


def headers_of_all(public_host: str) -> Mapping[str, str]:
    """What no answer is without, whoever gives it."""
    return HEADERS if public_host in LOCAL_HOSTS else HEADERS_WITH_HSTS


def remember_browser(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Give a new browser its cookie, and one that is signed in the mark of a known one.

    An answer that is under way (live updates) was asked by a page that had one.
    """
    visit = request.get(VISIT)
    if visit is None or response.prepared:
        return response
    site = request.app[SITE]
    keep_session(request, response)
    if own_cookie(request, site.browser_cookie) != visit.browser_token:
        set_cookie(response, site.browser_cookie, visit.browser_token, BROWSER_COOKIE_S)
    if visit.account is not None and site.known_cookie:
        mark = request.app[PARTS].turnstile.mark(visit.account.email, visit)
        if visit.known_mark != mark:
            set_cookie(response, site.known_cookie, mark, BROWSER_COOKIE_S)
    return response


def keep_session(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Give the browser the session's new token, where its person has just proved who they are."""
    visit = request.get(VISIT)
    if visit is None or visit.renewed_token is None or response.prepared:
        return response
    name = request.app[SITE].session_cookie
    if name not in response.cookies:  # else the answer ends the session
        left_s = int(visit.open_session.expires_at - visit.now)
        set_cookie(response, name, visit.renewed_token, left_s)
    return response


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only our names are answered (no DNS rebinding), and only our own pages may post."""
    if host_name(request) not in (*NAMES, request.app[SITE].host):
        raise Misdirected
    if request.method not in SAFE_METHODS and not for_machines(request):
        ours = f"{request.scheme}://{request.host}"
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if site not in ("same-origin", "none") or request.headers.get("Origin", ours) != ours:
            raise web.HTTPForbidden
    return await handler(request)


def host_name(request: web.Request) -> str:
    """The Host header without its port; empty when it is no host at all (RFC 9110 section 7.2)."""
    found = HOST.fullmatch(request.host)
    return found["name"].lower().strip("[]") if found else ""


@web.middleware
async def find_visit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who is asking: the browser by its cookie (a new one gets one), the account by its session."""
    if for_machines(request):
        return await handler(request)
    parts, site = request.app[PARTS], request.app[SITE]
    visit = Visit(
        browser_token=_cookie(request, site.browser_cookie) or new_token(),
        address=request.remote or "",
        user_agent=said(request.headers.get("User-Agent", "")),
        now=parts.clock(),
        session_token=_cookie(request, site.session_cookie),
        known_mark=_cookie(request, site.known_cookie) if site.known_cookie else None,
        channels=parts.post.channels,
    )
    if visit.session_token:
        acting = not request.path.endswith("/live")
        found = await site.sessions.find(visit.session_token, visit.now, acting=acting)
        _enter(visit, found)
        greet(request, visit.account)
    request[VISIT] = visit
    request[APPROVAL] = await parts.approvals.waiting(visit)
    request[CSRF] = parts.box.keyed_hash("csrf", *_tied(visit))
    return await handler(request)


def _enter(visit: Visit, found: tuple[Session | SiteSession, Account] | None) -> None:
    if found is None:
        return
    held, visit.account = found
    if isinstance(held, Session):
        visit.session = held
    else:
        visit.at_site = held


def _tied(visit: Visit) -> tuple[str, str]:
    """What a form's token is bound to: the browser, and its session, whose own token may change."""
    if visit.account is None:
        return visit.browser_token, ""
    return visit.browser_token, visit.session.id if visit.session else visit.session_token or ""


@web.middleware
async def check_csrf(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A form carries the token that its page was given, bound to the browser and its session."""
    if for_machines(request):
        await arriving.whole(request)  # a token that was revoked while it came does nothing
    elif request.method not in SAFE_METHODS:
        posted = await arriving.posted(request)
        if holds_nul(posted):
            raise web.HTTPBadRequest
        given = posted.get(CSRF_FIELD, "")
        box = request.app[PARTS].box
        if not isinstance(given, str) or not box.is_hash(given, "csrf", *_tied(request[VISIT])):
            raise web.HTTPForbidden
        await _look_again(request)
    return await handler(request)


async def _look_again(request: web.Request) -> None:
    """When the body is there, however soon that was: else a code outlives its 30 s, and a session that has
    ended meanwhile acts once more."""
    parts, visit = request.app[PARTS], request[VISIT]
    visit.now = now = parts.clock()
    if visit.account is None:
        return
    visit.account = visit.session = visit.at_site = None
    _enter(visit, await request.app[SITE].sessions.find(visit.session_token or "", now, acting=False))
    request[CSRF] = parts.box.keyed_hash("csrf", *_tied(visit))


def for_account(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if request[VISIT].account is None:
            raise _sign_in(request)
        return await handler(request)

    return guarded


def _sign_in(request: web.Request) -> web.HTTPSeeOther:
    """And then to where the person was going; from another site of ours, on to the account and back."""
    if request.method not in SAFE_METHODS:
        return web.HTTPSeeOther("/sign-in")
    if request.app[SITE].at.account:
        return web.HTTPSeeOther("/sign-in?" + urlencode({"to": request.path}))
    if not worth_going(request.path):
        return web.HTTPSeeOther("/sign-in")
    return set_going(web.HTTPSeeOther("/sign-in?done=going"), request.path)


def for_stranger(handler: Handler) -> Handler:
    """Signing in again makes no sense: those who are in go on."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request[VISIT].account is not None:
            raise web.HTTPSeeOther("/routers")
        return await handler(request)

    return guarded


def for_desk(handler: Handler) -> Handler:
    return _for_role(roles.READ, handler)


def for_registrar(handler: Handler) -> Handler:
    return _for_role(roles.REGISTER, handler)


def _for_role(deed: str, handler: Handler) -> Handler:
    """Whoever's role does not let them do it finds nothing there; whose does needs two-factor as well."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        visit = request[VISIT]
        if visit.account is None:
            raise _sign_in(request)
        if not roles.may(visit.account.role, deed):
            raise web.HTTPNotFound
        if not await request.app[PARTS].desk.two_factor_on(visit):
            return page(request, "staff_locked.html", status=403)
        return await handler(request)

    return guarded


def for_this_computer(handler: Handler) -> Handler:
    """Both ends must be local: an emulated router also arrives from 127.0.0.1, under another name."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if request.remote not in LOCAL_HOSTS or host_name(request) not in LOCAL_HOSTS:
            raise web.HTTPNotFound
        return await handler(request)

    return guarded


def with_deadline(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        async with asyncio.timeout(PAGE_TIMEOUT_S):
            return await handler(request)

    return guarded


def status_of(error: RefusedError) -> int:
    return 429 if isinstance(error, ThrottledError) else 422


def refused(error: RefusedError) -> dict[str, str]:
    """The error of a form, by its field."""
    return {error.field: error.text}


def _cookie(request: web.Request, name: str) -> str | None:
    value = own_cookie(request, name)
    return value if 0 < len(value) <= TOKEN_MAX and value.isascii() else None


OUTERMOST = (see_through_proxies, note_refusals, answer_errors)
MIDDLEWARES = (*OUTERMOST, check_origin, refuse_nul, find_visit, check_csrf)
