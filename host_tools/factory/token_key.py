"""The factory authority's key on a PKCS#11 token: it signs there and never leaves it.

    key = load(Place("/usr/lib/softhsm/libsofthsm2.so", "factory", "gatelodge-factory-ca"), pin)

It is an `ec.EllipticCurvePrivateKey` to the `cryptography` library, which asks it for signatures. Needs the
package python-pkcs11: `pip install gatelodge[pkcs11]`.
"""

import hashlib
import threading
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from host_tools import exit_codes
from host_tools.errors import ToolError

KEY_LABEL = "gatelodge-factory-ca"
CURVE = "secp256r1"


class Place(NamedTuple):
    module: str  # the token's PKCS#11 library
    token: str  # its label
    key: str = KEY_LABEL


class TokenKey(ec.EllipticCurvePrivateKey):
    """Signs SHA-256 with P-256. A session is for one thread at a time."""

    def __init__(self, session: Any, private: Any, public: ec.EllipticCurvePublicKey):
        self._session = session
        self._private = private
        self._public = public
        self._one_at_a_time = threading.Lock()

    def sign(self, data, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        import pkcs11

        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise ValueError("this key signs SHA-256 only")
        with self._one_at_a_time:
            raw = self._private.sign(hashlib.sha256(data).digest(), mechanism=pkcs11.Mechanism.ECDSA)
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def exchange(self, algorithm, peer_public_key) -> bytes:
        raise NotImplementedError("this key only signs")

    def private_numbers(self):
        raise NotImplementedError("this key does not leave its token")

    def private_bytes(self, encoding, format, encryption_algorithm) -> bytes:
        raise NotImplementedError("this key does not leave its token")

    def __copy__(self) -> "TokenKey":
        return self

    def __deepcopy__(self, memo: dict) -> "TokenKey":
        return self


def generate(place: Place, pin: bytes) -> TokenKey:
    """Make the key on the token. Raises ToolError, also when there is one of this name."""
    session = _open(place, pin, writes=True)
    import pkcs11

    try:
        _generate(session, place)
    except pkcs11.PKCS11Error as error:
        raise _no_token(place, error) from error
    return _key(session, place)


def _generate(session: Any, place: Place) -> None:
    import pkcs11.util.ec

    if list(session.get_objects({pkcs11.Attribute.LABEL: place.key})):
        remedy = "name another one with --pkcs11-key"
        raise ToolError(f"the token {place.token} has a key {place.key}", remedy, exit_codes.USAGE)
    encoded = pkcs11.util.ec.encode_named_curve_parameters(CURVE)
    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encoded}, local=True
    )
    never = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
    parameters.generate_keypair(store=True, label=place.key, private_template=never)


def load(place: Place, pin: bytes) -> TokenKey:
    """Raises ToolError."""
    return _key(_open(place, pin), place)


def _open(place: Place, pin: bytes, writes: bool = False) -> Any:
    try:
        import pkcs11
    except ImportError as error:
        remedy = "install it with: pip install 'gatelodge[pkcs11]'"
        raise ToolError("a key on a token needs python-pkcs11", remedy, exit_codes.MISSING_TOOL) from error
    try:
        token = pkcs11.lib(place.module).get_token(token_label=place.token)
        return _session(token, pin.decode(), writes)
    except (pkcs11.PKCS11Error, RuntimeError, UnicodeDecodeError) as error:
        raise _no_token(place, error) from error


def _session(token: Any, pin: str, writes: bool) -> Any:
    import pkcs11

    try:
        return token.open(user_pin=pin, rw=writes)
    except pkcs11.UserAlreadyLoggedIn:  # a process logs in once, for all of its sessions
        return token.open(rw=writes)


def _key(session: Any, place: Place) -> TokenKey:
    import pkcs11
    import pkcs11.util.ec

    try:
        private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=place.key)
        public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, label=place.key)
        known = load_der_public_key(pkcs11.util.ec.encode_ec_public_key(public))
    except pkcs11.PKCS11Error as error:
        raise _no_token(place, error) from error
    assert isinstance(known, ec.EllipticCurvePublicKey)  # it was asked for by its kind
    return TokenKey(session, private, known)


def _no_token(place: Place, error: Exception) -> ToolError:
    reason = type(error).__name__
    remedy = "check that it is plugged in, its label and its PIN"
    return ToolError(f"the token {place.token} cannot be used ({reason})", remedy, exit_codes.PROVISIONING)
