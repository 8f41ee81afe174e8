"""What a router shows about its key: the private key file, the certificate request, signatures.

PKCS#10 (RFC 2986), SubjectPublicKeyInfo and ECDSA signatures (RFC 5480, RFC 3279), and SEC1's
private key (RFC 5915), all in DER, all for P-256 with SHA-256.
"""

from gatelodge import compat
from gatelodge.core import der, p256

_EC_PUBLIC_KEY = der.object_identifier("1.2.840.10045.2.1")
_PRIME256V1 = der.object_identifier("1.2.840.10045.3.1.7")
_ECDSA_WITH_SHA256 = der.object_identifier("1.2.840.10045.4.3.2")
_ORGANIZATION = der.object_identifier("2.5.4.10")
_COMMON_NAME = der.object_identifier("2.5.4.3")
_SERIAL_NUMBER = der.object_identifier("2.5.4.5")

KEY_ALGORITHM = der.sequence(_EC_PUBLIC_KEY, _PRIME256V1)
SIGNATURE_ALGORITHM = der.sequence(_ECDSA_WITH_SHA256)  # no parameters: RFC 5758 section 3.2


def sec1_private_key(private_key):
    """Return the private key as MicroPython's `tls` loads it (RFC 5915)."""
    point = p256.encode_point(p256.public_key(private_key))
    return der.sequence(
        der.integer(1),
        der.octet_string(private_key.to_bytes(32, "big")),
        der.explicit(0, _PRIME256V1),
        der.explicit(1, der.bit_string(point)),
    )


def read_sec1_private_key(data):
    """Return the private key of `sec1_private_key`. Raises DerError."""
    key = der.Reader(data).enter(der.SEQUENCE)
    if key.integer() != 1:
        raise der.DerError("the private key is not of version 1")
    secret = key.expect(der.OCTET_STRING)
    value = int.from_bytes(secret, "big")
    if len(secret) != 32 or not 0 < value < p256.N:
        raise der.DerError("the private key is not a P-256 key")
    return value


def public_key_info(point):
    """Return the SubjectPublicKeyInfo of a public point (RFC 5480 section 2)."""
    return der.sequence(KEY_ALGORITHM, der.bit_string(p256.encode_point(point)))


def signature(private_key, message):
    """Return the DER signature of the message's SHA-256 digest."""
    r, s = p256.sign(private_key, compat.sha256(message))
    return der.sequence(der.integer(r), der.integer(s))


def signature_is_valid(point, message, signature_der):
    """Whether a DER signature signs the message. Raises DerError when it is not DER."""
    outer = der.Reader(signature_der)
    pair = outer.enter(der.SEQUENCE)
    outer.finish()
    r = pair.integer()
    s = pair.integer()
    pair.finish()
    return p256.verify(point, compat.sha256(message), r, s)


def certificate_request(private_key, serial_number, organization):
    """Return the signed request (RFC 2986) for the subject O, CN and serialNumber.

    The common name is the serial number too: tools list certificates by it.
    """
    information = der.sequence(
        der.integer(0),
        _name(serial_number, organization),
        public_key_info(p256.public_key(private_key)),
        der.explicit(0),  # no attributes; the factory decides what the certificate allows
    )
    signed = der.bit_string(signature(private_key, information))
    return der.sequence(information, SIGNATURE_ALGORITHM, signed)


def _name(serial_number, organization):
    attributes = (
        (_ORGANIZATION, der.utf8_string(organization)),
        (_COMMON_NAME, der.utf8_string(serial_number)),
        (_SERIAL_NUMBER, der.printable_string(serial_number)),  # X.520 wants PrintableString here
    )
    return der.sequence(*[der.set_of_one(der.sequence(kind, value)) for kind, value in attributes])
