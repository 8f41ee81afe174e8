"""What applications ask by themselves: tokens and claims. No cookie is read here, or set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from aiohttp import web

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.oidc import claims, proofs
from host_tools.cloud.oidc.clients import known, may
from host_tools.cloud.oidc.described import CODE, DEVICE, REFRESH
from host_tools.cloud.oidc.devices import INTERVAL_S, LASTS_S
from host_tools.cloud.oidc.grants import ACCESS_S, Given, GrantError
from host_tools.cloud.oidc.logins import session_name
from host_tools.cloud.pages.oidc_asking import client_of, needed, posted_by, refused
from host_tools.cloud.pages.oidc_proving import key_of, proved_key
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# How an access token comes: the scheme, and what its challenge says beside the fault.
SCHEMES = {"bearer": "", "dpop": f'algs="{" ".join(proofs.ALGORITHMS)}"'}
NAMES = {"bearer": "Bearer", "dpop": "DPoP"}
NO_KEY = "none"  # a strict provider takes no token that is bound to nothing


async def token(request: web.Request) -> web.StreamResponse:
    """RFC 6749 section 3.2, one row of GRANTS per grant type."""
    try:
        posted = await posted_by(request)
        client = await client_of(request, posted)
        grant = GRANTS.get(posted.get("grant_type", ""))
        if grant is None:
            raise GrantError("unsupported_grant_type", f"grant_type is one of {', '.join(GRANTS)}")
        check_may(client, grant.name)
        given = await grant.given(request, client, posted, await key_of(request, client))
        await request.app[PARTS].oidc.clients.used(client)
        return web.json_response(await _answer(request, client, given))
    except (GrantError, ThrottledError) as error:
        return refused(request, error)


async def revoke(request: web.Request) -> web.StreamResponse:
    """RFC 7009: the same answer whether or not there was such a token."""
    try:
        posted = await posted_by(request)
        client = await client_of(request, posted)
        await request.app[PARTS].oidc.grants.revoke(client, needed(posted, "token"))
    except (GrantError, ThrottledError) as error:
        return refused(request, error)
    return web.json_response({})


async def device_authorization(request: web.Request) -> web.StreamResponse:
    """RFC 8628 section 3.1."""
    parts = request.app[PARTS]
    try:
        posted = await posted_by(request)
        client = await client_of(request, posted)
        check_may(client, DEVICE)
        await parts.turnstile.take("device_begin", account=client.id, address=request.remote or "")
        allowed = known(client)
        asked = posted.get("scope", "openid").split()
        scope = tuple(one for one in (allowed.scope if allowed else ()) if one in asked)
        if "openid" not in scope:
            raise GrantError("invalid_scope", "scope must name openid")
        begun = await parts.oidc.devices.begin(client, scope, request.remote or "", parts.clock())
    except (GrantError, ThrottledError) as error:
        return refused(request, error)
    page = f"{parts.oidc.issuer}/device"
    return web.json_response(
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={begun.user_code}",
            "expires_in": LASTS_S,
            "interval": INTERVAL_S,
        }
    )


async def userinfo(request: web.Request) -> web.StreamResponse:
    """OpenID Connect Core 1.0 section 5.3, with the token in the header (RFC 6750, 2.1; RFC 9449, 7.1)."""
    parts = request.app[PARTS]
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in SCHEMES:
        return _unauthorized(parts.oidc.strict)
    given = value.strip()  # ours are ASCII; what is not may hold bytes that no text can
    found = await parts.oidc.grants.held(given, parts.clock()) if given.isascii() else None
    bound = found is not None and bool(found.jkt or parts.oidc.strict)
    try:
        if found is None or bound is not (scheme.lower() == "dpop"):
            raise GrantError("invalid_token", "wrong, revoked, expired, or bound to a key and sent without")
        if bound:
            await proved_key(request, given, found.jkt or NO_KEY)
    except GrantError as error:
        return _unauthorized(parts.oidc.strict, error)
    return web.json_response(claims.about(found.account, found.scope))


def _unauthorized(strict: bool, error: GrantError | None = None) -> web.Response:
    """RFC 6750 section 3, RFC 9449 section 7.1: by which schemes it goes, and what was wrong."""
    said = f'error="{error.error}", error_description="{error.text}"' if error else ""
    answer = web.json_response({"error": error.error} if error else {}, status=401)
    for scheme, more in SCHEMES.items():
        if scheme == "dpop" or not strict:
            words = ", ".join(filter(None, (said, more)))
            answer.headers.add("WWW-Authenticate", f"{NAMES[scheme]} {words}".strip())
    return answer


async def _by_code(request: web.Request, client: OidcClient, posted: Mapping[str, str], jkt: str) -> Given:
    parts = request.app[PARTS]
    code, address, verifier = (needed(posted, name) for name in ("code", "redirect_uri", "code_verifier"))
    return await parts.oidc.grants.by_code(client, code, address, verifier, parts.clock(), jkt)


async def _by_refresh(request: web.Request, client: OidcClient, posted: Mapping[str, str], jkt: str) -> Given:
    parts = request.app[PARTS]
    given = needed(posted, "refresh_token")
    return await parts.oidc.grants.by_refresh(client, given, posted.get("scope"), parts.clock(), jkt)


async def _by_device(request: web.Request, client: OidcClient, posted: Mapping[str, str], jkt: str) -> Given:
    parts = request.app[PARTS]
    return await parts.oidc.devices.token(client, needed(posted, "device_code"), parts.clock(), jkt)


class Grant(NamedTuple):
    """`name`: as a client is registered for it (oidc/clients.py)."""

    name: str
    given: Callable[[web.Request, OidcClient, Mapping[str, str], str], Awaitable[Given]]


GRANTS = {
    "authorization_code": Grant(CODE, _by_code),
    "refresh_token": Grant(REFRESH, _by_refresh),
    DEVICE_GRANT: Grant(DEVICE, _by_device),
}


def check_may(client: OidcClient, grant: str) -> None:
    """Raises GrantError (RFC 6749 section 5.2)."""
    if not may(client, grant):
        raise GrantError("unauthorized_client", f"the client is not registered for {grant}")


async def _answer(request: web.Request, client: OidcClient, given: Given) -> dict[str, Any]:
    """RFC 6749 section 5.1 and OpenID Connect Core 1.0 section 3.1.3.3."""
    parts = request.app[PARTS]
    sid = session_name(given.session_id, client.id) if given.session_id else ""
    more = {"nonce": given.nonce, "sid": sid, "at_hash": claims.at_hash(given.access)}
    said = claims.id_token(
        parts.oidc.issuer, given.account, client.id, parts.clock(), given.signed_in_at, **more
    )
    answer = {
        "access_token": given.access,
        "token_type": "DPoP" if given.jkt else "Bearer",
        "expires_in": ACCESS_S,
        "scope": " ".join(given.scope),
        "id_token": await parts.oidc.keys.sign(said),
    }
    return answer | ({"refresh_token": given.refresh} if given.refresh else {})
