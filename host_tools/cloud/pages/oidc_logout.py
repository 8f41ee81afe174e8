"""Signing out for an application (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web

from host_tools.cloud.oidc.requests import answer_address
from host_tools.cloud.pages.guards import SESSION_COOKIE
from host_tools.cloud.pages.oidc import passing_page, posted_query
from host_tools.cloud.pages.over import leave
from host_tools.cloud.pages.render import VISIT, page
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient


async def logout(request: web.Request) -> web.StreamResponse:
    """Nobody is signed out by a link alone: the page asks."""
    client, address = await _after_logout(request, dict(request.query))
    if request[VISIT].account is None:
        return _signed_out(request, client, address)
    return page(request, "oidc_logout.html", client=client, query=request.rel_url.raw_query_string)


async def post_logout(request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther(f"/oidc/logout?{await posted_query(request)}")


async def post_logout_confirm(request: web.Request) -> web.StreamResponse:
    parts, visit = request.app[PARTS], request[VISIT]
    try:
        given = dict(parse_qsl(str((await request.post()).get("query", "")), max_num_fields=20))
    except ValueError:  # more fields than that
        raise web.HTTPBadRequest from None
    client, address = await _after_logout(request, given)
    await parts.sessions.end(visit.open_session.id, visit)
    visit.account = None
    return leave(_signed_out(request, client, address), SESSION_COOKIE)


def _signed_out(request: web.Request, client: OidcClient | None, address: str) -> web.Response:
    return passing_page(request, client, address) if address else page(request, "signed_out.html")


async def _after_logout(request: web.Request, given: dict[str, str]) -> tuple[OidcClient | None, str]:
    """The application that asks, and where to go afterwards if that address is its own."""
    parts = request.app[PARTS]
    hint = await parts.oidc.keys.read(given.get("id_token_hint", "")) or {}
    client_id = str(hint.get("aud", "")) or given.get("client_id", "")
    client = await parts.oidc.clients.find(client_id)
    address = given.get("post_logout_redirect_uri", "")
    if client is None or address not in client.after_logout_uris.split("\n") or not address:
        return client, ""
    return client, answer_address(address, state=given.get("state", "")[:1000])
