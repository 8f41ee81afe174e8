"""Speaking with one provider: discovery, keys, tokens and claims. Every answer has a bound and a deadline."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from host_tools.cloud.bodies import bounded
from host_tools.cloud.clock import Clock
from host_tools.cloud.outside.config import FACEBOOK, Outside, is_secure
from host_tools.cloud.outside.identity import Identity, Unbelievable, check, of_claims, of_facebook
from host_tools.cloud.outside.own_key import OwnKey

TIMEOUT_S = 15
ANSWER_MAX = 256 * 1024
KNOWN_S = 3600  # what discovery and the key set said; a key that is unknown is asked for again
AGAIN_S = 60  # but not more often than this, whatever keys a token names
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]  # signatures alone: a secret that is shared signs nothing

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
PUSH, MUST_PUSH = "pushed_authorization_request_endpoint", "require_pushed_authorization_requests"
SPOILT = (JoseError, ValueError, TypeError, RecursionError)  # what reading keys and tokens may raise


class Away(Exception):  # noqa: N818
    """The provider does not answer, or not as one."""


class Provider:
    """`address` leads there; `identity` is whom the answer's code stands for.

    key: by which we prove who we are, in place of the secret. What it gets are `claims`.
    """

    def __init__(
        self,
        outside: Outside,
        clock: Clock,
        trusted: ssl.SSLContext | None = None,
        key: OwnKey | None = None,
    ):
        self.outside = outside
        self._key = key
        self._clock = clock
        self._document: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._document_at = self._keys_at = float("-inf")
        self._trusted = trusted or ssl.create_default_context(cafile=outside.ca_file or None)

    async def address(
        self, redirect_uri: str, state: str, nonce: str, challenge: str, again: bool = False
    ) -> str:
        """Where the person is asked; `again`: also one who is signed in there. Raises Away."""
        fields = {
            "response_type": "code",
            "client_id": self.outside.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        if self.outside.kind == FACEBOOK:
            return f"{self.outside.dialog}?{urlencode({**fields, 'scope': 'email public_profile'})}"
        fields |= {"scope": "openid email profile", "nonce": nonce}
        fields |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        fields |= {"prompt": "login", "max_age": "0"} if again else {}
        document = await self._discovered()
        where = document["authorization_endpoint"]
        if self._key and (PUSH in document or document.get(MUST_PUSH) is True):
            fields = await self._pushed(document, fields)
        return f"{where}{'&' if '?' in where else '?'}{urlencode(fields)}"

    async def identity(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Identity:
        """Raises Away, Unbelievable."""
        fields = self._code_fields(code, redirect_uri)
        if self.outside.kind == FACEBOOK:
            return await self._facebook(fields)
        tokens, claims = await self._claims(fields, nonce, verifier)
        document = await self._discovered()
        if "email" not in claims and document.get("userinfo_endpoint"):
            claims = {**await self._userinfo(document, tokens, claims), **claims}
        return of_claims(self.outside.id, claims)

    async def claims(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the ID token says for this code, all of it. Raises Away, Unbelievable."""
        return (await self._claims(self._code_fields(code, redirect_uri), nonce, verifier))[1]

    def _code_fields(self, code: str, redirect_uri: str) -> dict[str, str]:
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        fields |= {"client_id": self.outside.client_id}
        return fields if self._key else fields | {"client_secret": self.outside.client_secret}

    async def _pushed(self, document: Mapping[str, Any], fields: dict[str, str]) -> dict[str, str]:
        """What the browser brings in their place (RFC 9126 section 4)."""
        told = await self._send(document[PUSH], fields) if PUSH in document else {}
        if not isinstance(told.get("request_uri"), str):
            raise Away(f"{self.outside.id} gave no request_uri")
        return {"client_id": self.outside.client_id, "request_uri": told["request_uri"]}

    async def _send(self, address: str, fields: dict[str, str]) -> dict[str, Any]:
        """A form that proves who we are."""
        if self._key is None:
            return await self._ask("POST", address, fields)
        proof = self._key.proof("POST", address)
        return await self._ask("POST", address, fields | self._key.assertion(self.outside.issuer), proof)

    async def _claims(
        self, fields: dict[str, str], nonce: str, verifier: str
    ) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """The answer of the token endpoint, and its ID token's claims."""
        document = await self._discovered()
        tokens = await self._send(document["token_endpoint"], {**fields, "code_verifier": verifier})
        claims = await self.verified(str(tokens.get("id_token", "")))
        check(claims, self.outside.issuer, self.outside.client_id, nonce, self._clock())
        return tokens, claims

    async def _userinfo(
        self, document: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Section 5.3.4: only if it is about the same person."""
        headers = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        told = await self._ask("GET", document["userinfo_endpoint"], headers=headers)
        if told.get("sub") != claims["sub"]:
            raise Unbelievable("it tells of somebody else")
        return told

    async def _facebook(self, fields: dict[str, str]) -> Identity:
        tokens = await self._ask("POST", f"{self.outside.issuer}/oauth/access_token", fields)
        access = str(tokens.get("access_token", ""))
        # A token that was stolen from another app is no use without our secret.
        proof = hmac.new(self.outside.client_secret.encode(), access.encode(), hashlib.sha256).hexdigest()
        query = urlencode({"fields": "id,first_name,last_name,email", "appsecret_proof": proof})
        headers = {"Authorization": f"Bearer {access}"}
        person = await self._ask("GET", f"{self.outside.issuer}/me?{query}", headers=headers)
        return of_facebook(self.outside.id, person)

    async def _discovered(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0 section 4: the document must name the issuer that was asked."""
        if self._clock() - self._document_at > KNOWN_S:
            address = self.outside.issuer.rstrip("/") + "/.well-known/openid-configuration"
            document = await self._ask("GET", address)
            if document.get("issuer") != self.outside.issuer or not self._leads_on(document):
                raise Away("its discovery document is of another issuer, or leads nowhere")
            self._document, self._document_at = document, self._clock()
        return self._document

    def _leads_on(self, document: Mapping[str, Any]) -> bool:
        """A person is sent to the one, and our secret to the other: over https, as the issuer is."""
        named = [document.get(name) for name in ENDPOINTS]
        named += [document[name] for name in ("userinfo_endpoint", PUSH) if name in document]
        local = self.outside.issuer.startswith("http:")
        return all(is_secure(address, local_too=local) for address in named)

    async def verified(self, token: str) -> Mapping[str, Any]:
        """The claims, if one of the provider's keys signed them. A key may have turned since we looked."""
        for fresh in (False, True):
            try:
                return jwt.decode(token, await self._key_set(fresh), algorithms=ALGORITHMS).claims
            except SPOILT as error:
                fault = error
        raise Unbelievable("its signature is wrong") from fault

    async def _key_set(self, fresh: bool) -> KeySet:
        age_s = self._clock() - self._keys_at
        if self._keys is None or age_s > (AGAIN_S if fresh else KNOWN_S):
            found = await self._ask("GET", (await self._discovered())["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set({"keys": found.get("keys", [])})
            except SPOILT as error:
                raise Away("its key set is none") from error
            self._keys_at = self._clock()
        return self._keys

    async def _ask(
        self,
        method: str,
        address: str,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """The JSON object at the address. Raises Away, which holds nothing of what was sent."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        connector = aiohttp.TCPConnector(ssl=self._trusted)
        headers = {"Accept": "application/json", **(headers or {})}
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, connector=connector) as http,
                http.request(method, address, data=fields, headers=headers, allow_redirects=False) as answer,
            ):
                found = json.loads(await bounded(answer, ANSWER_MAX)) if answer.status in (200, 201) else None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, RecursionError) as error:
            raise Away(f"{self.outside.id} did not answer ({type(error).__name__})") from error
        if not isinstance(found, dict):
            raise Away(f"{self.outside.id} answered {answer.status}, or no JSON object")
        return found
