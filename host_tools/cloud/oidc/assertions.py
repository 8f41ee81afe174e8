"""An application proves who it is by a key: private_key_jwt (RFC 7523, OpenID Connect Core 1.0 section 9)."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import NamedTuple

from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey, import_key

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_
from host_tools.cloud.oidc.signed import SPOILT, Unproved, first_fault, is_name, seconds, unchecked, verified

METHOD = "private_key_jwt"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("ES256", "Ed25519", "EdDSA", "PS256", "RS256")
KINDS = (None, "JWT", "client-authentication+jwt")  # typ: what we sign ourselves, and other proofs, are none
LIFE_MAX_S = 3600  # it is remembered until it is over
LEEWAY_S = 60  # between two clocks
KEYS_MAX = 5
RSA_BITS_MIN = 3072  # 128 bits of security (NIST SP 800-57 part 1, table 2)
CURVES = {"EC": "P-256", "OKP": "Ed25519"}


NO_SET = N_("The key is no JWK set in JSON (RFC 7517).")
COUNT = N_("An application has 1 to %(count)s keys.")
UNNAMED = N_("Several keys are told apart by a kid of each.")
SHARED = N_("A key that both sides know proves nothing: register the public half of a pair.")
PRIVATE = N_(
    "A private key belongs to its application alone: make a new pair, and register its public half. "
    "This one has been seen."
)
WEAK = N_("A key is EC on P-256, Ed25519, or RSA of %(bits)s bits or more.")


class WrongKeys(RefusedError):
    """What is wrong with a key set."""


class Taken(NamedTuple):
    """What tells an assertion from all others, and until when."""

    jti: str
    until: float


def subject(assertion: str) -> str:
    """Whom it names, which nobody has checked. Raises Unproved."""
    found = unchecked(assertion)[1].get("sub")
    if not isinstance(found, str):
        raise Unproved("it names no client")
    return found


def check(assertion: str, client_id: str, jwks: str, audiences: Collection[str], now: float) -> Taken:
    """audiences: names of ours, and of what is asked (RFC 7523 section 3). Raises Unproved."""
    kind = unchecked(assertion)[0].get("typ")
    claims = verified(assertion, KeySet.import_key_set(json.loads(jwks)), ALGORITHMS)
    audience, own = claims.get("aud"), (claims.get("iss"), claims.get("sub")) == (client_id, client_id)
    expires = seconds(claims.get("exp"))
    begun = all(seconds(claims.get(name, now)) <= now + LEEWAY_S for name in ("iat", "nbf"))
    first_fault(
        {
            "it is another kind of token": kind not in KINDS,
            "iss and sub are the client's id": not own,
            "aud is this provider alone": not any(audience in (one, [one]) for one in audiences),
            "exp is missing, or over": not now < expires + LEEWAY_S,
            f"exp is more than {LIFE_MAX_S} s ahead": not expires <= now + LIFE_MAX_S + LEEWAY_S,
            "iat or nbf is of the future": not begun,
            "jti is missing": not is_name(claims.get("jti")),
        }
    )
    return Taken(claims["jti"], expires + LEEWAY_S)


def read_keys(text: str) -> str:
    """A JWK set, or one JWK, as we keep it: public parts alone. Raises WrongKeys."""
    try:
        given = json.loads(text)
        dicts = given.get("keys", [given])
        keys = [import_key(one) for one in dicts if isinstance(one, dict)]
    except SPOILT as error:
        raise WrongKeys("", NO_SET) from error
    if not 0 < len(keys) == len(dicts) <= KEYS_MAX:
        raise WrongKeys("", COUNT, count=KEYS_MAX)
    for key in keys:
        _check_key(key)
    if len(keys) > 1 and len({key.kid for key in keys if key.kid}) < len(keys):
        raise WrongKeys("", UNNAMED)
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def _check_key(key: Key) -> None:
    if not isinstance(key, ECKey | OKPKey | RSAKey):
        raise WrongKeys("", SHARED)
    if key.is_private:
        raise WrongKeys("", PRIVATE)
    if isinstance(key, RSAKey):
        fits = key.public_key.key_size >= RSA_BITS_MIN
    else:
        fits = key.curve_name == CURVES[key.key_type]
    if not fits:
        raise WrongKeys("", WEAK, bits=RSA_BITS_MIN)
