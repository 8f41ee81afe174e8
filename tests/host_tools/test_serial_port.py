import os
import tty

import pytest

from host_tools import exit_codes, serial_port
from host_tools.errors import ToolError
from host_tools.serial_port import BenchLine
from tests.host_tools.bench_rig import BenchRig


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with BenchRig(tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.fixture
def line(rig):
    with BenchLine(rig.port) as line:
        yield line


@pytest.fixture
def dead_port():
    """A serial port with nothing at its other end."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_verb_is_answered(line):
    assert line.call("identify", {})["model"] == "Gatelodge Bench"


def test_code_runs_and_its_output_comes_back(line):
    assert line.execute("print('a', 'b')") == "a b\n"


def test_calls_follow_each_other_on_one_line(line):
    answers = {line.call("make_key", {})["public_key"] for _ in range(5)}
    assert len(answers) == 1


def test_a_refusal_of_the_router_is_its_own_sentence(line):
    with pytest.raises(
        ToolError, match="the router refused lock: .* follow the order of the bench"
    ) as raised:
        line.call("lock", {})
    assert raised.value.exit_code == exit_codes.REFUSED_BY_BOARD


def test_a_failure_of_the_firmware_is_told_by_its_last_line(line):
    with pytest.raises(ToolError, match="ZeroDivisionError"):
        line.execute("1 // 0")
    assert line.execute("print(1)") == "1\n"


def test_a_router_that_is_busy_is_interrupted(line):
    line.enter_raw_repl()
    line._open.exec_raw_no_follow("while True: pass")
    assert line.is_locked() is False
    assert line.execute("print(1)") == "1\n"


def test_a_line_that_damages_everything_is_given_up(rig, line):
    line.enter_raw_repl()
    rig.damage = lambda to_router, data: data.replace(b"identify", b"idontify") if to_router else data
    try:
        with pytest.raises(ToolError, match="damaged 3 texts") as raised:
            line.call("identify", {})
    finally:
        rig.damage = lambda to_router, data: data
    assert raised.value.exit_code == exit_codes.SERIAL_PORT


def test_a_port_that_does_not_exist_is_named(tmp_path):
    with (
        pytest.raises(ToolError, match="cannot use the serial port .*none") as raised,
        BenchLine(str(tmp_path / "none"), open_timeout_s=0.1),
    ):
        pass
    assert raised.value.exit_code == exit_codes.SERIAL_PORT


def test_a_kind_of_url_that_there_is_not_is_named_at_once():
    with pytest.raises(ToolError, match="'gopher://bench' is no serial port: name a device") as raised:
        BenchLine("gopher://bench").__enter__()
    assert raised.value.exit_code == exit_codes.SERIAL_PORT


def test_a_speed_that_the_adapter_refuses_is_named(rig, line):
    with pytest.raises(ToolError, match=f"{rig.port} cannot do -5 baud: choose another") as raised:
        line.set_speed(-5)
    assert raised.value.exit_code == exit_codes.SERIAL_PORT


def test_a_silent_router_is_given_up_in_time(dead_port):
    with BenchLine(dead_port) as line, pytest.raises(ToolError, match="says nothing") as raised:
        line.is_locked(timeout_s=0.2)
    assert raised.value.exit_code == exit_codes.HANDSHAKE


def test_a_router_that_says_something_else_is_quoted(rig, line, monkeypatch):
    monkeypatch.setattr(serial_port, "RAW_BANNER", b"never said")
    with pytest.raises(ToolError, match="says b'.*CTRL-B"):
        line.is_locked(timeout_s=0.6)
