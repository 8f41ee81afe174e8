"""The factory's keys: who signs routers, and the key under which service codes are recorded.

    factory-ca.pem      the certificate that every cloud trusts, 30 years
    factory-ca.key      its private key, or factory-ca.pkcs11: where it is (authority_files.py)
    service_code.key    32 random bytes shared with the cloud, mode 0600
    factory-ca.crl      certificates that are not good any more (revocation.py)
    ledger.db           what became of each router (ledger.py)
    devices.jsonl       one record per finished router, for the cloud (records.py)
    pending/            routers between the lock and their record (records.py)

A router's device certificate may only be a TLS client, its admin certificate only a TLS server;
both are for the one key that was made on the router.
"""

import datetime
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority_files import TOKEN_FILE, Passphrase, load_key, new_key_file
from host_tools.factory.certificates import (
    ADMIN_DAYS,
    CRL_DAYS,
    DEVICE_DAYS,
    checked_request,
    dated,
    general_name,
    key_usage,
    own_certificate,
    pem,
)
from host_tools.factory.files import append_durably, make_directory, write_durably

if TYPE_CHECKING:
    from host_tools.factory.token_key import Place

CA_FILE, CODE_KEY_FILE = "factory-ca.pem", "service_code.key"
CODE_KEY_BYTES = 32
KEY_ID_TEXT = b"gatelodge service code key"

DEVICE_USAGE = ExtendedKeyUsageOID.CLIENT_AUTH
ADMIN_USAGE = ExtendedKeyUsageOID.SERVER_AUTH


def key_id(service_code_key: bytes) -> str:
    """The first 64 bits of HMAC-SHA256(key, KEY_ID_TEXT), in hex: two that differ are of different keys.

    No service code hashes to it: the text is none.
    """
    return hmac.new(service_code_key, KEY_ID_TEXT, hashlib.sha256).hexdigest()[:16]


def certificate_number(der: bytes) -> str:
    """A certificate's own serial number, in hex."""
    return f"{x509.load_der_x509_certificate(der).serial_number:x}"


class Revoked(NamedTuple):
    """A certificate that is not good any more: its own serial number, and since when."""

    number: int
    at: datetime.datetime


class FactoryAuthority:
    """The keys in one directory, loaded. Make it with `create`, `load` or `create_or_load`."""

    def __init__(
        self, directory: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, code_key: bytes
    ):
        self.directory = directory
        self.certificate = certificate
        self.service_code_key = code_key
        self._key = key

    @classmethod
    def create(
        cls, directory: Path, passphrase: bytes | None = None, token: "Place | None" = None
    ) -> "FactoryAuthority":
        """Make new keys: in a file under the passphrase, open where there is none; or on the token.

        Raises ToolError when there are some already: they would be lost.
        """
        if (directory / CA_FILE).exists():
            raise ToolError(
                f"{directory} already holds a factory's keys",
                "use it as it is, or name another directory",
                exit_codes.USAGE,
            )
        make_directory(directory)
        key = _new_key(directory, passphrase, token)
        code_key = os.urandom(CODE_KEY_BYTES)
        certificate = own_certificate(key)
        write_durably(directory / CODE_KEY_FILE, code_key, 0o600)
        append_durably(directory / "devices.jsonl", b"")
        # The last file written: a directory without it is not a factory's yet, and is made anew.
        write_durably(directory / CA_FILE, pem(certificate), 0o644)
        return cls(directory, certificate, key, code_key)

    @classmethod
    def load(cls, directory: Path, passphrase: Passphrase = Passphrase()) -> "FactoryAuthority":  # noqa: B008
        """Read the keys. Raises ToolError when they are not there or cannot be read."""
        try:
            certificate = x509.load_pem_x509_certificate((directory / CA_FILE).read_bytes())
            key = load_key(directory, passphrase)
            code_key = (directory / CODE_KEY_FILE).read_bytes()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise _no_factory(directory, str(error)) from error
        if key.public_key() != certificate.public_key() or len(code_key) != CODE_KEY_BYTES:
            raise _no_factory(directory, "its keys are of another factory")
        return cls(directory, certificate, key, code_key)

    @classmethod
    def create_or_load(cls, directory: Path) -> "FactoryAuthority":
        """For development: new keys are open."""
        return cls.load(directory) if (directory / CA_FILE).exists() else cls.create(directory)

    @property
    def ca_pem(self) -> bytes:
        return pem(self.certificate)

    @property
    def ca_der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def service_code_hash(self, code: str) -> str:
        """The hex HMAC-SHA256 under which the cloud knows a canonical service code."""
        return hmac.new(self.service_code_key, code.encode(), hashlib.sha256).hexdigest()

    @property
    def service_code_key_id(self) -> str:
        """Which key hashes service codes, without a hint at it: see `key_id`."""
        return key_id(self.service_code_key)

    # --- signing ---

    def device_certificate(self, csr: bytes, serial_number: str, public_key: bytes) -> bytes:
        """Return the DER of a TLS client certificate for a router's request (DER).

        Raises ToolError unless the key that the router showed signed the request, for this serial number.
        """
        request = checked_request(csr, serial_number, public_key)
        builder = self._builder(request.subject, request.public_key(), DEVICE_DAYS, DEVICE_USAGE)
        return self._sign(builder)

    def admin_certificate(
        self, csr: bytes, serial_number: str, public_key: bytes, names: Sequence[str]
    ) -> bytes:
        """Return the DER of the admin page's TLS server certificate, for these DNS names and addresses."""
        request = checked_request(csr, serial_number, public_key)
        builder = self._builder(request.subject, request.public_key(), ADMIN_DAYS, ADMIN_USAGE)
        alternatives = x509.SubjectAlternativeName([general_name(name) for name in names])
        return self._sign(builder.add_extension(alternatives, critical=False))

    def revocation_list(self, revoked: Iterable[Revoked], number: int, made_at: datetime.datetime) -> bytes:
        """Return the CRL as PEM; `number` and `made_at` grow with each."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(made_at)
            .next_update(made_at + datetime.timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        for one in revoked:
            row = x509.RevokedCertificateBuilder().serial_number(one.number).revocation_date(one.at)
            builder = builder.add_revoked_certificate(row.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _builder(
        self, subject: x509.Name, key, days: int, usage: x509.ObjectIdentifier
    ) -> x509.CertificateBuilder:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            dated(days)
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
            .add_extension(authority, critical=False)
        )

    def _sign(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _new_key(directory: Path, passphrase: bytes | None, token: "Place | None") -> ec.EllipticCurvePrivateKey:
    if token is None:
        return new_key_file(directory, passphrase)
    from host_tools.factory import token_key

    key = token_key.generate(token, passphrase or b"")
    write_durably(directory / TOKEN_FILE, json.dumps(token._asdict()).encode(), 0o600)
    return key


def _no_factory(directory: Path, reason: str) -> ToolError:
    return ToolError(
        f"{directory} is no factory directory ({reason})",
        "make one with 'gatelodge factory init --dir DIRECTORY'",
        exit_codes.PROVISIONING,
    )
