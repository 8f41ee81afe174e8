"""A certificate authority in memory, for a factory or a cloud that lives as long as one test."""

import datetime
import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
NOT_BEFORE = datetime.datetime(2000, 1, 1)
NOT_AFTER = datetime.datetime(2049, 12, 31)


class Credential:
    """A certificate and its key, as DER (SEC1 for the key) and as PEM."""

    def __init__(self, certificate, key):
        self.certificate_der = certificate.public_bytes(serialization.Encoding.DER)
        self.key_der = _private_bytes(key, serialization.Encoding.DER)
        self._pem = certificate.public_bytes(serialization.Encoding.PEM)
        self._key_pem = _private_bytes(key, serialization.Encoding.PEM)

    @property
    def fingerprint(self):
        return hashlib.sha256(self.certificate_der).hexdigest()

    def write(self, folder: Path, name: str) -> tuple[str, str]:
        """(certificate file, key file), both PEM."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        for path, data in zip(paths, (self._pem, self._key_pem), strict=True):
            path.write_bytes(data)
        return str(paths[0]), str(paths[1])


class Authority(Credential):
    def __init__(self, name):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(self._subject, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        super().__init__(builder.sign(self._key, hashes.SHA256()), self._key)

    def router(self, serial_number, purpose=CLIENT):
        """A router's certificate; purpose None leaves the extended key usage out."""
        return self._issue([(NameOID.COMMON_NAME, "router"), (NameOID.SERIAL_NUMBER, serial_number)], purpose)

    def server(self, host):
        alternative = x509.SubjectAlternativeName([x509.DNSName(host)])
        return self._issue([(NameOID.COMMON_NAME, host)], SERVER, alternative)

    def client(self, name):
        return self._issue([(NameOID.COMMON_NAME, name)], CLIENT)

    def _issue(self, names, purpose, alternative=None):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
        builder = self._builder(subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if alternative is not None:
            builder = builder.add_extension(alternative, critical=False)
        return Credential(builder.sign(self._key, hashes.SHA256()), key)

    def _builder(self, subject, public_key):
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject)
        builder = builder.serial_number(x509.random_serial_number()).public_key(public_key)
        return builder.not_valid_before(NOT_BEFORE).not_valid_after(NOT_AFTER)


def _private_bytes(key, encoding):
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())
