"""Every address of the account, the portal and the help centre, one row each."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from aiohttp import web

from host_tools.cloud.api.operations import DESCRIPTION, OPERATIONS
from host_tools.cloud.api.serving import describe, served
from host_tools.cloud.pages import (
    accounts,
    applications,
    approvals,
    clients,
    desk,
    help,
    languages,
    live,
    oidc,
    oidc_api,
    oidc_devices,
    oidc_discovery,
    oidc_logout,
    oidc_par,
    outbox,
    outside,
    own_data,
    own_site,
    passkeys,
    passkeys_only,
    phones,
    profile,
    proof,
    push,
    resets,
    router_undos,
    routers,
    second_step,
    security,
    sessions,
    telegram,
    tokens,
    undo,
    uploads,
)
from host_tools.cloud.pages.asking import ROUTER, asking
from host_tools.cloud.pages.assets import ASSETS
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
from host_tools.cloud.pages.opened import Opened, moved
from host_tools.cloud.pages.over import for_live
from host_tools.cloud.pages.refusals import REFUSALS, Refusals
from host_tools.cloud.pages.site import ACCOUNT as ACCOUNT_SITE
from host_tools.cloud.pages.site import SITE, At, Site
from host_tools.cloud.parts import PARTS, Parts
from host_tools.cloud.sites.client import LOGGED_OUT, SIGNED_IN, SIGNED_OUT, SiteClient

ANYONE, STRANGER, ACCOUNT, THIS_COMPUTER = "anyone", "stranger", "account", "this computer"
STAFF, REGISTRAR = "staff", "registrar"
# Another program, or a form of another site: no cookie counts there, and no origin.
MACHINE = "machine"
GUARDS = {
    STRANGER: for_stranger,
    ACCOUNT: for_account,
    STAFF: for_desk,
    REGISTRAR: for_registrar,
    THIS_COMPUTER: for_this_computer,
}
BODY_MAX = 64 * 1024  # forms only; the longest is a sign-up of under 2 KB
OUTSIDE = "/outside/{provider}"
UNDO = "/security/routers/{id}"
CLIENT = "/clients/{id}"  # no id begins as _add does
ARRIVAL = "/routers"  # where everybody goes who has signed in


OF_ACCOUNT, PORTAL, HELP = (frozenset((name,)) for name in (ACCOUNT_SITE, "portal", "help"))
EVERY, OWN = OF_ACCOUNT | PORTAL | HELP, PORTAL | HELP


class Route(NamedTuple):
    method: str
    path: str
    handler: Handler
    who: str
    lasting: bool = False  # live updates: they end when the page does, not at a deadline
    files: bool = False  # its form may bring some
    sites: frozenset[str] = OF_ACCOUNT  # where it is, if these have addresses of their own


def opened(path: str, page: Opened, who: str = ANYONE) -> tuple[Route, Route]:
    """The page of a link with a code."""
    return Route("GET", path, page.get, who), Route("POST", path, page.post, who)


# Links of mails that were sent when their token was in the path.
FORMER_LINKS = {
    "/confirm/link/{token}": "/confirm/link",
    "/forgotten/link/{token}": "/forgotten/link",
    "/undo/{token}": "/undo",
    "/waiting/{token}": "/waiting",
    "/profile/email/{token}": "/profile/email/agree",
}
ROUTES = (
    Route("GET", "/", accounts.home, ANYONE),
    Route("GET", "/health", live.health, ANYONE, sites=EVERY),
    Route("GET", "/static/{name}", ASSETS.serve, ANYONE, sites=EVERY),
    Route("POST", "/language", languages.post_language, ANYONE, sites=EVERY),
    Route("GET", "/terms", accounts.terms, ANYONE),
    Route("GET", "/.well-known/openid-configuration", oidc_discovery.discovery, MACHINE),
    Route("GET", "/oidc/jwks", oidc_discovery.jwks, MACHINE),
    Route("POST", "/oidc/token", oidc_api.token, MACHINE),
    Route("POST", "/oidc/par", oidc_par.push, MACHINE),
    Route("POST", "/oidc/revoke", oidc_api.revoke, MACHINE),
    Route("POST", "/oidc/device", oidc_api.device_authorization, MACHINE),
    Route("GET", "/oidc/userinfo", oidc_api.userinfo, MACHINE),
    Route("POST", "/oidc/userinfo", oidc_api.userinfo, MACHINE),
    Route("GET", "/oidc/authorize", oidc.authorize, ANYONE),
    Route("POST", "/oidc/authorize", oidc.post_authorize, MACHINE),
    Route("GET", "/oidc/resume", oidc.resume, ACCOUNT),
    Route("POST", "/oidc/consent", oidc.post_consent, ACCOUNT),
    Route("POST", "/oidc/again", oidc.post_again, ACCOUNT),
    Route("GET", "/oidc/logout", oidc_logout.logout, ANYONE),
    Route("POST", "/oidc/logout", oidc_logout.post_logout, MACHINE),
    Route("POST", "/oidc/logout/confirm", oidc_logout.post_logout_confirm, ACCOUNT),
    Route("GET", "/device", oidc_devices.device, ANYONE),
    Route("POST", "/device", oidc_devices.post_device, ACCOUNT),
    Route("POST", "/device/answer", oidc_devices.post_device_answer, ACCOUNT),
    Route("GET", "/sign-up", accounts.sign_up, STRANGER),
    Route("POST", "/sign-up", accounts.post_sign_up, STRANGER),
    Route("GET", "/confirm", accounts.confirm, STRANGER),
    Route("POST", "/confirm", accounts.post_confirm, STRANGER),
    Route("POST", "/confirm/resend", accounts.post_resend, STRANGER),
    *opened("/confirm/link", accounts.BY_LINK, STRANGER),
    Route("GET", "/sign-in", accounts.sign_in, STRANGER),
    Route("POST", "/sign-in", accounts.post_sign_in, STRANGER),
    Route("GET", "/sign-in/code", second_step.code, STRANGER),
    Route("POST", "/sign-in/code", second_step.post_code, STRANGER),
    Route("POST", "/sign-in/method", second_step.post_method, STRANGER),
    Route("POST", "/sign-in/agreed", second_step.post_take, STRANGER),
    Route("GET", "/sign-in/live", second_step.live_state, STRANGER, lasting=True),
    Route("GET", "/sign-in/passkey/options", passkeys.first_options, STRANGER),
    Route("POST", "/sign-in/passkey", passkeys.post_first, STRANGER),
    Route("GET", "/sign-in/code/options", passkeys.second_options, STRANGER),
    Route("POST", "/sign-in/code/passkey", passkeys.post_second, STRANGER),
    Route("GET", "/forgotten", resets.forgotten, ANYONE),
    Route("POST", "/forgotten", resets.post_forgotten, ANYONE),
    Route("GET", "/forgotten/code", resets.code, ANYONE),
    Route("POST", "/forgotten/code", resets.post_code, ANYONE),
    Route("GET", "/forgotten/live", resets.code_live, ANYONE, lasting=True),
    Route("GET", "/forgotten/password", resets.new_password, ANYONE),
    Route("POST", "/forgotten/password", resets.post_new_password, ANYONE),
    *opened("/forgotten/link", resets.BY_LINK),
    *opened("/undo", undo.UNDO),
    Route("GET", "/profile", profile.profile, ACCOUNT),
    Route("POST", "/profile", profile.post_profile, ACCOUNT),
    Route("POST", "/profile/email", profile.post_email, ACCOUNT),
    Route("GET", "/profile/email/live", profile.email_live, ACCOUNT, lasting=True),
    Route("POST", "/profile/email/cancel", profile.post_cancel, ACCOUNT),
    Route("GET", "/profile/data", own_data.own_data, ACCOUNT),
    Route("POST", "/profile/data/export", own_data.post_export, ACCOUNT),
    Route("POST", "/profile/data/delete", own_data.post_delete, ACCOUNT),
    Route("POST", "/waiting/stop", own_data.post_stop, ACCOUNT),
    *opened("/waiting", own_data.WAITING),
    *opened("/profile/email/agree", profile.AGREE),
    *(Route("GET", before, moved(now), ANYONE) for before, now in FORMER_LINKS.items()),
    Route("GET", "/outside/new", outside.new, STRANGER),
    Route("POST", "/outside/new", outside.post_new, STRANGER),
    Route("POST", "/outside/have", outside.post_have, STRANGER),
    Route("GET", OUTSIDE, outside.begin, STRANGER),
    Route("GET", OUTSIDE + "/answer", outside.answer, ANYONE),
    Route("GET", "/security/outside", outside.overview, ACCOUNT),
    Route("GET", "/security/outside/finish", outside.finish, ACCOUNT),
    Route("POST", "/security/outside/finish", outside.post_finish, ACCOUNT),
    Route("POST", "/security/outside/{provider}/connect", outside.post_connect, ACCOUNT),
    Route("POST", "/security/outside/{id}/remove", outside.post_remove, ACCOUNT),
    Route("POST", "/sign-out", accounts.post_sign_out, ACCOUNT),
    Route("GET", "/notices/live", live.notices, ACCOUNT, lasting=True, sites=EVERY),
    Route("GET", "/approvals/{id}", approvals.approval, ACCOUNT),
    Route("POST", "/approvals/{id}", approvals.post_approval, ACCOUNT),
    Route("POST", "/approvals/{id}/deny", approvals.post_deny, ACCOUNT),
    Route("GET", "/routers", routers.overview, ACCOUNT, sites=PORTAL),
    Route("GET", "/routers/live", live.routers, ACCOUNT, lasting=True, sites=PORTAL),
    Route("GET", "/routers/register", routers.register, ACCOUNT, sites=PORTAL),
    Route("POST", "/routers/register", routers.post_register, ACCOUNT, sites=PORTAL),
    Route("GET", "/routers/invited", routers.invited, ANYONE, sites=PORTAL),
    Route("POST", "/routers/invited", routers.INVITED.post, ANYONE, sites=PORTAL),
    Route("GET", "/routers/claims/{claim_id}", routers.claim, ACCOUNT, sites=PORTAL),
    Route("GET", "/routers/claims/{claim_id}/live", live.claim, ACCOUNT, lasting=True, sites=PORTAL),
    Route("GET", ROUTER, routers.router, ACCOUNT, sites=PORTAL),
    Route("GET", ROUTER + "/live", live.router, ACCOUNT, lasting=True, sites=PORTAL),
    Route("GET", ROUTER + "/restart", routers.restart, ACCOUNT, sites=PORTAL),
    Route("POST", ROUTER + "/restart", routers.post_restart, ACCOUNT, sites=PORTAL),
    Route("GET", ROUTER + "/release", routers.release, ACCOUNT, sites=PORTAL),
    Route("POST", ROUTER + "/release", routers.post_release, ACCOUNT, sites=PORTAL),
    Route("GET", "/help", help.overview, ACCOUNT, sites=HELP),
    Route("GET", "/help/new", help.new, ACCOUNT, sites=HELP),
    Route("POST", "/help/new", help.post_new, ACCOUNT, files=True, sites=HELP),
    Route("GET", "/help/{id}", help.correspondence, ACCOUNT, sites=HELP),
    Route("POST", "/help/{id}", help.post_write, ACCOUNT, files=True, sites=HELP),
    Route("POST", "/help/{id}/close", help.post_close, ACCOUNT, sites=HELP),
    Route("GET", "/help/{id}/files/{file_id}", help.file, ACCOUNT, sites=HELP),
    Route("GET", "/help/{id}/live", help.live_correspondence, ACCOUNT, lasting=True, sites=HELP),
    Route("GET", "/help/{id}/diagnostics/{report_id}", help.report, ACCOUNT, sites=HELP),
    Route("POST", "/help/{id}/diagnostics/{report_id}/attach", help.post_attach_report, ACCOUNT, sites=HELP),
    Route("POST", "/help/{id}/diagnostics/{report_id}/remove", help.post_remove_report, ACCOUNT, sites=HELP),
    Route("GET", "/desk", desk.overview, STAFF, sites=HELP),
    Route("GET", "/desk/{id}", desk.opened, STAFF, sites=HELP),
    Route("POST", "/desk/{id}/answer", desk.post_answer, STAFF, sites=HELP),
    Route("POST", "/desk/{id}/note", desk.post_note, STAFF, sites=HELP),
    Route("POST", "/desk/{id}/close", desk.post_close, STAFF, sites=HELP),
    Route("POST", "/desk/{id}/reopen", desk.post_reopen, STAFF, sites=HELP),
    Route("POST", "/desk/{id}/remove", desk.post_remove, STAFF, sites=HELP),
    Route("GET", "/desk/{id}/files/{file_id}", desk.file, STAFF, sites=HELP),
    Route("GET", "/desk/{id}/diagnostics/{report_id}", desk.report, STAFF, sites=HELP),
    Route("GET", "/clients", clients.overview, REGISTRAR),
    Route("GET", "/clients/_add", clients.add, REGISTRAR),
    Route("POST", "/clients/_add", clients.post_add, REGISTRAR),
    Route("GET", CLIENT, clients.client, REGISTRAR),
    Route("POST", CLIENT, clients.post_change, REGISTRAR),
    Route("GET", CLIENT + "/secret", clients.ask, REGISTRAR),
    Route("POST", CLIENT + "/secret", clients.post_secret, REGISTRAR),
    Route("GET", CLIENT + "/disable", clients.ask, REGISTRAR),
    Route("POST", CLIENT + "/disable", clients.post_disable, REGISTRAR),
    Route("GET", CLIENT + "/enable", clients.ask, REGISTRAR),
    Route("POST", CLIENT + "/enable", clients.post_enable, REGISTRAR),
    Route("GET", CLIENT + "/remove", clients.ask, REGISTRAR),
    Route("POST", CLIENT + "/remove", clients.post_remove, REGISTRAR),
    Route("GET", "/security", security.overview, ACCOUNT),
    Route("GET", UNDO, router_undos.undo, ANYONE),
    Route("POST", UNDO, router_undos.post_undo, ACCOUNT),
    Route("GET", UNDO + "/live", router_undos.undo_live, ACCOUNT, lasting=True),
    Route("GET", "/security/authenticators/add", security.add, ACCOUNT),
    Route("POST", "/security/authenticators/add", security.post_add, ACCOUNT),
    Route("GET", "/security/authenticators/{id}/remove", security.remove, ACCOUNT),
    Route("POST", "/security/authenticators/{id}/remove", security.post_remove, ACCOUNT),
    Route("GET", "/security/phones/add", phones.add, ACCOUNT),
    Route("POST", "/security/phones/add", phones.post_add, ACCOUNT),
    Route("GET", "/security/phones/confirm", phones.confirm, ACCOUNT),
    Route("GET", "/security/phones/confirm/live", phones.confirm_live, ACCOUNT, lasting=True),
    Route("POST", "/security/phones/confirm", phones.post_confirm, ACCOUNT),
    Route("GET", "/security/phones/{id}/remove", phones.remove, ACCOUNT),
    Route("POST", "/security/phones/{id}/remove", phones.post_remove, ACCOUNT),
    Route("GET", "/security/passkeys/add", passkeys.add, ACCOUNT),
    Route("POST", "/security/passkeys/add", passkeys.post_add, ACCOUNT),
    Route("POST", "/security/passkeys/finish", passkeys.post_finish, ACCOUNT),
    Route("GET", "/security/passkeys/{id}", passkeys.passkey, ACCOUNT),
    Route("POST", "/security/passkeys/{id}/rename", passkeys.post_rename, ACCOUNT),
    Route("POST", "/security/passkeys/{id}/remove", passkeys.post_remove, ACCOUNT),
    Route("GET", "/security/passkeys-only", passkeys_only.passkeys_only, ACCOUNT),
    Route("POST", "/security/passkeys-only/on", passkeys_only.post_on, ACCOUNT),
    Route("POST", "/security/passkeys-only/off", passkeys_only.post_off, ACCOUNT),
    Route("GET", "/service-worker.js", push.worker, ANYONE),
    Route("GET", "/security/push", push.notices, ACCOUNT),
    Route("POST", "/security/push/on", push.post_on, ACCOUNT),
    Route("POST", "/security/push/off", push.post_off, ACCOUNT),
    Route("GET", "/security/telegram/add", telegram.add, ACCOUNT),
    Route("POST", "/security/telegram/add", telegram.post_add, ACCOUNT),
    Route("GET", "/security/telegram/link", telegram.link, ACCOUNT),
    Route("POST", "/security/telegram/link", telegram.post_link, ACCOUNT),
    Route("GET", "/security/telegram/live", telegram.link_live, ACCOUNT, lasting=True),
    Route("GET", "/security/telegram/{id}/remove", telegram.remove, ACCOUNT),
    Route("POST", "/security/telegram/{id}/remove", telegram.post_remove, ACCOUNT),
    Route("GET", "/security/prove", proof.prove, ACCOUNT),
    Route("GET", "/security/prove/options", proof.options, ACCOUNT),
    Route("POST", "/security/prove/password", proof.post_password, ACCOUNT),
    Route("POST", "/security/prove/passkey", proof.post_passkey, ACCOUNT),
    Route("POST", "/security/prove/send", proof.post_send, ACCOUNT),
    Route("POST", "/security/prove/code", proof.post_code, ACCOUNT),
    Route("POST", "/security/prove/outside/{provider}", proof.post_outside, ACCOUNT),
    Route("GET", "/security/choose", sessions.choose, ACCOUNT),
    Route("GET", "/security/password", sessions.password, ACCOUNT),
    Route("POST", "/security/password", sessions.post_password, ACCOUNT),
    Route("GET", "/security/sessions", sessions.sessions, ACCOUNT),
    Route("POST", "/security/sessions/end-others", sessions.post_end_others, ACCOUNT),
    Route("POST", "/security/sessions/{id}/end", sessions.post_end, ACCOUNT),
    Route("GET", "/security/browsers/{id}/remove", sessions.remove_browser, ACCOUNT),
    Route("POST", "/security/browsers/{id}/remove", sessions.post_remove_browser, ACCOUNT),
    Route("GET", "/security/applications", applications.applications, ACCOUNT),
    Route("POST", "/security/applications/{id}/remove", applications.post_remove_application, ACCOUNT),
    Route("GET", "/security/tokens", tokens.tokens, ACCOUNT),
    Route("POST", "/security/tokens", tokens.post_make, ACCOUNT),
    Route("POST", "/security/tokens/{id}/revoke", tokens.post_revoke, ACCOUNT),
    Route("GET", "/security/log", sessions.log, ACCOUNT),
    Route("GET", DESCRIPTION, describe, MACHINE),
    *(Route(row.method, row.path, served(row), MACHINE) for row in OPERATIONS),
    Route("GET", "/security/recovery-codes", security.recovery_codes, ACCOUNT),
    Route("POST", "/security/recovery-codes", security.post_recovery_codes, ACCOUNT),
)
DEVELOPMENT_ROUTES = (
    Route("GET", "/outbox", outbox.messages, THIS_COMPUTER),
    Route("GET", "/outbox.json", outbox.messages_json, THIS_COMPUTER),
)


# Of a site at its own address alone, where the account is an OpenID provider.
SITE_ROUTES = (
    Route("GET", "/", own_site.home, ANYONE, sites=OWN),
    Route("GET", "/sign-in", own_site.sign_in, ANYONE, sites=OWN),
    Route("GET", SIGNED_IN, own_site.signed_in, ANYONE, sites=OWN),
    Route("POST", "/sign-out", own_site.post_sign_out, ACCOUNT, sites=OWN),
    Route("GET", SIGNED_OUT, own_site.signed_out, ANYONE, sites=OWN),
    Route("POST", LOGGED_OUT, own_site.post_logged_out, MACHINE, sites=OWN),
    Route("GET", "/security/prove", own_site.prove, ACCOUNT, sites=OWN),
)


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
    guard = for_live if row.lasting and row.who == ACCOUNT else GUARDS.get(row.who)
    return led_first(row.path, row.lasting, guard(handler) if guard else handler)
