"""Proofs that whoever asks holds a key: DPoP (RFC 9449). Pure; each is taken once (spent.py).

A proof is for one method and one address, brings its key, and is good for a minute. What a token is bound to
is the key's thumbprint (RFC 7638): whoever steals the token has not the key. We hand out no nonces (section
8): they hinder only whoever had the key for a moment, and signed proofs in store.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from joserfc.jwk import ECKey, Key, OKPKey, import_key

from host_tools.cloud.oidc.signed import SPOILT, Unproved, first_fault, is_name, seconds, unchecked, verified

KIND = "dpop+jwt"
ALGORITHMS = ("ES256", "Ed25519", "EdDSA")  # an RSA key would be longer than a header may be
CURVES = ("P-256", "Ed25519")
LASTS_S = 60
AHEAD_S = 30  # by which the other's clock may go before ours
PORTS = {"https": 443, "http": 80}


class Proof(NamedTuple):
    """`jkt`: the key's thumbprint. `jti` is good once, and remembered `until` then."""

    jkt: str
    jti: str
    until: float


def read(proof: str, method: str, address: str, now: float, access_token: str = "") -> Proof:
    """Section 4.3. access_token: what comes with it, at a resource. Raises Unproved."""
    header, _ = unchecked(proof)
    if header.get("typ") != KIND:
        raise Unproved(f"typ is {KIND}")
    key = _key(header.get("jwk"))
    claims = verified(proof, key, ALGORITHMS)
    issued = seconds(claims.get("iat"))
    first_fault(
        {
            "jti is missing": not is_name(claims.get("jti")),
            "htm is the request's method": claims.get("htm") != method,
            "htu is the request's address": not _same_address(claims.get("htu"), address),
            "iat is missing, too old, or of the future": not now - LASTS_S <= issued <= now + AHEAD_S,
            "ath is the access token's hash": bool(access_token) and not _is_hash(claims, access_token),
        }
    )
    return Proof(key.thumbprint(), claims["jti"], issued + LASTS_S)


def _key(jwk: object) -> Key:
    if not isinstance(jwk, dict) or jwk.get("kty") not in ("EC", "OKP"):
        raise Unproved("jwk is missing, or of another kind")
    try:
        key = import_key(jwk)
    except SPOILT as error:
        raise Unproved("jwk is no key") from error
    if not isinstance(key, ECKey | OKPKey) or key.curve_name not in CURVES or key.is_private:
        raise Unproved(f"jwk is a public key on {' or '.join(CURVES)}")
    return key


def _is_hash(claims: Mapping[str, Any], access_token: str) -> bool:
    digest = hashlib.sha256(access_token.encode()).digest()
    wanted = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(str(claims.get("ath", "")).encode("utf-8", "replace"), wanted)


def _same_address(given: object, address: str) -> bool:
    """Without query and fragment; names and ports as RFC 3986 section 6.2 compares them."""
    if not isinstance(given, str):
        return False
    try:
        return _compared(urlsplit(given)) == _compared(urlsplit(address))
    except ValueError:
        return False


def _compared(parts: SplitResult) -> tuple[str, str | None, int | None, str, bool]:
    """Raises ValueError where the port is none. A user in the address makes it another one."""
    return (
        parts.scheme,
        parts.hostname,
        parts.port or PORTS.get(parts.scheme),
        parts.path,
        "@" in parts.netloc,
    )
