"""What the factory's certificates are made of: their terms, and what a router's request must be."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.errors import ToolError

CA_DAYS = 30 * 365
DEVICE_DAYS = 20 * 365  # a router outlives what anybody expects; nobody renews it at home
ADMIN_DAYS = 20 * 365
CRL_DAYS = 10 * 365  # nobody fetches a list: one that is late must not stop every router
# A router's clock may be behind the bench's when it first checks; a day covers a wrong time zone.
BACKDATED = datetime.timedelta(days=1)


def checked_request(csr: bytes, serial_number: str, public_key: bytes) -> x509.CertificateSigningRequest:
    """Raises ToolError unless the request is the router's own, for its key and its name."""
    try:
        request = x509.load_der_x509_csr(csr)
        signed = request.is_signature_valid
    except (ValueError, InvalidSignature) as error:
        raise _bad_request(f"cannot be read ({error})") from error
    shown = request.public_key()
    if not signed:
        raise _bad_request("is not signed by its own key")
    if not isinstance(shown, ec.EllipticCurvePublicKey) or _point(shown) != public_key:
        raise _bad_request("is for another key than the router showed")
    names = request.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if [name.value for name in names] != [serial_number]:
        raise _bad_request("is for another serial number")
    return request


def own_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, provisioning.ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, "Gatelodge factory CA"),
        ]
    )
    return (
        dated(CA_DAYS)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def dated(days: int) -> x509.CertificateBuilder:
    since = datetime.datetime.now(datetime.UTC) - BACKDATED
    builder = x509.CertificateBuilder().serial_number(x509.random_serial_number())
    return builder.not_valid_before(since).not_valid_after(since + datetime.timedelta(days=days))


def key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _bad_request(reason: str) -> ToolError:
    return ToolError(
        f"the router's certificate request {reason}",
        "start this bench again; if it stays, keep the router aside",
        exit_codes.PROVISIONING,
    )
