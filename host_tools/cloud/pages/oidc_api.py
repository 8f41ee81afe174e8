"""What applications ask by themselves: discovery, keys, tokens, claims. No cookie is read here, or set."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.oidc import claims
from host_tools.cloud.oidc.clients import known
from host_tools.cloud.oidc.devices import INTERVAL_S, LASTS_S
from host_tools.cloud.oidc.grants import ACCESS_S, Given, GrantError
from host_tools.cloud.oidc.keys import ALGORITHM
from host_tools.cloud.oidc.logins import session_name
from host_tools.cloud.oidc.requests import PROMPTS, SCOPES
from host_tools.cloud.pages.guards import FORM_TYPE
from host_tools.cloud.pages.nul import holds_nul
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT_METHODS = ("client_secret_basic", "client_secret_post", "none")
REALM = 'Basic realm="applications", charset="UTF-8"'


async def discovery(request: web.Request) -> web.StreamResponse:
    """OpenID Connect Discovery 1.0 section 3, RFC 8414."""
    issuer = request.app[PARTS].oidc.issuer
    return web.json_response(
        {
            "issuer": issuer,
            "authorization_endpoint": issuer + "/oidc/authorize",
            "token_endpoint": issuer + "/oidc/token",
            "userinfo_endpoint": issuer + "/oidc/userinfo",
            "jwks_uri": issuer + "/oidc/jwks",
            "revocation_endpoint": issuer + "/oidc/revoke",
            "end_session_endpoint": issuer + "/oidc/logout",
            "device_authorization_endpoint": issuer + "/oidc/device",
            "scopes_supported": SCOPES,
            "claims_supported": ["sub", "name", "given_name", "family_name", "email", "email_verified"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANTS),
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": CLIENT_METHODS,
            "revocation_endpoint_auth_methods_supported": CLIENT_METHODS,
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": PROMPTS,
            "authorization_response_iss_parameter_supported": True,
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
    )


async def jwks(request: web.Request) -> web.StreamResponse:
    return web.json_response(await request.app[PARTS].oidc.keys.public())


async def token(request: web.Request) -> web.StreamResponse:
    """RFC 6749 section 3.2, one row of GRANTS per grant type."""
    try:
        posted = await _posted(request)
        client = await _client(request, posted)
        grant = GRANTS.get(posted.get("grant_type", ""))
        if grant is None:
            raise GrantError("unsupported_grant_type", f"grant_type is one of {', '.join(GRANTS)}")
        given = await grant(request, client, posted)
        return web.json_response(await _answer(request, client, given))
    except (GrantError, ThrottledError) as error:
        return _refused(request, error)


async def revoke(request: web.Request) -> web.StreamResponse:
    """RFC 7009: the same answer whether or not there was such a token."""
    try:
        posted = await _posted(request)
        client = await _client(request, posted)
        await request.app[PARTS].oidc.grants.revoke(client, _needed(posted, "token"))
    except (GrantError, ThrottledError) as error:
        return _refused(request, error)
    return web.json_response({})


async def device_authorization(request: web.Request) -> web.StreamResponse:
    """RFC 8628 section 3.1."""
    parts = request.app[PARTS]
    try:
        posted = await _posted(request)
        client = await _client(request, posted)
        await parts.turnstile.take("device_begin", account=client.id, address=request.remote or "")
        allowed = known(client)
        asked = posted.get("scope", "openid").split()
        scope = tuple(one for one in (allowed.scope if allowed else ()) if one in asked)
        if "openid" not in scope:
            raise GrantError("invalid_scope", "scope must name openid")
        begun = await parts.oidc.devices.begin(client, scope, request.remote or "", parts.clock())
    except (GrantError, ThrottledError) as error:
        return _refused(request, error)
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
    """OpenID Connect Core 1.0 section 5.3, with the token in the header (RFC 6750 section 2.1)."""
    parts = request.app[PARTS]
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return web.json_response({}, status=401, headers={"WWW-Authenticate": "Bearer"})
    given = value.strip()  # ours are ASCII; what is not may hold bytes that no text can
    found = await parts.oidc.grants.bearer(given, parts.clock()) if given.isascii() else None
    if found is None:
        error = 'Bearer error="invalid_token", error_description="wrong, revoked or expired"'
        return web.json_response({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": error})
    return web.json_response(claims.about(*found))


async def _by_code(request: web.Request, client: OidcClient, posted: Mapping[str, str]) -> Given:
    parts = request.app[PARTS]
    code, address, verifier = (_needed(posted, name) for name in ("code", "redirect_uri", "code_verifier"))
    return await parts.oidc.grants.by_code(client, code, address, verifier, parts.clock())


async def _by_refresh(request: web.Request, client: OidcClient, posted: Mapping[str, str]) -> Given:
    parts = request.app[PARTS]
    given = _needed(posted, "refresh_token")
    return await parts.oidc.grants.by_refresh(client, given, posted.get("scope"), parts.clock())


async def _by_device(request: web.Request, client: OidcClient, posted: Mapping[str, str]) -> Given:
    parts = request.app[PARTS]
    return await parts.oidc.devices.token(client, _needed(posted, "device_code"), parts.clock())


Grant = Callable[[web.Request, OidcClient, Mapping[str, str]], Awaitable[Given]]
GRANTS: dict[str, Grant] = {
    "authorization_code": _by_code,
    "refresh_token": _by_refresh,
    DEVICE_GRANT: _by_device,
}


async def _posted(request: web.Request) -> dict[str, str]:
    """Each parameter once (RFC 6749 section 3.2). Raises GrantError."""
    if request.content_type != FORM_TYPE or (request.charset or "utf-8").lower() != "utf-8":
        raise GrantError("invalid_request", f"send a form: {FORM_TYPE}, in UTF-8")
    try:
        form = await request.post()
    except (ValueError, LookupError):
        raise GrantError("invalid_request", "the form cannot be read") from None
    if holds_nul(form):
        raise GrantError("invalid_request", "a parameter holds NUL")
    if len(set(form)) != len(form):
        raise GrantError("invalid_request", "a parameter is there twice")
    return {name: str(value) for name, value in form.items()}


async def _client(request: web.Request, posted: Mapping[str, str]) -> OidcClient:
    """Who asks (RFC 6749 section 2.3.1). A wrong secret counts. Raises GrantError, ThrottledError."""
    parts = request.app[PARTS]
    client_id, secret = posted.get("client_id", ""), posted.get("client_secret", "")
    header = request.headers.get("Authorization", "")
    if header:
        if secret:
            raise GrantError("invalid_request", "the client proves itself one way, not two")
        client_id, secret = _basic(header)
    client = await parts.oidc.clients.proved(client_id, secret)
    if client is None:
        await parts.turnstile.take("client", account=client_id[:40], address=request.remote or "")
        raise GrantError("invalid_client", "the client is not known, or its secret is wrong")
    return client


def _basic(header: str) -> tuple[str, str]:
    kind, _, value = header.partition(" ")
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:
        kind, text = "", ""
    client_id, colon, secret = text.partition(":")
    if kind.lower() != "basic" or not colon:
        raise GrantError("invalid_client", "the Authorization header is no Basic")
    return unquote_plus(client_id), unquote_plus(secret)


def _needed(posted: Mapping[str, str], name: str) -> str:
    if not posted.get(name):
        raise GrantError("invalid_request", f"{name} is missing")
    return posted[name]


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
        "token_type": "Bearer",
        "expires_in": ACCESS_S,
        "scope": " ".join(given.scope),
        "id_token": await parts.oidc.keys.sign(said),
    }
    return answer | ({"refresh_token": given.refresh} if given.refresh else {})


def _refused(request: web.Request, error: GrantError | ThrottledError) -> web.Response:
    """RFC 6749 section 5.2."""
    if isinstance(error, ThrottledError):
        headers = {"Retry-After": str(error.wait_s)}
        return web.json_response(
            {"error": "slow_down", "error_description": error.text}, status=429, headers=headers
        )
    body = {"error": error.error, "error_description": error.text}
    if error.error != "invalid_client":
        return web.json_response(body, status=400)
    return web.json_response(body, status=401, headers={"WWW-Authenticate": REALM})
