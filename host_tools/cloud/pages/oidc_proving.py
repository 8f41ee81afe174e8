"""The key that a request to the provider proves: its DPoP header (RFC 9449)."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.oidc import proofs
from host_tools.cloud.oidc.grants import GrantError
from host_tools.cloud.oidc.signed import Unproved
from host_tools.cloud.parts import PARTS
from host_tools.cloud.store.oidc_models import OidcClient

HEADER = "DPoP"
ERROR = "invalid_dpop_proof"


async def key_of(request: web.Request, client: OidcClient) -> str:
    """Its thumbprint; "" where the client need not prove any, and does not. Raises GrantError."""
    if HEADER not in request.headers:
        if request.app[PARTS].oidc.binds(client):
            raise GrantError(ERROR, "this client's tokens are bound to its key: send a DPoP proof (RFC 9449)")
        return ""
    return await proved_key(request)


async def proved_key(request: web.Request, access_token: str = "", wanted: str = "") -> str:
    """The thumbprint of the key that has signed the request's one proof, which is spent by that.

    access_token: what came with it. wanted: the key that it must be. Raises GrantError.
    """
    oidc, now = request.app[PARTS].oidc, request.app[PARTS].clock()
    given = request.headers.getall(HEADER, [])
    if len(given) != 1:
        raise GrantError(ERROR, "a request has one DPoP header")
    try:
        proof = proofs.read(given[0], request.method, oidc.issuer + request.path, now, access_token)
    except Unproved as error:
        raise GrantError(ERROR, f"the DPoP proof is not taken: {error}") from error
    if wanted and proof.jkt != wanted:
        raise GrantError("invalid_token", "the token is bound to another key")
    if not await oidc.spent.first_time("dpop", proof.jkt, proof.jti, proof.until, now):
        raise GrantError(ERROR, "the DPoP proof came before: sign a new one for each request")
    return proof.jkt
