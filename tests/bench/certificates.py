"""A self-signed P-256 certificate, for the bench's own servers."""

import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ONE_DAY = datetime.timedelta(days=1)


def self_signed(directory):
    """(certificate.der, key.der): their paths in `directory`, made at the first call."""
    paths = os.path.join(directory, "certificate.der"), os.path.join(directory, "key.der")
    if not os.path.exists(paths[1]):
        for path, content in zip(paths, make(), strict=True):
            with open(path, "wb") as file:
                file.write(content)
    return paths


def make():
    """(DER certificate, SEC1 DER key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - ONE_DAY, now + ONE_DAY)
    certificate = builder.sign(key, hashes.SHA256())
    encoding, sec1 = serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL
    return certificate.public_bytes(encoding), key.private_bytes(encoding, sec1, serialization.NoEncryption())
