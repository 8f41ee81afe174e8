"""Where applications push what they ask, before they send a browser (RFC 9126)."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.oidc.clients import known
from host_tools.cloud.oidc.described import CODE
from host_tools.cloud.oidc.grants import GrantError
from host_tools.cloud.oidc.pushed import LASTS_S
from host_tools.cloud.oidc.requests import AskedWrongly, read
from host_tools.cloud.pages.oidc import QUERY_MAX
from host_tools.cloud.pages.oidc_api import check_may
from host_tools.cloud.pages.oidc_asking import client_of, posted_by, refused
from host_tools.cloud.pages.oidc_proving import HEADER, proved_key
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient

PROOFS = ("client_secret", "client_assertion", "client_assertion_type")  # of the client, not of its question


async def push(request: web.Request) -> web.StreamResponse:
    """Sections 2.1 to 2.3."""
    parts = request.app[PARTS]
    try:
        posted = await posted_by(request)
        client = await client_of(request, posted)
        check_may(client, CODE)
        if client.public:  # anybody may be it
            await parts.turnstile.take("push", account="", address=request.remote or "")
        query = await _query(request, client, posted)
        uri = await parts.oidc.pushed.push(client, query, parts.clock())
    except (GrantError, ThrottledError) as error:
        return refused(request, error)
    return web.json_response({"request_uri": uri, "expires_in": LASTS_S}, status=201)


async def _query(request: web.Request, client: OidcClient, posted: dict[str, str]) -> str:
    """The question, checked as the browser's would be. A DPoP proof binds its code (RFC 9449 section 10.1).

    Raises GrantError.
    """
    asked = {name: value for name, value in posted.items() if name not in PROOFS}
    if "request_uri" in asked or asked.setdefault("client_id", client.id) != client.id:
        raise GrantError("invalid_request", "request_uri is not pushed, and client_id is the client's own")
    if HEADER in request.headers:
        jkt = await proved_key(request)
        if asked.setdefault("dpop_jkt", jkt) != jkt:
            raise GrantError("invalid_dpop_proof", "dpop_jkt is of another key than the proof")
    query = urlencode(asked)
    if len(query) > QUERY_MAX:
        raise GrantError("invalid_request", f"a request has at most {QUERY_MAX} characters")
    try:
        read(asked, frozenset(), known(client))
    except AskedWrongly as error:
        raise GrantError(error.error, error.text) from error
    return query
