"""The units that `gatelodge cloud unit` prints, by systemd's own tools; and keys that are credentials.

`tests/system/test_cloud_under_systemd.py` starts them.
"""

import os
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_tools import cli, exit_codes
from host_tools.cloud import certificates, unit
from host_tools.cloud.certificates import server_context
from host_tools.cloud.credentials import VARIABLE
from host_tools.cloud.store import key_ring
from tests.host_tools.test_cloud_admin import SAFE, check

EXPOSURE_MAX = 20  # of 100, as systemd counts: its network is the greater part
TIMEOUT_S = 60


def printed(capsys, *options):
    known = ("--data", "/var/lib/gatelodge-cloud", "--smtp", "localhost:25")
    assert cli.main(["cloud", "unit", *known, *options]) == exit_codes.OK
    return capsys.readouterr().out


def systemd(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


@pytest.mark.parametrize("port", ["443", "8444"])
def test_v13_2_2_systemd_takes_the_unit_and_finds_little_exposed(tmp_path, capsys, port):
    where = ("--public-url", "https://account.example.org", "--output", str(tmp_path))
    said = printed(capsys, "--port", port, *where)
    assert "systemctl enable --now gatelodge-cloud.socket gatelodge-cloud.service\n" in said
    path, socket = tmp_path / "gatelodge-cloud.service", tmp_path / "gatelodge-cloud.socket"
    said = path.read_text()
    program = said.partition("ExecStart=")[2].partition(" ")[0]
    path.write_text(said.replace(program, shutil.which("true")))  # verify wants a program that is there
    done = systemd("systemd-analyze", "verify", str(path), str(socket))
    assert (done.returncode, done.stderr) == (0, "")
    bound = ("--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager")
    done = systemd("systemd-analyze", "security", *bound, str(path))
    assert done.returncode == 0, done.stdout
    assert "\nCapabilityBoundingSet=\n" in said and "\nPrivateUsers=yes\n" in said
    assert f"\nListenStream=127.0.0.1:{port}\n" in socket.read_text()


def test_systemd_listens_where_the_service_would(tmp_path, capsys):
    ca = tmp_path / "factory-ca.pem"
    said = printed(
        capsys, "--bind", "::", "--port", "443", "--device-bind", "192.0.2.1", "--factory-ca", str(ca),
        "--help-port", "8446",
    )  # fmt: skip
    told = [line.removeprefix("ListenStream=") for line in said.splitlines() if line.startswith("Listen")]
    assert told == ["[::]:443", "192.0.2.1:8445", "[::]:8446"]
    assert "8445" not in printed(capsys)  # without the factory no router is let in
    units = [line for line in said.splitlines() if line.startswith("# /etc/systemd/system/")]
    assert [line.rpartition(".")[2] for line in units] == ["service", "socket"]


@pytest.mark.parametrize(
    "options, fault",
    [
        (("--bind", "localhost"), "--bind localhost is no address"),
        (("--port", "0"), "--port 0 is no port"),
        (("--portal-port", "65536"), "--portal-port 65536 is no port"),
        (("--output", "/nowhere/at/all"), "cannot be written"),
    ],
)
def test_where_systemd_cannot_listen_is_one_sentence(capsys, options, fault):
    assert cli.main(["cloud", "unit", "--data", "/var/lib/cloud", *options]) == exit_codes.USAGE
    assert fault in capsys.readouterr().err


def test_what_the_sandbox_hides_is_an_advice(capsys):
    pair = ("--certificate", "/home/ada/tls.pem", "--key", "/etc/tls.key")
    words = ["cloud", "unit", "--data", "/var/lib/cloud", *pair]
    assert cli.main(words) == exit_codes.OK
    said = capsys.readouterr()
    assert "advice: the service sees nothing of /home/ada/tls.pem: put it elsewhere" in said.err
    assert "# Its user reads these" in said.out and "\n# /home/ada/tls.pem\n" in said.out


def test_every_secret_is_a_credential_and_none_is_an_option(tmp_path, capsys):
    for name in ("service_code.key", "tls.key", "smtp.password", "sms.key", "google.secret"):
        (tmp_path / name).write_text("SECRET")
    (tmp_path / "delivery.toml").write_text(
        '[smtp]\nhost = "a"\npassword_file = "smtp.password"\n[telephony.oauth]\nkey_file = "sms.key"\n'
    )
    (tmp_path / "outside.toml").write_text('[google]\nclient_secret_file = "google.secret"\n')
    said = printed(
        capsys, "--service-code-key", str(tmp_path / "service_code.key"), "--certificate", "/etc/tls.pem",
        "--key", str(tmp_path / "tls.key"), "--delivery", str(tmp_path / "delivery.toml"),
        "--outside", str(tmp_path / "outside.toml"), "--strict-applications",
        "--trusted-proxy", "192.0.2.1", "--trusted-proxy", "10.0.0.0/8",
    )  # fmt: skip
    command = said.partition("ExecStart=")[2].partition("\n")[0]
    assert "--service-code-key %d/service_code.key" in command and "--key %d/tls.key" in command
    assert "--trusted-proxy 192.0.2.1/32 --trusted-proxy 10.0.0.0/8" in command
    assert "--strict-applications" in command and "--bind" not in command and "SECRET" not in said
    given = ("service_code.key", "tls.key", "smtp.password", "sms.key", "google.secret")
    for name in (*unit.MADE_HERE, *unit.MADE_LATER, *given):
        assert f"LoadCredentialEncrypted={name}:gatelodge-cloud.{name}\n" in said
        assert f"# systemd-creds encrypt --name={name} " in said


@pytest.mark.parametrize(
    "text, written",
    [
        ("https://a.example.org:8444", "https://a.example.org:8444"),
        ("a b", '"a b"'),
        ("50%", '"50%%"'),
        ("$HOME", '"$$HOME"'),
        ("a\nUser=root", '"a\\x0aUser=root"'),
        ('"\\', '"\\"\\\\"'),
        ("", '""'),
    ],
)
def test_a_value_stays_one_word_of_its_line(text, written):
    assert unit.word(text) == written


@pytest.mark.parametrize(
    "data",
    ["/srv/cloud", "/var/lib", "/var/lib/a/b", "/var/lib/a b", "/var/lib/1a", "/var/lib/a.b", "/var/lib/.."],
)
def test_a_data_directory_that_systemd_does_not_keep_is_one_sentence(capsys, data):
    assert cli.main(["cloud", "unit", "--data", data]) == exit_codes.USAGE
    assert "is no state directory" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["two words.key", "a;b.key", "a\nUser=root/tls.key", "a=b.key"])
def test_a_secret_whose_name_is_not_plain_is_one_sentence(capsys, name):
    options = ("--certificate", "/etc/tls.pem", "--key", f"/etc/{name}")
    assert cli.main(["cloud", "unit", "--data", "/var/lib/cloud", *options]) == exit_codes.USAGE
    assert "is no name of a credential" in capsys.readouterr().err


def test_no_option_hangs_on_the_directory_of_here(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    breached = unit.word(str(tmp_path / "breached"))
    assert f" --breached-passwords {breached}\n" in printed(capsys, "--breached-passwords", "breached")
    service = "https://range.example.org"
    assert f" --breached-passwords {service}\n" in printed(capsys, "--breached-passwords", service)
    assert "sqlite+aiosqlite:////srv/c.db" in printed(capsys, "--database", "sqlite+aiosqlite:////srv/c.db")
    words = ["cloud", "unit", "--data", "/var/lib/cloud", "--database", "sqlite+aiosqlite:///c.db"]
    assert cli.main(words) == exit_codes.USAGE
    assert "names a file from here" in capsys.readouterr().err


# --- the keys as credentials


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """The keys of a cloud, encrypted by systemd-creds, gone as files, and decrypted as systemd does it."""
    data, sealed, vault = (tmp_path / name for name in ("data", "credstore", "credentials"))
    for folder in (data, sealed, vault):
        folder.mkdir(mode=0o700)
    key_ring.secret_box(data, 1.0)
    certificates.load_or_create(data)
    for path in [*data.glob("*.key"), *data.glob("*.keys")]:
        stored = sealed / path.name
        creds("encrypt", "--with-key=host", f"--name={path.name}", path, stored)
        assert path.read_bytes() not in stored.read_bytes()
        path.unlink()
        creds("decrypt", f"--name={path.name}", stored, vault / path.name)
        (vault / path.name).chmod(0o440)  # as an access list for the service's user looks
    monkeypatch.setenv(VARIABLE, str(vault))
    return vault


def creds(*words):
    """As root: nobody else has this computer's key."""
    if os.geteuid() != 0:
        pytest.skip("systemd's key of this computer is root's")
    done = systemd("systemd-creds", *map(str, words))
    assert done.returncode == 0, done.stderr


def test_v13_3_1_a_cloud_starts_with_no_key_in_its_directory(tmp_path, vault):
    data = tmp_path / "data"
    box = key_ring.secret_box(data, 2.0)
    assert box.open(key_ring.secret_box(data, 3.0).seal("a seed")) == "a seed"
    server_context(certificates.load_or_create(data).portal)
    assert [*data.glob("*.key*")] == []


def test_a_certificate_is_issued_anew_for_the_key_that_is_a_credential(tmp_path, vault):
    data = tmp_path / "data"
    pair = certificates.load_or_create(data, ("another.example.org",)).portal
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    key = serialization.load_pem_private_key((vault / "cloud.key").read_bytes(), None)
    assert certificate.public_key() == key.public_key() and [*data.glob("*.key*")] == []
    server_context(pair)


def test_keys_that_are_credentials_are_turned_in_another_directory(tmp_path, vault, capsys):
    data = str(tmp_path / "data")
    sealed = key_ring.secret_box(tmp_path / "data", 2.0).seal("a seed")
    assert cli.main(["cloud", "rotate-keys", "--data", data]) == exit_codes.USAGE
    assert "name a directory with --keys-to" in capsys.readouterr().err
    assert cli.main(["cloud", "rotate-keys", "--data", data, "--keys-to", str(vault)]) == exit_codes.OK
    box = key_ring.secret_box(tmp_path / "data", 3.0)
    assert len(key_ring.read_ring(vault / key_ring.RING)) == 2 and box.open(sealed) == "a seed"
    assert [*(tmp_path / "data").glob("*.key*")] == []


def test_plain_keys_are_turned_nowhere_else(tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    key_ring.secret_box(data, 1.0)
    (data / "cloud.db").touch()
    words = ["cloud", "rotate-keys", "--data", str(data), "--keys-to", str(tmp_path)]
    assert cli.main(words) == exit_codes.USAGE
    assert "the keys are no credentials" in capsys.readouterr().err and [*tmp_path.glob("*.keys")] == []


def test_plain_keys_are_an_advice_in_production_and_credentials_are_none(tmp_path, capsys, monkeypatch):
    data = tmp_path / "plain"
    data.mkdir(mode=0o700)
    key_ring.secret_box(data, 1.0)
    assert check(data, *SAFE, "--smtp", "localhost:25") == exit_codes.OK
    assert "advice: secrets.key, seal.keys: plain files" in capsys.readouterr().err
    vault = tmp_path / "vault"
    vault.mkdir()
    for name in ("secrets.key", "seal.keys"):
        shutil.move(data / name, vault / name)
    monkeypatch.setenv(VARIABLE, str(vault))
    assert check(data, *SAFE, "--smtp", "localhost:25") == exit_codes.OK
    assert "plain files" not in capsys.readouterr().err
