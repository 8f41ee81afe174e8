"""A router whose certificate the factory has revoked is refused by the listener's TLS, as soon as it is."""

import os
import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509 import load_der_x509_certificate
from gatelodge.contract import provisioning
from gatelodge.core import csr, p256

from host_tools import cli, exit_codes
from host_tools.cloud.devices.revocation import RevocationList
from host_tools.cloud.devices.tls import device_context
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority, certificate_number
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.revocation import CRL_FILE, revoke

SERIAL = "GL2647000001"


class Bench:
    """A factory with one finished router, and a listener that trusts it."""

    def __init__(self, directory):
        status = cli.main(["factory", "init", "--no-passphrase", "--dir", str(directory / "factory")])
        assert status == exit_codes.OK
        self.authority = FactoryAuthority.load(directory / "factory")
        self.records = Records(self.authority)
        self.crl = self.authority.directory / CRL_FILE
        key = p256.generate(os.urandom(p256.KEY_RANDOM_BYTES))
        request = csr.certificate_request(key, SERIAL, provisioning.ORGANIZATION)
        point = p256.encode_point(p256.public_key(key))
        device = self.authority.device_certificate(request, SERIAL, point)
        server = self.authority.admin_certificate(request, SERIAL, point, ["localhost"])
        private = load_der_private_key(csr.sec1_private_key(key), None)
        self.device = _files(directory, "device", device, private)
        self.server = _files(directory, "server", server, private)
        number = certificate_number(device)
        self.records.finish(
            UnitRecord(SERIAL, "0123456789ABCDEF9", "ab" * 32, "Bench", 1795281371, "", number)
        )

    def context(self):
        return device_context(*self.server, str(self.authority.directory / "factory-ca.pem"))

    def connect(self, server_context):
        """Raises ssl.SSLError with the server's reason when it refuses."""
        client_context = ssl.create_default_context(cafile=self.authority.directory / "factory-ca.pem")
        client_context.load_cert_chain(*self.device)
        server_context.sslobject_class = ssl.SSLObject  # the loop's own way to send the alert first
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost")
        server = server_context.wrap_bio(to_server, to_client, server_side=True)
        for end in (client, server, client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


def _files(directory, name, der, private):
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    certificate.write_bytes(load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(certificate), str(key)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_router_is_refused_from_the_moment_that_it_is_revoked(bench):
    context = bench.context()
    revoked = RevocationList(bench.crl, context)
    bench.connect(context)
    revoke(bench.authority, bench.records, SERIAL, "stolen")
    assert revoked.refresh()
    assert not revoked.refresh()
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
        bench.connect(context)


def test_a_list_that_is_not_right_leaves_the_last_one_in_force(bench, caplog):
    revoke(bench.authority, bench.records, SERIAL, "stolen")
    context = bench.context()
    revoked = RevocationList(bench.crl, context)
    for content in (b"", b"not a list"):
        bench.crl.write_bytes(content)
        assert not revoked.refresh()
    bench.crl.unlink()
    assert not revoked.refresh()
    assert "the last one stays" in caplog.text
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
        bench.connect(context)


def test_a_cloud_does_not_start_with_a_list_that_is_none(bench, tmp_path):
    (tmp_path / "none.crl").write_text("not a list")
    with pytest.raises(ToolError, match="holds no revocation list") as raised:
        RevocationList(tmp_path / "none.crl", bench.context())
    assert raised.value.exit_code == exit_codes.USAGE
