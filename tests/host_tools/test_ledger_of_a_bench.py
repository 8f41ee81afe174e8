"""A router's whole way through the ledger, from `gatelodge provision` to the cloud, by the verbs alone."""

import json
import re
import sqlite3
from base64 import b64decode, b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_der_private_key,
)
from gatelodge.contract import service_code

from host_tools import cli, exit_codes
from host_tools.factory.authority import certificate_number
from tests.host_tools.bench_rig import BenchRig
from tests.host_tools.factory_rig import Factory

PASSPHRASE = b"correct horse"
DEVICE_KEY = re.compile(rb'"device_key"[^"]*"([A-Za-z0-9+/=]{100,})"')


class Story:
    """A factory, the router that it made, and the code on its label."""

    def __init__(self, directory):
        self.factory = Factory(directory)
        self.factory.records.ledger.verify()
        self.passphrase = encrypt(self.factory.authority)
        self.watcher = sqlite3.connect(self.factory.records.ledger.path)  # while it is open the log stays
        self.watcher.execute("SELECT count(*) FROM entry").fetchone()
        with BenchRig(directory) as rig:
            self.status = cli.main([*self.factory.arguments(rig.port), *self.passphrase])
            state = rig.state
            files = [state] if state.is_file() else [path for path in state.rglob("*") if path.is_file()]
            self.router = b"".join(path.read_bytes() for path in files)
        (self.unit,) = self.factory.units()

    def run(self, *words):
        return cli.main([*words, "--factory-dir", str(self.factory.directory)])


def encrypt(authority):
    """Put the authority's key under a passphrase, and return the options that give it."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE))
    (authority.directory / "factory-ca.key").write_bytes(authority._key.private_bytes(*form))
    passphrase = authority.directory.parent / "passphrase"
    passphrase.write_bytes(PASSPHRASE + b"\n")
    return ["--passphrase-file", str(passphrase)]


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bench")
    story = Story(directory)
    yield story
    story.watcher.close()


def ledger_bytes(story):
    """Of the file, its log and its index: whatever SQLite keeps of an entry is there."""
    directory = story.factory.directory
    files = [directory / f"ledger.db{end}" for end in ("", "-wal", "-shm")]
    return b"".join(path.read_bytes() for path in files)


def forms(secret):
    """How bytes may stand in a file."""
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), b64encode(secret)}


def scalar(key):
    return key.private_numbers().private_value.to_bytes(32, "big")


def test_no_byte_of_the_ledger_is_a_service_code(story):
    assert story.status == exit_codes.OK
    held = ledger_bytes(story)
    assert story.unit["service_code_hash"].encode() in held  # the scan finds what is there
    found = [match.decode() for match in re.findall(rb"(?=([0-9A-HJKMNP-TV-Z]{17}))", held)]
    hashes = [story.factory.authority.service_code_hash(code) for code in found]
    assert story.unit["service_code_hash"] not in hashes
    label = next((story.factory.directory / "labels").iterdir()).read_text()
    assert story.unit["serial_number"] in label
    identity = re.search(rb'"service_code"[^"]*"([0-9A-Z]{17})"', story.router)[1]
    assert story.factory.authority.service_code_hash(identity.decode()) == story.unit["service_code_hash"]
    grouped = service_code.format_grouped(identity.decode()).encode()
    assert identity not in held and grouped not in held


def test_no_byte_of_the_ledger_is_a_private_key(story):
    device = load_der_private_key(b64decode(DEVICE_KEY.search(story.router)[1]), None)
    authority = story.factory.authority
    held = ledger_bytes(story)
    public = device.public_key().public_numbers().x.to_bytes(32, "big")
    assert public.hex().encode() in held  # the scan finds what is there
    for secret in (scalar(device), scalar(authority._key), authority.service_code_key, PASSPHRASE):
        assert not [form for form in forms(secret) if form in held]
    assert b"PRIVATE KEY" not in held


def test_its_story_has_every_step(story, capsys):
    assert story.run("ledger", "show", story.unit["serial_number"]) == exit_codes.OK
    out = capsys.readouterr().out
    assert "  is good" in out.splitlines()
    for step in ("identify", "make key", "self-test", "lock", "prove the lock", "record", "print"):
        assert re.search(rf"PASS +[0-9.]+ s  {step} ", out), step


def test_it_counts_as_passed_at_the_first_run(story, capsys):
    assert story.run("ledger", "stats", "--json") == exit_codes.OK
    figures = json.loads(capsys.readouterr().out)
    assert (figures["good"], figures["failed"], figures["first_pass_rate"]) == (1, 0, 1.0)


def test_its_certificate_is_the_one_that_is_revoked(story, tmp_path, capsys):
    source, key = story.factory.records.ledger.path, story.factory.directory / "service_code.key"
    importing = ["cloud", "import-devices", str(source), "--data", str(tmp_path / "cloud")]
    importing += ["--service-code-key", str(key)]
    assert cli.main(importing) == exit_codes.OK
    name = story.unit["serial_number"]
    reworking = ["factory", "rework", name, "--reason", "flash chip replaced", *story.passphrase]
    assert story.run(*reworking) == exit_codes.OK
    crl = x509.load_pem_x509_crl((story.factory.directory / "factory-ca.crl").read_bytes())
    der = re.search(rb'"device_certificate"[^"]*"([A-Za-z0-9+/=]+)"', story.router)[1]
    assert [f"{row.serial_number:x}" for row in crl] == [certificate_number(b64decode(der))]
    assert cli.main(importing) == exit_codes.OK
    assert f"{name} is here, and was revoked by the factory" in capsys.readouterr().err
    assert story.run("ledger", "verify") == exit_codes.OK
