"""Impostors: a router that the factory never signed, and a cloud of another authority. The log says which."""

import base64
import contextlib
import json
import os
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import expect

from host_tools.factory.authority import FactoryAuthority
from host_tools.release import micropython
from host_tools.release.places import ROOT
from tests.fakes.authority import Authority
from tests.system.people import Holder, fresh_tab
from tests.system.rig import PATIENCE_S, until

NOT_OURS = "a router was refused in the TLS handshake: its certificate is not one of the factory's"
UNREPORTED = "the factory reported another certificate for this serial number"


class Impostor:
    """The router's real phone-home client with the genuine one's serial number. It approves every claim."""

    def __init__(self, folder, current, certificate, key):
        """`certificate` and `key`: DER."""
        self.log_path, self.tells = folder / "impostor.log", folder / "tells"
        self.tells.touch()
        authority = ssl.PEM_cert_to_DER_cert(Path(current["cloud_ca"]).read_text())
        ders = {"cloud_ca": authority, "certificate": certificate, "key": key}
        config = {name: base64.b64encode(der).decode() for name, der in ders.items()}
        config |= {"serial_number": current["serial_number"], "host": "127.0.0.1", "port": port_of(current)}
        config |= {"server_name": current["cloud_server_name"], "store": str(folder / "journal")}
        config |= {"answer": True, "tells": str(self.tells)}
        self.config_path = folder / "impostor.json"
        self.config_path.write_text(json.dumps(config))

    def __enter__(self):
        environment = {**os.environ, "MICROPYPATH": "firmware:.frozen"}
        command = [micropython.build(), "tests/fakes/phone_home.py", self.config_path]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def hears(self, text):
        until(lambda: text in self.log_path.read_text(), f"the impostor did not hear that {text}")

    @property
    def was_welcomed(self):
        return bool(self.told("clock"))  # the welcome brings the time

    def told(self, key):
        events = [json.loads(line) for line in self.tells.read_text().splitlines()]
        return [event[key] for event in events if key in event]


def port_of(current):
    """The cloud's port for routers; on this computer it is on the loopback."""
    return int(current["cloud_for_router"].rpartition(":")[2])


def self_made(_folder, current):
    made = Authority("Gatelodge factory CA").router(current["serial_number"])
    return made.certificate_der, made.key_der


def of_another_factory(folder, current):
    return signed_by(FactoryAuthority.create(folder / "factory"), current["serial_number"])


def signed_twice(_folder, current):
    """By the right factory, which has reported the first one only."""
    return signed_by(FactoryAuthority.load(Path(current["factory_dir"])), current["serial_number"])


def signed_by(factory, serial_number):
    """(certificate, key) in DER, for a key that was made here."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number)])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    der = serialization.Encoding.DER
    sec1 = serialization.PrivateFormat.TraditionalOpenSSL
    point = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    asked = request.public_bytes(der), serial_number, key.public_key().public_bytes(*point)
    return factory.device_certificate(*asked), key.private_bytes(der, sec1, serialization.NoEncryption())


@pytest.fixture
def genuine(house):
    """The house's serial number, with its router online."""
    until(house.times_online, "the cloud did not welcome the genuine router")
    return house.current["serial_number"]


REFUSALS = {
    "self-made": (self_made, "the cloud refused this router's certificate", NOT_OURS),
    "of another factory": (of_another_factory, "the cloud refused this router's certificate", NOT_OURS),
    "signed twice": (signed_twice, UNREPORTED, UNREPORTED),
}


@pytest.mark.parametrize("credential, it_hears, the_cloud_says", REFUSALS.values(), ids=REFUSALS)
def test_a_router_that_is_not_the_factorys_is_refused_and_both_logs_say_why(
    house, genuine, tmp_path, credential, it_hears, the_cloud_says
):
    before = len(house.cloud_log())
    with Impostor(tmp_path, house.current, *credential(tmp_path, house.current)) as impostor:
        impostor.hears(it_hears)
    assert the_cloud_says in house.cloud_log()[before:]
    assert not impostor.was_welcomed
    assert "took over" not in house.router_log()  # and the genuine one keeps its link


def test_who_shows_no_certificate_is_refused(house):
    current = house.current
    trust = ssl.create_default_context(cafile=current["cloud_ca"])
    with (
        socket.create_connection(("127.0.0.1", port_of(current)), PATIENCE_S) as line,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
        trust.wrap_socket(line, server_hostname=current["cloud_server_name"]) as tls,
    ):
        tls.recv(1)
    assert "a router was refused in the TLS handshake: it showed no certificate" in house.cloud_log()


def test_the_right_service_code_brings_an_impostor_no_claim_and_nobody_its_router(
    house, genuine, browser, tmp_path
):
    with fresh_tab(browser) as tab:
        mallory = Holder(tab, house, "Mallory").sign_up()
        before = len(house.cloud_log())
        with house.frozen("qemu"):
            gone = f"router {genuine} is offline"
            until(lambda: gone in house.cloud_log()[before:], "the cloud does not miss the router")
            mallory.ask_for(house.current["service_code"])
            with Impostor(tmp_path, house.current, *self_made(tmp_path, house.current)) as impostor:
                impostor.hears("the cloud refused this router's certificate")
        shown = "waits for the owner's answer"
        until(lambda: shown in house.router_log(), "the genuine router did not ask its owner")
        tab.goto(mallory.portal + "/routers")
        expect(tab.get_by_role("heading", name="Register your first router")).to_be_visible()
    assert not impostor.was_welcomed
    assert impostor.told("claim") == []


@contextlib.contextmanager
def another_authority(house):
    """The cloud has lost its authority and has made another one, for the time of a `with` block."""
    folder = Path(house.current["cloud_ca"]).parent
    names = ("cloud-ca.pem", "cloud-ca.key", "cloud.pem", "cloud.key", "devices.pem", "devices.key")
    kept = {folder / name: (folder / name).read_bytes() for name in names}
    (folder / "cloud-ca.key").unlink()
    house.kill("cloud")
    try:
        yield
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
        house.kill("cloud")


def test_a_cloud_of_another_authority_is_refused_until_the_right_one_is_back(house, genuine):
    online = house.times_online()
    refused = "cloud refused: its certificate is not signed by the CA this router trusts"
    with another_authority(house):
        until(lambda: refused in house.router_log(), "the router did not refuse the cloud")
        until(lambda: "it does not trust the CA of our" in house.cloud_log(), "the cloud does not know why")
        house.wait_for_admin_page()
        assert house.times_online() == online
    until(lambda: house.times_online() > online, "the router did not return to its own cloud")
    until(lambda: f"router {genuine} is online" in house.cloud_log(), "its cloud does not know it")
