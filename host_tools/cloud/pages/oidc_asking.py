"""Which application asks, by which form: what every address of the provider for programs begins with."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import unquote_plus

from aiohttp import web

from host_tools.cloud.accounts.errors import ThrottledError
from host_tools.cloud.oidc import assertions
from host_tools.cloud.oidc.grants import GrantError
from host_tools.cloud.oidc.signed import Unproved
from host_tools.cloud.pages import arriving
from host_tools.cloud.pages.nul import holds_nul
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient

CLIENT_METHODS = (assertions.METHOD, "client_secret_basic", "client_secret_post", "none")
REALM = 'Basic realm="applications", charset="UTF-8"'


async def posted_by(request: web.Request) -> dict[str, str]:
    """Each parameter once (RFC 6749 section 3.2). Raises GrantError."""
    if not arriving.is_form(request):
        raise GrantError("invalid_request", f"send a form: {arriving.FORM_TYPE}, in UTF-8")
    try:
        form = await arriving.form(request)
    except ValueError:
        raise GrantError("invalid_request", "the form cannot be read") from None
    if holds_nul(form):
        raise GrantError("invalid_request", "a parameter holds NUL")
    if len(set(form)) != len(form):
        raise GrantError("invalid_request", "a parameter is there twice")
    return {name: str(value) for name, value in form.items()}


async def client_of(request: web.Request, posted: Mapping[str, str]) -> OidcClient:
    """Who asks (RFC 6749 section 2.3, RFC 7521 section 4.2). A wrong proof counts.

    Raises GrantError, ThrottledError.
    """
    ways = ("Authorization" in request.headers, "client_secret" in posted, "client_assertion" in posted)
    if sum(ways) > 1:
        raise GrantError("invalid_request", "the client proves itself one way, not two")
    found = await (_by_key if "client_assertion" in posted else _by_secret)(request, posted)
    if isinstance(found, OidcClient):
        if not found.jwks and request.app[PARTS].oidc.is_strict(found):
            raise GrantError("invalid_client", f"clients prove themselves by {assertions.METHOD} here")
        return found
    claimed = posted.get("client_id", "")[:40]
    await request.app[PARTS].turnstile.take("client", account=claimed, address=request.remote or "")
    raise GrantError("invalid_client", found)


async def _by_secret(request: web.Request, posted: Mapping[str, str]) -> OidcClient | str:
    """The client, or why it is none."""
    client_id, secret = posted.get("client_id", ""), posted.get("client_secret", "")
    if "Authorization" in request.headers:
        client_id, secret = _basic(request.headers["Authorization"])
    client = await request.app[PARTS].oidc.clients.proved(client_id, secret)
    return client or "the client is not known, or its secret is wrong"


async def _by_key(request: web.Request, posted: Mapping[str, str]) -> OidcClient | str:
    oidc = request.app[PARTS].oidc
    if posted.get("client_assertion_type") != assertions.TYPE:
        return f"client_assertion_type is {assertions.TYPE}"
    # RFC 7523 section 3 and RFC 9126 section 2: our name, the token endpoint, or what is asked.
    audiences = (oidc.issuer, f"{oidc.issuer}/oidc/token", oidc.issuer + request.path)
    try:
        return await oidc.clients.asserted(posted["client_assertion"], posted.get("client_id", ""), audiences)
    except Unproved as error:
        return f"the client's assertion is not taken: {error}"


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


def needed(posted: Mapping[str, str], name: str) -> str:
    if not posted.get(name):
        raise GrantError("invalid_request", f"{name} is missing")
    return posted[name]


def refused(request: web.Request, error: GrantError | ThrottledError) -> web.Response:
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
