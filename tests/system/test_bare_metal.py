"""Files to bare-metal MicroPython, which none of us wrote, over QEMU's serial chardev."""

import hashlib
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.flash import session
from host_tools.release.places import ROOT
from host_tools.serial_port import BenchLine
from tests.system.bare_metal import BareMetal

SIZE = 32 * 1024
RAM_FILES = Path(ROOT / "tests/fakes/ram_files.py").read_text()
TIMEOUT_S = 180


@pytest.fixture(scope="module")
def board():
    with BareMetal() as board:
        with BenchLine(board.port) as line:
            line.execute(RAM_FILES)
        yield board


@pytest.fixture(autouse=True)
def emptied(board):
    """Its heap has no room for the files of all tests."""
    yield
    with BenchLine(board.port) as line:
        line.execute("import os\nfor row in os.ilistdir('/ram'): os.remove('/ram/' + row[0])")


def content_of(seed):
    return random.Random(seed).randbytes(SIZE)


def flash(board, tmp_path, content, path, *options):
    """The finished `gatelodge flash --to`."""
    (tmp_path / "file").write_bytes(content)
    command = [sys.executable, "-m", "host_tools.cli", "flash", "--port", board.port, "--to", path, *options]
    command.append(str(tmp_path / "file"))
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)


def sha256_by_mpremote(board, path):
    """What another program reads there; `resume`: a soft reset would forget the file system."""
    command = [sys.executable, "-m", "mpremote", "connect", board.port]
    command += ["resume", "fs", "sha256sum", ":" + path]
    pipes = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    done = subprocess.run(command, **pipes, timeout=TIMEOUT_S)
    return re.search(r"\b[0-9a-f]{64}\b", done.stdout)[0]


def test_a_32_kb_file_arrives_and_another_program_reads_the_same(board, tmp_path):
    done = flash(board, tmp_path, content_of(1), "/ram/noise")
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert "MicroPython for qemu" in done.stdout
    assert sha256_by_mpremote(board, "/ram/noise") == hashlib.sha256(content_of(1)).hexdigest()


def test_a_file_takes_the_place_of_another(board, tmp_path):
    text = Path(ROOT / "host_tools/serial_port.py").read_bytes()
    for content in (b"the old one", text):
        done = flash(board, tmp_path, content, "/ram/file")
        assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert sha256_by_mpremote(board, "/ram/file") == hashlib.sha256(text).hexdigest()


def test_a_board_that_cannot_change_its_speed_says_so_and_takes_the_file(board, tmp_path):
    done = flash(board, tmp_path, b"x" * 5000, "/ram/fast", "--baud", "921600")
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr
    assert "--baud 921600 changes nothing" in done.stdout


def test_a_host_that_dies_in_the_middle_of_a_frame_goes_on_where_it_was(board):
    """This board takes Ctrl-C for a byte of the frame it waits for."""
    content = content_of(2)

    def die(progress):
        if progress.done >= SIZE // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), BenchLine(board.port) as line:
        session.send_file(line, session.meet(line), "/ram/resumed", content, told=die)
    with BenchLine(board.port) as line:
        line.send(b"\0" * 5)  # the rest of what the dead host had in its buffer
    with BenchLine(board.port) as line:
        sent = session.send_file(line, session.meet(line), "/ram/resumed", content)
    assert sent.resumed_at >= SIZE // 2
    assert sha256_by_mpremote(board, "/ram/resumed") == hashlib.sha256(content).hexdigest()


def test_a_firmware_bundle_is_not_for_this_board(board):
    command = [sys.executable, "-m", "host_tools.cli", "flash", "--port", board.port]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == exit_codes.REFUSED_BY_BOARD
    assert "runs MicroPython for qemu, not Gatelodge" in done.stderr


def test_a_board_without_room_keeps_the_old_file(board, tmp_path):
    flash(board, tmp_path, b"the old one", "/ram/full")
    with BenchLine(board.port) as line, pytest.raises(ToolError, match="MemoryError") as raised:
        session.send_file(line, session.meet(line), "/ram/full", random.Random(3).randbytes(400_000))
    assert raised.value.exit_code == exit_codes.TRANSFER
    assert sha256_by_mpremote(board, "/ram/full") == hashlib.sha256(b"the old one").hexdigest()
