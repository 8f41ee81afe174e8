"""The cloud's own authority, and the certificates that its two listeners show."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from host_tools.cloud.credentials import holds, path_of
from host_tools.cloud.files import PUBLIC_MODE, SECRET_MODE, write_whole

# 10.0.2.2 is what an emulated router calls the computer it runs on; the last name is what every router asks
# for.
NAMES = ("localhost", "127.0.0.1", "10.0.2.2", "cloud.gatelodge.internal")
# A router without a battery clock wakes at its floor, the build time of its firmware, which may be older
# than a cloud that was set up this minute. What routers see is valid from a day before any firmware was
# built.
LONG_AGO = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
CA_UNTIL = LONG_AGO.replace(year=LONG_AGO.year + 20)
SERVER_DAYS = 800  # from its beginning: browsers refuse one of more than 825 days, and those get their own
RENEW_DAYS = 60


@dataclass(frozen=True)
class KeyPair:
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    ca: Path
    portal: KeyPair
    devices: KeyPair

    def trusted(self) -> ssl.SSLContext:
        """Whom this computer trusts, and our own authority: our other services have its certificates."""
        context = ssl.create_default_context()
        context.load_verify_locations(self.ca)
        return context

    def portal_context(self) -> ssl.SSLContext:
        """The browsers' listener, where the operator names no certificate (operators_certificate.py)."""
        return server_context(self.portal)


def server_context(pair: KeyPair) -> ssl.SSLContext:
    """TLS 1.2 or newer, no client certificate. Raises OSError where the pair is none, or does not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2; those of 1.3 are all of this kind
    # A key that wants a password is refused: nobody is there to be asked.
    context.load_cert_chain(pair.certificate, pair.key, password=lambda: "")
    context.set_alpn_protocols(["http/1.1"])
    return context


def load_or_create(directory: Path, extra_names: tuple[str, ...] = ()) -> Certificates:
    """The data directory's: the authority is kept for ever, the servers' certificates are renewed in time."""
    names = tuple(dict.fromkeys((*NAMES, *extra_names)))
    ca = KeyPair(directory / "cloud-ca.pem", path_of(directory, "cloud-ca.key"))
    portal = KeyPair(directory / "cloud.pem", path_of(directory, "cloud.key"))
    devices = KeyPair(directory / "devices.pem", path_of(directory, "devices.key"))
    fresh = not (ca.certificate.exists() and ca.key.exists())
    if fresh:
        _create_ca(ca)
    for pair, valid_from in ((portal, _now() - datetime.timedelta(days=1)), (devices, LONG_AGO)):
        if fresh or not pair.key.exists() or not _serves(pair.certificate, names):
            _issue_server(ca, pair, names, valid_from)
    return Certificates(ca.certificate, portal, devices)


def _create_ca(pair: KeyPair) -> None:
    key = _key_of(pair)
    name = _name("Gatelodge cloud CA")
    builder = _builder(name, name, key.public_key(), LONG_AGO, CA_UNTIL)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    write_whole(pair.certificate, _pem(builder.sign(key, hashes.SHA256())), PUBLIC_MODE)


def _issue_server(
    authority: KeyPair, pair: KeyPair, names: tuple[str, ...], valid_from: datetime.datetime
) -> None:
    ca_key = _read_key(authority.key)
    ca = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    key = _key_of(pair)
    until = _now() + datetime.timedelta(days=SERVER_DAYS)
    builder = _builder(ca.subject, _name(NAMES[-1]), key.public_key(), valid_from, until)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
    ca_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = builder.add_extension(ca_identifier, critical=False)
    write_whole(pair.certificate, _pem(builder.sign(ca_key, hashes.SHA256())), PUBLIC_MODE)


def _key_of(pair: KeyPair) -> ec.EllipticCurvePrivateKey:
    """A new one, written down; the old one where it is a credential, which nobody can write."""
    if holds(pair.key):
        return _read_key(pair.key)
    key = ec.generate_private_key(ec.SECP256R1())
    write_whole(pair.key, _pem_key(key), SECRET_MODE)
    return key


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # we wrote it
    return key


def _builder(issuer: x509.Name, subject: x509.Name, key: ec.EllipticCurvePublicKey, since, until):
    builder = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), since, until)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _serves(path: Path, names: tuple[str, ...]) -> bool:
    """Whether the certificate is there, bears every name, and lasts beyond the time to renew."""
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    borne = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    lasting = certificate.not_valid_after_utc > _now() + datetime.timedelta(days=RENEW_DAYS)
    return lasting and set(_alternatives(names)) <= set(borne)


def _alternatives(names: tuple[str, ...]) -> list[x509.GeneralName]:
    return [_alternative(name) for name in names]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    others = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        **others,
    )


def _name(common_name: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gatelodge")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
