"""Serial ports on the network, over a real server on loopback; a line whose ends must agree on a speed."""

import random
import subprocess
import sys
import termios

import pytest

from host_tools import exit_codes
from host_tools.release.places import ROOT
from tests.host_tools.flash_rig import FlashRig
from tests.host_tools.port_server import PortServer

TIMEOUT_S = 120
CONTENT = random.Random(1).randbytes(40_000)
ISPEED = 4


class SpeedRig(FlashRig):
    """Its line carries nothing but noise while its ends have different speeds."""

    def __init__(self, directory):
        super().__init__(directory)
        self.damage = self._carry_at_speed

    def _carry_at_speed(self, to_board, data):
        ours, theirs = (termios.tcgetattr(terminal)[ISPEED] for terminal in (self._tool, self._router))
        data = self.line.carry(to_board, data)
        return data if ours == theirs else bytes(byte ^ 0xA5 for byte in data)


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with SpeedRig(tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.fixture(params=[False, True], ids=["socket", "rfc2217"])
def server(rig, request):
    with PortServer(rig.port, with_speed=request.param) as server:
        yield server


@pytest.fixture
def server_with_speed(rig):
    with PortServer(rig.port, with_speed=True) as server:
        yield server


def flash(rig, server, name, *options):
    """The finished `gatelodge flash --to` over the server's port."""
    rig.put("there", CONTENT)
    folder = rig.state.parent
    command = [sys.executable, "-m", "host_tools.cli", "flash", "--port", server.url]
    command += ["--to", f"{folder}/{name}", *options, f"{folder}/there"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)


def test_a_file_arrives_over_the_network(rig, server):
    done = flash(rig, server, "network")
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert rig.read("network") == CONTENT


def test_a_plain_socket_has_no_speed_to_raise_and_says_so(rig):
    with PortServer(rig.port) as server:
        done = flash(rig, server, "plain", "--baud", "921600")
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert "--baud 921600 changes nothing" in done.stdout
    assert rig.read("plain") == CONTENT


def test_the_speed_is_raised_after_the_handshake_and_lowered_at_the_end(rig, server_with_speed):
    done = flash(rig, server_with_speed, "fast", "--baud", "921600")
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert server_with_speed.speeds == [115200, 921600, 115200]
    assert rig.read("fast") == CONTENT
    assert "the stub started" not in done.stdout


def test_a_speed_that_the_board_does_not_know_costs_one_start_of_the_stub(rig, server_with_speed):
    done = flash(rig, server_with_speed, "odd", "--baud", "123456")
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert rig.read("odd") == CONTENT
    assert "the stub started 2 times" in done.stdout


def test_a_server_that_is_not_there_is_named_with_the_port_s_own_status(rig):
    with PortServer(rig.port) as server:
        pass
    done = flash(rig, server, "nobody")
    assert done.returncode == exit_codes.SERIAL_PORT
    assert f"cannot use the serial port {server.url}" in done.stderr
