"""The whole bench over a serial line: real console, real store, real MicroPython, no QEMU."""

import json
import subprocess
import sys

import pytest
from cryptography import x509
from gatelodge.contract import provisioning

from host_tools import cli, exit_codes
from host_tools.errors import ToolError
from host_tools.factory import provision as flow
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.records import Records
from host_tools.factory.revocation import CRL_FILE, revoke, rework
from host_tools.factory.unit import lock_proof
from host_tools.serial_port import BenchLine
from tests.host_tools.bench_rig import ROOT, BenchRig

NAMES = ["localhost", "127.0.0.1"]
MPREMOTE_TIMEOUT_S = 60


class PowerCut(Exception):
    """Where a test cuts the bench's power."""


@pytest.fixture
def rig(tmp_path):
    with BenchRig(tmp_path) as rig:
        yield rig


@pytest.fixture(scope="module")
def cloud_ca(tmp_path_factory):
    return FactoryAuthority.create(tmp_path_factory.mktemp("cloud") / "ca")


@pytest.fixture
def authority(tmp_path):
    return FactoryAuthority.create(tmp_path / "factory")


@pytest.fixture
def bench(rig, authority, cloud_ca):
    """A callable that runs the bench, and cuts its power when the named step begins."""
    cloud = flow.Cloud(cloud_ca.ca_der, "10.0.2.2", 8445, "cloud.example", [("10.0.2.2", 8123)])

    def run(cut_at=None):
        def progress(name, detail):
            if name == cut_at and not detail:
                raise PowerCut

        return flow.provision(rig.port, authority, names=NAMES, cloud=cloud, progress=progress)

    return run


def mpremote(rig, *arguments):
    command = [sys.executable, "-m", "mpremote", "connect", rig.port, *arguments]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": MPREMOTE_TIMEOUT_S}
    return subprocess.run(command, **options)


def recorded(authority):
    return [json.loads(line) for line in (authority.directory / "devices.jsonl").read_text().splitlines()]


def test_a_blank_router_is_provisioned_and_recorded(bench, authority):
    unit = bench()
    (record,) = recorded(authority)
    assert record["serial_number"] == unit.serial_number
    assert record["service_code_hash"] == authority.service_code_hash(unit.service_code)
    assert record["certificate_fingerprint"] == unit.certificate_fingerprint
    assert provisioning.parse_label(unit.label_text) == (unit.serial_number, unit.service_code)


def test_a_provisioned_router_is_taken_back_and_revoked(bench, authority):
    unit = bench()
    records = Records(authority)
    rework(authority, records, unit.serial_number, "flash chip replaced")
    assert records.last_state(unit.serial_number).name == "returned"
    revoke(authority, records, unit.serial_number, "lost on its way back")
    revoked = x509.load_pem_x509_crl((authority.directory / CRL_FILE).read_bytes())
    assert [f"{row.serial_number:x}" for row in revoked] == [unit.certificate_number]
    assert records.last_state(unit.serial_number).name == "revoked"


def test_mpremote_works_before_and_is_refused_after(rig, bench):
    assert mpremote(rig, "eval", "6 * 7").stdout == b"42\n"
    bench()
    refused = mpremote(rig, "eval", "6 * 7")
    assert refused.returncode != 0
    assert b"42\n" not in refused.stdout
    assert b"could not enter raw repl" in refused.stdout + refused.stderr


def test_a_power_cut_does_not_open_a_locked_router(rig, bench):
    bench()
    rig.kill()
    with BenchLine(rig.port) as line:
        assert line.is_locked()
        assert lock_proof.open_ways(lock_proof.prove(line)) == []


def test_a_finished_router_is_refused_with_its_serial_number(bench, authority):
    unit = bench()
    Records(authority).forget(unit.serial_number)
    with pytest.raises(ToolError, match=f"{unit.serial_number} was finished") as raised:
        bench()
    assert raised.value.exit_code == exit_codes.REFUSED_BY_BOARD


@pytest.mark.parametrize("step", ["self-test", "lock"])
def test_a_bench_cut_before_the_lock_starts_over_with_the_same_code(rig, bench, authority, step):
    with pytest.raises(PowerCut):
        bench(cut_at=step)
    with BenchLine(rig.port) as line:
        before = line.call("identify", {})["serial_number"]
        code = line.execute("print(bench._store.get('identity')['service_code'])").strip()
    unit = bench()
    assert (unit.serial_number, unit.service_code) == (before, code)
    assert len(recorded(authority)) == 1


def test_a_router_cut_off_in_the_middle_starts_over(rig, bench):
    with pytest.raises(PowerCut):
        bench(cut_at="write identity")
    rig.kill()
    assert bench().serial_number


@pytest.mark.parametrize("step", ["prove the lock", "record"])
def test_a_bench_cut_after_the_lock_finishes_the_record(bench, authority, step):
    with pytest.raises(PowerCut):
        bench(cut_at=step)
    assert recorded(authority) == []
    unit = bench()
    assert [record["serial_number"] for record in recorded(authority)] == [unit.serial_number]
    assert unit.service_code


def test_a_text_damaged_on_the_line_is_sent_again(rig, bench):
    damaged = []

    def damage_once(to_router, data):
        if to_router and b"cloud.example" in data and not damaged:
            damaged.append(data)
            return data.replace(b"cloud.example", b"cloud.exbmple")
        return data

    rig.damage = damage_once
    assert bench().serial_number
    assert damaged


def test_the_command_line_provisions_and_prints_the_label(rig, authority, cloud_ca, tmp_path, capsys):
    status = cli.main(
        [
            "provision",
            *("--port", rig.port),
            *("--factory-dir", str(authority.directory)),
            *("--board", str(ROOT / "boards/host/board.json")),
            *("--cloud-ca", str(cloud_ca.directory / "factory-ca.pem")),
            *("--cloud", "cloud.example:8445"),
            *("--label", str(tmp_path / "label.svg")),
        ]
    )
    (record,) = recorded(authority)
    assert status == exit_codes.OK
    assert record["serial_number"] in capsys.readouterr().out
    assert record["serial_number"] in (tmp_path / "label.svg").read_text()
    assert Records(authority).pending(record["serial_number"]) is None


def test_the_certificates_on_the_router_are_the_factorys(rig, bench, authority):
    with pytest.raises(PowerCut):
        bench(cut_at="self-test")
    with BenchLine(rig.port) as line:
        source = "from binascii import a2b_base64; print(a2b_base64(bench._store.get('identity')[%r]).hex())"
        device, admin = (line.execute(source % name) for name in ("device_certificate", "admin_certificate"))
    for data in (device, admin):
        certificate = x509.load_der_x509_certificate(bytes.fromhex(data))
        certificate.verify_directly_issued_by(authority.certificate)
