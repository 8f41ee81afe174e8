"""A private key by which we say who we are (RFC 7523 section 2.2): good once, for a minute."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from host_tools.cloud.store.secret_box import new_id

LASTS_S = 60
RSA_BITS_MIN = 3072  # 128 bits of security (NIST SP 800-57 part 1, table 2)
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KINDS = "a key is EC on P-256, or RSA of 3072 bits or more, in PEM and without a password"


class SigningKey:
    """certificate: of the key, in PEM, where the server knows us by it."""

    def __init__(self, pem: bytes, certificate: bytes | None = None):
        """Raises ValueError, which holds nothing of the key."""
        self._algorithm, self._key = _imported(pem)
        self._header: dict[str, Any] = {"alg": self._algorithm, "typ": "JWT", "kid": self._key.thumbprint()}
        if certificate is not None:
            self._header["x5t#S256"] = _thumbprint(certificate)

    @classmethod
    def read(cls, key: Path, certificate: Path | None = None) -> SigningKey:
        """Raises ValueError, OSError."""
        return cls(key.read_bytes(), certificate.read_bytes() if certificate else None)

    def assertion(self, client_id: str, audience: str, now: float) -> dict[str, str]:
        """The fields of a form that prove who sends it."""
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "jti": new_id()}
        moments = {"iat": int(now), "nbf": int(now), "exp": int(now) + LASTS_S}
        signed = jwt.encode(self._header, {**claims, **moments}, self._key, algorithms=[self._algorithm])
        return {"client_assertion_type": TYPE, "client_assertion": signed}


def _imported(pem: bytes) -> tuple[str, ECKey | RSAKey]:
    """(its algorithm, the key)."""
    try:
        found = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(KINDS) from None
    if isinstance(found, ec.EllipticCurvePrivateKey) and isinstance(found.curve, ec.SECP256R1):
        return "ES256", ECKey.import_key(pem)
    if isinstance(found, rsa.RSAPrivateKey) and found.key_size >= RSA_BITS_MIN:
        return "PS256", RSAKey.import_key(pem)
    raise ValueError(KINDS)


def _thumbprint(certificate: bytes) -> str:
    """RFC 7515 section 4.1.8."""
    der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
