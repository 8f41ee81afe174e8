"""From a blank flash over the serial line to a locked router: what mpremote may do before, and after."""

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import serial
from gatelodge.contract import provisioning, service_code, stages

from host_tools import exit_codes
from host_tools.release.places import BOARDS, ROOT
from tests.system.rig import PATIENCE_S, REFERENCE, House, until

BINARY = bytes(range(256)) * 20 + os.urandom(700)
LOCKED = stages.LOCKED_SENTENCE.encode()
CODE = b"print('ran' * 2)"
RAN = b"ranran"  # an echo of the code is not its output
POWER = "import os; os.system('%s; sleep 30')"  # sleeps until init has ended it


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    with House(tmp_path_factory.mktemp("blank"), "--blank") as house:
        yield house


@pytest.fixture(scope="module")
def bench(blank):
    """The finished `gatelodge provision`: the router is blank before it, locked after it."""
    return provision(blank)


@pytest.fixture
def locked(blank, bench):
    assert bench.returncode == exit_codes.OK, bench.stdout + bench.stderr
    return blank


@pytest.fixture
def line(locked):
    with serial.Serial(locked.current["serial_port"], 115200, timeout=0.05) as line:
        yield line


def succeed(house, *arguments):
    done = house.mpremote(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def provision(house):
    current = house.current
    options = {
        "port": current["serial_port"],
        "factory-dir": current["factory_dir"],
        "board": BOARDS / REFERENCE / "board.json",
        "cloud-ca": current["cloud_ca"],
        "cloud": current["cloud_for_router"],
        "server-name": current["cloud_server_name"],
        "ntp": current["ntp_for_router"],
    }
    command = [sys.executable, "-m", "host_tools.cli", "provision"]
    command += [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3 * PATIENCE_S)


def starts_of_the_daemon(house):
    """Since power-on."""
    return house.router_log().count(" daemon: firmware ")


def read_until(line, text):
    """All that the line says, up to the text at least."""
    said, end = b"", time.monotonic() + PATIENCE_S
    while text not in said:
        assert time.monotonic() < end, f"the line said {said[-300:]!r}, and never {text!r}"
        said += line.read(line.in_waiting or 1)
    return said


# Blank


def test_mpremote_runs_code_on_a_blank_router(blank):
    assert succeed(blank, "exec", "import sys; print(sys.implementation[0])") == b"micropython\n"
    assert succeed(blank, "eval", "6 * 7") == b"42\n"


def test_mpremote_runs_a_script_on_a_blank_router(blank, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("# " + "x" * 5000 + "\nfor i in range(3):\n    print('line', i)\n")
    assert succeed(blank, "run", script) == b"line 0\nline 1\nline 2\n"


def test_mpremote_copies_a_binary_file_both_ways_byte_for_byte(blank, tmp_path):
    (tmp_path / "there").write_bytes(BINARY)
    succeed(blank, "fs", "cp", tmp_path / "there", ":/flash/copy")
    assert hashlib.sha256(BINARY).hexdigest().encode() in succeed(blank, "fs", "sha256sum", ":/flash/copy")
    succeed(blank, "fs", "cp", ":/flash/copy", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == BINARY
    succeed(blank, "fs", "rm", ":/flash/copy")
    assert b"copy" not in succeed(blank, "fs", "ls", ":/flash").split()


def test_mpremote_makes_lists_shows_and_removes_on_a_blank_router(blank, tmp_path):
    (tmp_path / "note").write_text("two\nlines\n")
    succeed(blank, "fs", "mkdir", ":/flash/notes")
    succeed(blank, "fs", "cp", tmp_path / "note", ":/flash/notes/")
    assert succeed(blank, "fs", "ls", ":/flash/notes").split()[-1] == b"note"
    assert succeed(blank, "fs", "cat", ":/flash/notes/note") == b"two\nlines\n"
    succeed(blank, "fs", "rm", ":/flash/notes/note", "+", "fs", "rmdir", ":/flash/notes")
    assert b"notes/" not in succeed(blank, "fs", "ls", ":/flash").split()


def test_a_soft_reset_forgets_what_code_has_made(blank):
    succeed(blank, "exec", "kept = 5")
    assert succeed(blank, "resume", "eval", "kept") == b"5\n"
    succeed(blank, "resume", "soft-reset")
    assert b"NameError" in blank.mpremote("resume", "eval", "kept").stdout


def test_a_blank_router_that_reboots_is_blank_again(blank):
    before, starts = blank.pid_of("qemu"), starts_of_the_daemon(blank)
    succeed(blank, "exec", "--no-follow", POWER % "reboot")
    until(lambda: starts_of_the_daemon(blank) > starts, "the router did not reboot")
    assert not blank.is_locked()
    assert "Requesting system reboot" in blank.router_log()
    assert blank.pid_of("qemu") == before  # the machine was reset, not replaced


def test_a_router_that_is_switched_off_ends_well_and_keeps_its_flash(blank, tmp_path):
    (tmp_path / "note").write_bytes(BINARY)
    succeed(blank, "fs", "cp", tmp_path / "note", ":/flash/note")
    before = blank.pid_of("qemu")
    succeed(blank, "exec", "--no-follow", POWER % "poweroff")
    blank.wait_for_another("qemu", before)
    assert "the router switched itself off; starting it again" in blank.run_output()
    assert not blank.is_locked()
    assert hashlib.sha256(BINARY).hexdigest().encode() in succeed(blank, "fs", "sha256sum", ":/flash/note")


# Provisioned


def test_provisioning_prints_the_label_and_ends_well(blank, bench):
    assert bench.returncode == exit_codes.OK, bench.stdout + bench.stderr
    serial_number, code = re.search(r"Serial number  (\S+)\n  Service code   (\S+)\n", bench.stdout).groups()
    assert provisioning.is_serial_number(serial_number)
    assert service_code.format_grouped(service_code.parse(code)) == code


def test_a_provisioned_router_serves_its_page_and_finds_its_cloud(locked):
    locked.wait_for_admin_page()
    until(locked.times_online, "the cloud did not welcome the router")


def test_provisioning_again_says_that_it_is_done_and_changes_nothing(locked):
    report = next((Path(locked.current["factory_dir"]) / "reports").iterdir())
    before = report.read_bytes()
    again = provision(locked)
    assert again.returncode == exit_codes.OK, again.stdout + again.stderr
    assert "was finished on" in again.stdout
    assert "Service code" not in again.stdout
    assert report.read_bytes() == before


@pytest.mark.parametrize("command", [("exec", CODE.decode()), ("eval", "'ran' * 2"), ("fs", "ls", ":/flash")])
def test_mpremote_is_refused_by_a_locked_router(locked, command):
    done = locked.mpremote(*command)
    assert done.returncode != 0
    assert b"could not enter raw repl" in done.stderr
    assert RAN not in done.stdout
    assert b"boot.json" not in done.stdout


OPENERS = {
    "the raw REPL": b"\x01" + CODE + b"\x04",
    "raw-paste": b"\x01\x05A\x01" + CODE + b"\x04",
    "paste mode": b"\x05" + CODE + b"\x04",
    "the friendly REPL": b"\x02" + CODE + b"\r",
    "a statement": CODE + b"\r",
    "a flood of Ctrl-C": b"\x03" * 3000 + CODE + b"\r",
    "a flood of Ctrl-D": b"\x04" * 3000 + CODE + b"\r",
    "a quit and a stop": b"\x1c\x1a" * 50 + CODE + b"\r",
    "every byte there is": bytes(range(256)) * 4 + b"\r" + CODE + b"\r",
}
OPENED = (RAN, b"raw REPL", b"paste mode", b"R\x01", b">>>", b"===", b"soft reboot", b"Traceback")


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_nothing_opens_a_locked_line(locked, line, opener):
    starts = starts_of_the_daemon(locked)
    line.write(opener + b"\x03status\r")
    said = read_until(line, b"state: locked\r\n")
    assert LOCKED in said
    assert [word for word in OPENED if word in said] == []
    assert starts_of_the_daemon(locked) == starts


def test_knocking_through_a_power_cut_opens_nothing(locked, line):
    locked.kill("qemu")
    said, end = b"", time.monotonic() + PATIENCE_S
    while LOCKED not in said:
        assert time.monotonic() < end, said[-300:]
        line.write(b"\r\x03\x03\x1c\x04\x01" + CODE + b"\x04")
        said += line.read(line.in_waiting or 1)
    line.write(b"\x03status\r")
    said += read_until(line, b"state: locked\r\n")
    assert [word for word in OPENED if word in said] == []
    locked.wait_for_admin_page()
