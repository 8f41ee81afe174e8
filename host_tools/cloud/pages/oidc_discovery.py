"""What an application finds out by itself: where the provider is, what it can do, and its keys."""

from __future__ import annotations

from aiohttp import web

from host_tools.cloud.oidc import assertions, proofs
from host_tools.cloud.oidc.keys import ALGORITHM
from host_tools.cloud.oidc.requests import PROMPTS, SCOPES
from host_tools.cloud.pages.oidc_api import GRANTS
from host_tools.cloud.pages.oidc_asking import CLIENT_METHODS
from host_tools.cloud.parts import PARTS


async def discovery(request: web.Request) -> web.StreamResponse:
    """OpenID Connect Discovery 1.0 section 3, RFC 8414."""
    oidc = request.app[PARTS].oidc
    issuer, methods = oidc.issuer, (assertions.METHOD,) if oidc.strict else CLIENT_METHODS
    return web.json_response(
        {
            "issuer": issuer,
            "authorization_endpoint": issuer + "/oidc/authorize",
            "token_endpoint": issuer + "/oidc/token",
            "pushed_authorization_request_endpoint": issuer + "/oidc/par",
            "require_pushed_authorization_requests": oidc.strict,
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
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": assertions.ALGORITHMS,
            "revocation_endpoint_auth_signing_alg_values_supported": assertions.ALGORITHMS,
            "dpop_signing_alg_values_supported": proofs.ALGORITHMS,
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
