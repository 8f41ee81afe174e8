"""Where the factory authority's key is kept, and how a certificate of its is revoked."""

import os
import re
import subprocess
import sys
import uuid

import pytest
from cryptography import x509
from gatelodge.contract import provisioning
from gatelodge.core import csr, p256

from host_tools import cli, exit_codes
from host_tools.errors import ToolError
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.authority_files import CA_KEY_FILE, VARIABLE, Passphrase
from host_tools.factory.records import Records, UnitRecord
from host_tools.factory.revocation import revoke, rework, write_list
from host_tools.release.places import ROOT

SERIAL = "GL2647000001"
PASSPHRASE = "correct horse"
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "914356"


def signed(authority):
    """A device certificate of this authority."""
    key = p256.generate(os.urandom(p256.KEY_RANDOM_BYTES))
    request = csr.certificate_request(key, SERIAL, provisioning.ORGANIZATION)
    return authority.device_certificate(request, SERIAL, p256.encode_point(p256.public_key(key)))


def openssl_verifies(tmp_path, authority, certificate, *options):
    (tmp_path / "device.der").write_bytes(certificate)
    command = ["openssl", "verify", "-CAfile", authority.directory / "factory-ca.pem", *options]
    done = subprocess.run([*command, tmp_path / "device.der"], capture_output=True, text=True, timeout=30)
    return done.returncode == 0, done.stdout + done.stderr


# A passphrase


def test_a_passphrase_encrypts_the_key_and_opens_it(tmp_path):
    FactoryAuthority.create(tmp_path / "factory", PASSPHRASE.encode())
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "factory" / CA_KEY_FILE).read_bytes()
    loaded = FactoryAuthority.load(tmp_path / "factory", Passphrase(None, {VARIABLE: PASSPHRASE}))
    certificate = x509.load_der_x509_certificate(signed(loaded))
    certificate.verify_directly_issued_by(loaded.certificate)


@pytest.mark.parametrize("environment", [{VARIABLE: "wrong passphrase"}, {}])
def test_a_wrong_or_missing_passphrase_is_said(tmp_path, environment):
    FactoryAuthority.create(tmp_path / "factory", PASSPHRASE.encode())
    with pytest.raises(ToolError, match="passphrase") as raised:
        FactoryAuthority.load(tmp_path / "factory", Passphrase(None, environment, asks=False))
    assert PASSPHRASE not in str(raised.value) + str(environment.get(VARIABLE, ""))


def test_factory_init_takes_the_passphrase_from_a_file(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "passphrase").write_text(PASSPHRASE + "\n")
    arguments = ["factory", "init", "--dir", str(tmp_path / "factory")]
    assert cli.main([*arguments, "--passphrase-file", str(tmp_path / "passphrase")]) == exit_codes.OK
    FactoryAuthority.load(tmp_path / "factory", Passphrase(tmp_path / "passphrase"))
    assert cli.main(["ledger", "verify", "--factory-dir", str(tmp_path / "factory")]) == exit_codes.OK


def test_factory_init_makes_no_open_key_unasked(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115 - closed with the process
    assert cli.main(["factory", "init", "--dir", str(tmp_path / "factory")]) == exit_codes.USAGE
    assert "--passphrase-file" in capsys.readouterr().err
    assert not (tmp_path / "factory").exists()
    arguments = ["factory", "init", "--no-passphrase", "--dir", str(tmp_path / "factory")]
    assert cli.main(arguments) == exit_codes.OK


def test_a_short_passphrase_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "seven77")
    assert cli.main(["factory", "init", "--dir", str(tmp_path / "factory")]) == exit_codes.USAGE
    assert "at least 8" in capsys.readouterr().err


# A token


@pytest.fixture(scope="module")
def token(tmp_path_factory):
    """A SoftHSM token, known to this process's library from now on."""
    directory = tmp_path_factory.mktemp("softhsm")
    (directory / "tokens").mkdir()
    (directory / "softhsm2.conf").write_text(
        f"directories.tokendir = {directory}/tokens\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(directory / "softhsm2.conf")
    label = f"factory {uuid.uuid4().hex[:8]}"
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "0000"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    yield label
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture(scope="module")
def on_token(token, tmp_path_factory):
    directory = tmp_path_factory.mktemp("on token") / "factory"
    os.environ[VARIABLE] = PIN
    try:
        place = ["--pkcs11-module", SOFTHSM, "--pkcs11-token", token]
        assert cli.main(["factory", "init", "--dir", str(directory), *place]) == exit_codes.OK
    finally:
        del os.environ[VARIABLE]
    return FactoryAuthority.load(directory, Passphrase(None, {VARIABLE: PIN}))


def test_a_token_signs_what_openssl_verifies(on_token, tmp_path):
    assert openssl_verifies(tmp_path, on_token, signed(on_token))[0]


def test_a_key_on_a_token_is_in_no_file(on_token):
    names = {path.name for path in on_token.directory.iterdir()}
    assert CA_KEY_FILE not in names
    assert all(b"PRIVATE KEY" not in path.read_bytes() for path in on_token.directory.iterdir())


def test_a_wrong_pin_is_said(on_token):
    """By a process of its own: one that has logged in stays so."""
    command = [sys.executable, "-m", "host_tools.cli", "factory", "revoke", SERIAL, "--reason", "lost"]
    command += ["--factory-dir", on_token.directory]
    environment = {**os.environ, VARIABLE: "000000"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == exit_codes.PROVISIONING
    assert "cannot be used (PinIncorrect)" in done.stderr


@pytest.mark.parametrize(
    "module, label, reason",
    [
        ("/nowhere/libpkcs11.so", None, "cannot be used"),
        (SOFTHSM, "another token", "cannot be used (NoSuchToken)"),
        (SOFTHSM, None, "has a key gatelodge-factory-ca"),  # it is the first factory's
    ],
)
def test_a_token_that_cannot_make_the_key_is_said(
    on_token, token, tmp_path, monkeypatch, capsys, module, label, reason
):
    monkeypatch.setenv(VARIABLE, PIN)
    place = ["--pkcs11-module", module, "--pkcs11-token", label or token]
    status = cli.main(["factory", "init", "--dir", str(tmp_path / "factory"), *place])
    assert status in (exit_codes.PROVISIONING, exit_codes.USAGE)
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "factory" / "factory-ca.pem").exists()


def test_a_computer_without_the_tokens_library_is_told_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, PIN)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    place = ["--pkcs11-module", SOFTHSM, "--pkcs11-token", "any"]
    status = cli.main(["factory", "init", "--dir", str(tmp_path / "factory"), *place])
    assert status == exit_codes.MISSING_TOOL
    assert "gatelodge[pkcs11]" in capsys.readouterr().err


# Revocation


@pytest.fixture
def factory(tmp_path):
    authority = FactoryAuthority.create(tmp_path / "factory")
    return authority, Records(authority)


def finished(factory):
    authority, records = factory
    certificate = signed(authority)
    number = f"{x509.load_der_x509_certificate(certificate).serial_number:x}"
    records.finish(UnitRecord(SERIAL, "0123456789ABCDEF9", "ab" * 32, "Bench", 1795281371, "", number))
    return certificate


def test_a_revoked_certificate_is_refused_by_openssl(factory, tmp_path):
    certificate = finished(factory)
    options = ("-crl_check", "-CRLfile", tmp_path / "factory/factory-ca.crl")
    assert write_list(*factory) == 0
    assert openssl_verifies(tmp_path, factory[0], certificate, *options)[0]
    revoke(*factory, SERIAL, "stolen from the loading bay")
    is_good, said = openssl_verifies(tmp_path, factory[0], certificate, *options)
    assert not is_good
    assert re.search("certificate revoked", said)


def test_revocation_and_rework_are_entries_with_their_reason(factory):
    finished(factory)
    entry = rework(*factory, SERIAL, "flash chip replaced")
    assert entry.fields["kind"] == "rework"
    assert entry.fields["reason"] == "flash chip replaced"
    assert rework(*factory, SERIAL, "again") == entry  # once is enough for a certificate
    assert revoke(*factory, SERIAL, "lost on its way back").fields["kind"] == "revoked"
    assert write_list(*factory) == 1
    factory[1].ledger.verify()


def test_a_router_that_nobody_made_is_not_revoked(factory):
    with pytest.raises(ToolError, match="no router") as raised:
        revoke(*factory, SERIAL, "a typing error")
    assert raised.value.exit_code == exit_codes.LEDGER


def test_the_command_line_revokes(factory, capsys):
    finished(factory)
    place = ["--factory-dir", str(factory[0].directory)]
    for verb, said in (("rework", "is back on the bench"), ("revoke", "is revoked: entry 3, ")):
        assert cli.main(["factory", verb, SERIAL.lower(), "--reason", "lost", *place]) == exit_codes.OK
        assert f"{SERIAL} {said}" in capsys.readouterr().out
