"""The applications that are served: the table of routes behind its guards, and what all pages share."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from host_tools.cloud.pages import endings, live, own_site, uploads
from host_tools.cloud.pages.asking import asking
from host_tools.cloud.pages.first_passkeys import led_first
from host_tools.cloud.pages.guards import (
    BROWSER_COOKIE,
    KNOWN_COOKIE,
    MACHINES,
    MIDDLEWARES,
    SESSION_COOKIE,
    Handler,
    add_headers,
    for_account,
    for_desk,
    for_registrar,
    for_stranger,
    for_this_computer,
    with_deadline,
)
from host_tools.cloud.pages.over import for_live
from host_tools.cloud.pages.refusals import REFUSALS, Refusals
from host_tools.cloud.pages.routes import (
    ACCOUNT,
    ANYONE,
    ARRIVAL,
    DEVELOPMENT_ROUTES,
    MACHINE,
    REGISTRAR,
    ROUTES,
    SITE_ROUTES,
    STAFF,
    STRANGER,
    THIS_COMPUTER,
    Route,
)
from host_tools.cloud.pages.site import ACCOUNT as ACCOUNT_SITE
from host_tools.cloud.pages.site import SITE, At, Site
from host_tools.cloud.parts import PARTS, Parts
from host_tools.cloud.sites.client import SiteClient

GUARDS = {
    STRANGER: for_stranger,
    ACCOUNT: for_account,
    STAFF: for_desk,
    REGISTRAR: for_registrar,
    THIS_COMPUTER: for_this_computer,
}
BODY_MAX = 64 * 1024  # forms only; the longest is a sign-up of under 2 KB


def make_app(parts: Parts) -> web.Application:
    """The account, with the help centre and the portal in it unless they have addresses of their own."""
    settings = parts.settings
    cookies = (SESSION_COOKIE, BROWSER_COOKIE, KNOWN_COOKIE)
    rows = ROUTES + (DEVELOPMENT_ROUTES if settings.development and parts.outbox else ())
    for name, origin in settings.origins.items():
        rows = _moved(rows, name, origin.url)
    at = At.seen_from(ACCOUNT_SITE, settings)
    return _app(parts, rows, Site(settings.public_host, *cookies, parts.sessions, at))


def _moved(rows: tuple[Route, ...], site: str, url: str) -> tuple[Route, ...]:
    """Without the site's own rows, but for its pages' addresses, which lead on to it."""
    gone = [row for row in rows if row.sites == {site}]
    pages = [row.path for row in gone if row.method == "GET" and not row.lasting and row.path != ARRIVAL]
    moved = [Route("GET", path, own_site.elsewhere(url), ANYONE) for path in pages]
    if any(row.path == ARRIVAL for row in gone):
        moved.append(Route("GET", ARRIVAL, own_site.arrival(url, ARRIVAL), ANYONE))
    return (*(row for row in rows if row.sites != {site}), *moved)


def make_site_app(parts: Parts, client: SiteClient) -> web.Application:
    """A site of ours at its own address."""
    kind, origin = client.kind, parts.settings.origins[client.kind.name]
    rows = tuple(row for row in ROUTES + SITE_ROUTES if kind.name in row.sites)
    at = At.seen_from(kind.name, parts.settings)
    cookies = (kind.session_cookie, kind.browser_cookie, "")
    app = _app(parts, rows, Site(origin.host, *cookies, client.sessions, at))
    app[own_site.CLIENT] = client
    return app


def _app(parts: Parts, rows: tuple[Route, ...], site: Site) -> web.Application:
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=BODY_MAX)
    app[PARTS], app[SITE] = parts, site
    app[live.STREAMS] = Counter()
    app.on_response_prepare.append(add_headers)
    app[uploads.READING] = set()
    app[REFUSALS] = Refusals()
    app[uploads.WITH_FILES] = frozenset((row.method, row.path) for row in rows if row.files)
    app[MACHINES] = frozenset((row.method, row.path) for row in rows if row.who == MACHINE)
    for row in rows:
        if row.method == "GET":
            app.router.add_get(row.path, _guarded(row), allow_head=not row.lasting)
        else:
            app.router.add_route(row.method, row.path, _guarded(row))
    return app


def _guarded(row: Route) -> Handler:
    handler = row.handler if row.lasting else with_deadline(row.handler)
    handler = asking(row.path, handler)
    if row.method == "POST" and row.who in (ANYONE, ACCOUNT):
        handler = endings.heard(handler)
    guard = for_live if row.lasting and row.who == ACCOUNT else GUARDS.get(row.who)
    return led_first(row.path, row.lasting, guard(handler) if guard else handler)
