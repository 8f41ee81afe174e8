"""The factory's keys, and the router's own cryptography against the `cryptography` library."""

import datetime
import hashlib
import hmac
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from gatelodge import compat
from gatelodge.contract import provisioning
from gatelodge.core import csr, p256

from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from tests.host_tools.bench_rig import MICROPYTHON

SERIAL = "GL2647000001"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return FactoryAuthority.create(tmp_path_factory.mktemp("factory") / "keys")


@pytest.fixture
def key():
    return p256.generate(os.urandom(p256.KEY_RANDOM_BYTES))


def request_of(key, serial_number=SERIAL):
    """The arguments that every signing call begins with."""
    data = csr.certificate_request(key, serial_number, provisioning.ORGANIZATION)
    return data, serial_number, p256.encode_point(p256.public_key(key))


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


def test_a_routers_request_is_what_the_library_reads(key):
    request = x509.load_der_x509_csr(request_of(key)[0])
    names = {name.oid: name.value for name in request.subject}
    assert request.is_signature_valid
    assert names[NameOID.SERIAL_NUMBER] == names[NameOID.COMMON_NAME] == SERIAL
    assert names[NameOID.ORGANIZATION_NAME] == "Gatelodge"


def test_a_routers_private_key_is_what_the_library_reads(key):
    loaded = serialization.load_der_private_key(csr.sec1_private_key(key), password=None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert loaded.private_numbers().private_value == key


def test_a_routers_signatures_verify_in_the_library(key):
    public = ec.derive_private_key(key, ec.SECP256R1()).public_key()
    for text in (b"", b"text", os.urandom(1000)):
        public.verify(csr.signature(key, text), text, ec.ECDSA(hashes.SHA256()))


def test_the_librarys_signatures_verify_on_a_router(key):
    private = ec.derive_private_key(key, ec.SECP256R1())
    signature = private.sign(b"text", ec.ECDSA(hashes.SHA256()))
    assert csr.signature_is_valid(p256.public_key(key), b"text", signature)
    assert p256.verify(p256.public_key(key), compat.sha256(b"text"), *decode_dss_signature(signature))


def test_micropythons_tls_takes_the_key_and_the_certificate(authority, key, tmp_path):
    (tmp_path / "key").write_bytes(csr.sec1_private_key(key))
    (tmp_path / "certificate").write_bytes(authority.device_certificate(*request_of(key)))
    (tmp_path / "load.py").write_text(
        "import tls\n"
        "context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n"
        "context.load_cert_chain(open('certificate', 'rb').read(), open('key', 'rb').read())\n"
        "print('loaded')\n"
    )
    done = subprocess.run([MICROPYTHON, "load.py"], cwd=tmp_path, capture_output=True, timeout=30)
    assert done.stdout == b"loaded\n", done.stderr


def test_a_device_certificate_is_a_tls_client_for_the_routers_key(authority, key):
    certificate = x509.load_der_x509_certificate(authority.device_certificate(*request_of(key)))
    certificate.verify_directly_issued_by(authority.certificate)
    assert list(extension(certificate, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert extension(certificate, x509.BasicConstraints).ca is False
    assert certificate.public_key().public_numbers().x == p256.public_key(key)[0]


def test_an_admin_certificate_is_a_tls_server_for_the_boards_names(authority, key):
    data = authority.admin_certificate(*request_of(key), ["localhost", "127.0.0.1"])
    certificate = x509.load_der_x509_certificate(data)
    names = extension(certificate, x509.SubjectAlternativeName)
    assert list(extension(certificate, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_device_certificate_lives_twenty_years_from_yesterday(authority, key):
    certificate = x509.load_der_x509_certificate(authority.device_certificate(*request_of(key)))
    age = datetime.datetime.now(datetime.UTC) - certificate.not_valid_before_utc
    assert age >= datetime.timedelta(days=1)
    assert certificate.not_valid_after_utc.year - certificate.not_valid_before_utc.year in (19, 20)


def test_a_request_for_another_key_or_serial_number_is_not_signed(authority, key):
    data, serial_number, point = request_of(key)
    other = p256.encode_point(p256.public_key(key ^ 1))
    with pytest.raises(ToolError, match="another key"):
        authority.device_certificate(data, serial_number, other)
    with pytest.raises(ToolError, match="another serial number"):
        authority.device_certificate(data, "GL2647000002", point)


def test_a_damaged_request_is_not_signed(authority, key):
    data, serial_number, point = request_of(key)
    for wrong in (data[:-1], data[:40] + bytes([data[40] ^ 1]) + data[41:], b""):
        with pytest.raises(ToolError, match="request"):
            authority.device_certificate(wrong, serial_number, point)


def test_secrets_are_readable_by_their_owner_only(authority):
    for name in ("factory-ca.key", "service_code.key"):
        assert (authority.directory / name).stat().st_mode & 0o777 == 0o600
    assert authority.directory.stat().st_mode & 0o777 == 0o700


def test_a_factory_is_the_same_when_it_is_loaded_again(authority):
    again = FactoryAuthority.create_or_load(authority.directory)
    assert again.ca_pem == authority.ca_pem
    assert again.service_code_hash("code") == authority.service_code_hash("code")


def test_a_factory_is_never_made_over_another(authority):
    with pytest.raises(ToolError, match="already holds"):
        FactoryAuthority.create(authority.directory)


def test_a_directory_without_keys_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(ToolError, match="gatelodge factory init"):
        FactoryAuthority.load(tmp_path)


def test_a_factory_that_was_not_finished_is_made_anew(tmp_path):
    (tmp_path / "factory-ca.key").write_text("half")
    assert FactoryAuthority.create_or_load(tmp_path).ca_pem


def test_a_service_code_hash_is_keyed(authority):
    expected = hmac.new(authority.service_code_key, b"0123456789ABCDEF9", hashlib.sha256).hexdigest()
    assert authority.service_code_hash("0123456789ABCDEF9") == expected
