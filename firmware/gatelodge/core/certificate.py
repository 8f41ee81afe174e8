"""As much of an X.509 certificate as a router checks before it keeps one (RFC 5280).

Missing on purpose: validity dates (a router's clock may be unset; TLS peers check them),
extensions and chains (the factory signs with its root). mbedTLS checks all of that in use; this
keeps a router from storing a certificate that belongs to another key or another factory.
"""

from collections import namedtuple

from gatelodge.contract.errors import TheirError
from gatelodge.core import csr, der, p256

# signed: the bytes under the signature; issuer, subject: DER names; serial_numbers: the
# serialNumber attributes (2.5.4.5) of the subject, as text; public_key: a point.
Certificate = namedtuple("Certificate", "signed issuer subject serial_numbers public_key signature")

_SERIAL_NUMBER = b"\x55\x04\x05"


class CertificateError(TheirError):
    """A certificate that this router must not keep."""


def read(data):
    """Return the Certificate in the DER bytes. Raises DerError, CurveError or CertificateError."""
    outer = der.Reader(data)
    certificate = outer.enter(der.SEQUENCE)
    outer.finish()
    signed = certificate.whole(der.SEQUENCE)
    if certificate.whole(der.SEQUENCE) != csr.SIGNATURE_ALGORITHM:
        raise CertificateError(
            "the certificate is not signed with ECDSA and SHA-256: sign it with the factory CA"
        )
    signature = certificate.bit_string()
    issuer, subject, key = _read_signed(der.Reader(signed).enter(der.SEQUENCE))
    return Certificate(signed, issuer, subject, _serial_numbers(subject), _read_key(key), signature)


def check(data, authority, public_key, serial_number=None):
    """Raise CertificateError unless the authority signed this certificate for this key.

    `data` and `authority` are DER; `serial_number`, when given, must be the subject's only one.
    """
    certificate = read(data)
    issuer = read(authority)
    if certificate.public_key != public_key:
        raise CertificateError("the certificate is for another key: ask this router for a new request")
    if certificate.issuer != issuer.subject:
        raise CertificateError(
            "the certificate names another issuer than the factory CA: send the CA that signed it"
        )
    if not csr.signature_is_valid(issuer.public_key, certificate.signed, certificate.signature):
        raise CertificateError("the factory CA did not sign this certificate: sign it again")
    if serial_number is not None and certificate.serial_numbers != [serial_number]:
        raise CertificateError("the certificate is for another serial number: sign a request for this one")


def _read_signed(fields):
    """Return (issuer, subject, public key info), stepping over the rest (RFC 5280 section 4.1)."""
    if fields.peek() == 0xA0:
        fields.skip()  # [0] version
    fields.integer()  # serialNumber
    fields.expect(der.SEQUENCE)  # signature algorithm, once more
    issuer = fields.whole(der.SEQUENCE)
    fields.expect(der.SEQUENCE)  # validity
    subject = fields.whole(der.SEQUENCE)
    return issuer, subject, fields.enter(der.SEQUENCE)


def _read_key(info):
    if info.whole(der.SEQUENCE) != csr.KEY_ALGORITHM:
        raise CertificateError("the certificate's key is not a P-256 key: use P-256")
    return p256.decode_point(info.bit_string())


def _serial_numbers(name):
    found = []
    names = der.Reader(name).enter(der.SEQUENCE)
    while not names.at_end:
        attributes = names.enter(der.SET)
        while not attributes.at_end:
            attribute = attributes.enter(der.SEQUENCE)
            kind = attribute.expect(der.OBJECT_IDENTIFIER)
            _, _, start, end = attribute.next()
            if kind == _SERIAL_NUMBER:
                found.append(_text(name[start:end]))
    return found


def _text(content):
    try:
        return content.decode()
    except UnicodeError:
        raise CertificateError("the certificate's serial number is not text: sign it again")
