"""What a client with a key of its own signs: who it is (RFC 7523), and that it asks itself (RFC 9449)."""

from __future__ import annotations

import json

from joserfc import jwt
from joserfc.jwk import ECKey

from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc import assertions, proofs
from host_tools.cloud.store.secret_box import new_id

ALGORITHM = "ES256"
LASTS_S = 60


def make_key() -> str:
    """A private JWK, in JSON: a secret."""
    return json.dumps(ECKey.generate_key("P-256").as_dict(private=True))


class OwnKey:
    """private: what make_key() made."""

    def __init__(self, private: str, client_id: str, clock: Clock):
        self._key = ECKey.import_key(json.loads(private))
        self._client_id = client_id
        self._clock = clock

    @property
    def public(self) -> str:
        """The JWK set to register."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]})

    def assertion(self, issuer: str) -> dict[str, str]:
        """The fields of a form that prove who sends it, to this provider, once."""
        claims = {"iss": self._client_id, "sub": self._client_id, "aud": issuer, **self._now()}
        claims |= {"exp": int(self._clock()) + LASTS_S}
        signed = jwt.encode({"alg": ALGORITHM}, claims, self._key)
        return {"client_assertion_type": assertions.TYPE, "client_assertion": signed}

    def proof(self, method: str, address: str) -> dict[str, str]:
        """The header that binds what comes of the request to the key."""
        header = {"alg": ALGORITHM, "typ": proofs.KIND, "jwk": self._key.as_dict(private=False)}
        return {"DPoP": jwt.encode(header, {"htm": method, "htu": address, **self._now()}, self._key)}

    def _now(self) -> dict[str, int | str]:
        return {"iat": int(self._clock()), "jti": new_id()}
