"""Machines read standard output: whatever else prints in this process, each line there is our event."""

import json
import os
import subprocess
import sys

import pytest

from host_tools import cli, exit_codes, serial_port
from host_tools.machine_output import machine_output
from tests.host_tools.bench_rig import ROOT, BenchRig
from tests.host_tools.factory_rig import Factory

NOISE = "[a library has something to say]"


def make_noise():
    print(NOISE)
    os.write(1, NOISE.encode() + b"\n")  # as C code does
    subprocess.run([sys.executable, "-c", f"print({NOISE!r})"], check=True)


@pytest.fixture
def noisy_mpremote(monkeypatch):
    """mpremote, with a print in the way of each program that it starts."""
    quiet = serial_port.SerialTransport.exec_raw_no_follow

    def noisy(self, command):
        make_noise()
        return quiet(self, command)

    monkeypatch.setattr(serial_port.SerialTransport, "exec_raw_no_follow", noisy)


def test_noise_of_python_of_c_and_of_children_goes_to_standard_error(capfd):
    with machine_output(True) as out:
        make_noise()
        print("ours", file=out)
    print("afterwards")
    said = capfd.readouterr()
    assert said.out == "ours\nafterwards\n"
    assert said.err.count(NOISE) == 3


def test_for_people_nothing_is_moved(capfd):
    with machine_output(False) as out:
        print("prose", file=out)
        print("noise")
    assert capfd.readouterr().out == "prose\nnoise\n"


def test_a_process_of_its_own_has_only_ours_on_its_standard_output():
    """Where `sys.stdout` is the descriptor that the others write to, as it is outside of these tests."""
    program = (
        "import sys; from tests.host_tools.test_machine_output import make_noise, machine_output\n"
        "with machine_output(True) as out: make_noise(); print('ours', file=out)\nprint('afterwards')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "ours\nafterwards\n"
    assert done.stderr.count(NOISE) == 3


def test_the_events_of_a_flashing_are_alone(tmp_path, noisy_mpremote, capfd):
    (tmp_path / "file").write_bytes(b"content")
    with BenchRig(tmp_path) as rig:
        to = str(tmp_path / "arrived")
        status = cli.main(["flash", "--port", rig.port, "--json", "--to", to, str(tmp_path / "file")])
    said = capfd.readouterr()
    assert status == exit_codes.OK, said.err
    assert json.loads(said.out.splitlines()[-1])["outcome"] == "done"
    assert all(json.loads(line)["event"] for line in said.out.splitlines())
    assert NOISE in said.err


def test_the_events_of_a_provisioning_are_alone(tmp_path, noisy_mpremote, capfd):
    factory = Factory(tmp_path)
    with BenchRig(tmp_path) as rig:
        status = cli.main([*factory.arguments(rig.port), "--json"])
    said = capfd.readouterr()
    assert status == exit_codes.OK, said.err
    assert all(json.loads(line)["event"] for line in said.out.splitlines())
    assert NOISE in said.err
