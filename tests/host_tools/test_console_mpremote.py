"""An unmodified mpremote against the console, over a serial line, under MicroPython."""

import hashlib
import os
import select
import subprocess
import sys
import time

import pytest
import serial

from tests.host_tools.bench_rig import BenchRig

TIMEOUT_S = 60


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with BenchRig(tmp_path_factory.mktemp("rig")) as rig:
        yield rig


@pytest.fixture
def line(rig):
    with serial.Serial(rig.port, 115200, timeout=0.05) as line:
        line.write(b"\x03\x03\x01")
        expect(line, b"raw REPL; CTRL-B to exit\r\n>")
        line.write(b"\x02")
        expect(line, b">>> ")
        yield line


@pytest.fixture
def device(tmp_path):
    folder = tmp_path / "device"
    folder.mkdir()
    return folder


def mpremote(rig, *arguments, **options):
    command = [sys.executable, "-m", "mpremote", "connect", rig.port, *map(str, arguments)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, **options
    )


def succeed(rig, *arguments):
    done = mpremote(rig, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expect(line, text, seconds=10):
    """Read until the text came; return everything."""
    data = b""
    end = time.monotonic() + seconds
    while text not in data:
        assert time.monotonic() < end, data[-500:]
        data += line.read(line.in_waiting or 1)
    return data


def test_exec_prints(rig):
    assert succeed(rig, "exec", "print(6 * 7)") == b"42\n"


def test_eval_prints_the_value(rig):
    assert succeed(rig, "eval", "'a' + 'b'") == b"ab\n"


def test_run_sends_a_long_script(rig, tmp_path):
    script = tmp_path / "script.py"
    script.write_text("# " + "x" * 5000 + "\nfor i in range(3):\n    print('line', i)\n")
    assert succeed(rig, "run", script) == b"line 0\nline 1\nline 2\n"


def test_a_traceback_arrives_without_our_own_frames(rig):
    done = mpremote(rig, "exec", "def f():\n    return 1 // 0\nf()")
    assert done.returncode == 1
    assert b'File "<stdin>", line 2, in f' in done.stdout
    assert b"ZeroDivisionError" in done.stdout
    assert b"runner.py" not in done.stdout


def test_text_is_utf_8_both_ways(rig):
    assert succeed(rig, "exec", "print('größe €')") == "größe €\n".encode()


def test_a_name_lives_until_the_soft_reset(rig):
    succeed(rig, "exec", "kept = 5")
    assert succeed(rig, "resume", "eval", "kept") == b"5\n"
    succeed(rig, "resume", "soft-reset")
    assert b"NameError" in mpremote(rig, "resume", "eval", "kept").stdout


def test_system_exit_is_a_soft_reset(rig):
    succeed(rig, "exec", "kept = 5")
    succeed(rig, "resume", "exec", "raise SystemExit")
    assert b"NameError" in mpremote(rig, "resume", "eval", "kept").stdout


def test_commands_chain_in_one_connection(rig):
    output = succeed(rig, "exec", "print(1)", "+", "eval", "2", "+", "disconnect")
    assert output == b"1\n2\n"


def test_files_are_copied_both_ways_byte_for_byte(rig, tmp_path, device):
    content = bytes(range(256)) * 9 + os.urandom(700)
    (tmp_path / "there").write_bytes(content)
    succeed(rig, "fs", "cp", tmp_path / "there", f":{device}/copy")
    succeed(rig, "fs", "cp", f":{device}/copy", tmp_path / "back")
    assert (device / "copy").read_bytes() == content
    assert (tmp_path / "back").read_bytes() == content


def test_sha256sum_is_computed_on_the_router(rig, device):
    content = os.urandom(1000)
    (device / "file").write_bytes(content)
    assert hashlib.sha256(content).hexdigest().encode() in succeed(rig, "fs", "sha256sum", f"{device}/file")


def test_ls_and_tree_list_files_and_directories(rig, device):
    (device / "folder").mkdir()
    (device / "file").write_bytes(b"x")
    listed = succeed(rig, "fs", "ls", device)
    assert b"folder/" in listed and b"file" in listed
    assert b"folder" in succeed(rig, "fs", "tree", device)


def test_cat_shows_the_file_as_it_is(rig, device):
    (device / "file").write_bytes("zwei\nZeilen ü\n".encode())
    assert succeed(rig, "fs", "cat", f"{device}/file") == "zwei\nZeilen ü\n".encode()


def test_a_folder_of_this_computer_is_mounted_imported_from_and_written_to(rig, tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from .part import name\n")
    (tmp_path / "package" / "part.py").write_text("name = 'from there'\n")
    assert b"from there\n" in succeed(rig, "mount", tmp_path, "exec", "import package; print(package.name)")
    succeed(rig, "mount", tmp_path, "exec", "open('written', 'w').write('by the router')")
    assert (tmp_path / "written").read_text() == "by the router"


def test_a_soft_reset_leaves_nothing_mounted(rig, tmp_path):
    succeed(rig, "mount", tmp_path, "exec", "import os")
    listed = "import vfs; print([path for _, path in vfs.mount()])"
    assert succeed(rig, "exec", listed) == b"['/']\n"


def test_folders_are_copied_whole(rig, tmp_path, device):
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "file").write_bytes(bytes(range(256)))
    succeed(rig, "fs", "cp", "-r", tmp_path / "tree", f":{device}/")
    assert (device / "tree" / "deep" / "file").read_bytes() == bytes(range(256))


def test_mkdir_touch_rm_and_rmdir_change_the_flash(rig, device):
    succeed(rig, "fs", "mkdir", f"{device}/a", "+", "fs", "touch", f"{device}/a/b")
    assert (device / "a" / "b").exists()
    succeed(rig, "fs", "rm", f"{device}/a/b", "+", "fs", "rmdir", f"{device}/a")
    assert not (device / "a").exists()


def test_a_missing_file_is_named(rig, device):
    done = mpremote(rig, "fs", "rm", f"{device}/none")
    assert done.returncode == 1
    assert b"No such file or directory" in done.stderr


def test_the_friendly_prompt_echoes_and_answers(line):
    line.write(b"1 +\x7f+ 1\r")
    assert b"\r\n2\r\n>>> " in expect(line, b"\r\n2\r\n>>> ")


def test_a_block_is_typed_line_by_line(line):
    line.write(b"for i in range(2):\r  print('n', i)\r\r")
    assert b"n 0\r\nn 1\r\n>>> " in expect(line, b"n 1\r\n>>> ")


def test_paste_mode_takes_a_block_at_once(line):
    line.write(b"\x05if True:\n  print('pas' + 'ted')\n\x04")
    assert b"pasted\r\n" in expect(line, b"pasted\r\n>>> ")


def test_ctrl_d_at_the_prompt_is_a_soft_reboot(line):
    line.write(b"\x04")
    assert b"soft reboot\r\n" in expect(line, b">>> ")


def test_ctrl_c_interrupts_a_loop(rig, line):
    line.write(b"\x01")
    expect(line, b"raw REPL; CTRL-B to exit\r\n>")
    line.write(b"while True: pass\x04")
    expect(line, b"OK")
    line.write(b"\x03")
    assert b"KeyboardInterrupt" in expect(line, b"\x04>")


def test_a_ctrl_c_right_behind_the_code_interrupts_it(line):
    line.write(b"\x01")
    expect(line, b"raw REPL; CTRL-B to exit\r\n>")
    line.write(b"while True: pass\x04\x03")
    assert b"KeyboardInterrupt" in expect(line, b"\x04>")


def test_bytes_sent_while_code_runs_reach_the_code(line):
    line.write(b"\x01")
    expect(line, b"raw REPL; CTRL-B to exit\r\n>")
    line.write(b"import sys; print('got', sys.stdin.read(3))\x04")
    expect(line, b"OK")
    line.write(b"abc")
    assert b"got abc" in expect(line, b"\x04>")


WAITS_FOR_EVER = """
import builtins, time
def compile(*_):
    while True: time.sleep(9)
builtins.compile = compile
"""


def test_an_interpreter_that_waits_for_its_own_lock_is_started_again(rig):
    """One interrupt of a thousand leaves the table of names locked; this look-up waits for another reason."""
    before = rig.starts
    with serial.Serial(rig.port, 115200, timeout=0.05) as line:
        line.write(b"\x03\x03\x01")
        expect(line, b"raw REPL; CTRL-B to exit\r\n>")
        line.write(WAITS_FOR_EVER.encode() + b"\x04")
        expect(line, b"OK")
        expect(line, b">>> ", TIMEOUT_S)
    assert rig.starts == before + 1
    assert succeed(rig, "eval", "1 + 1") == b"2\n"


def test_a_flood_of_ctrl_c_leaves_a_router_that_answers(rig, line):
    line.write(b"\x01")
    expect(line, b"raw REPL; CTRL-B to exit\r\n>")
    line.write(b"while True: [0] * 100\x04")
    expect(line, b"OK")
    for _ in range(200):
        line.write(b"\x03" * 5)
        line.read(line.in_waiting)
    assert succeed(rig, "eval", "1 + 1") == b"2\n"


def test_garbage_leaves_a_router_that_answers(rig, line):
    line.write(bytes(range(256)) * 40)
    time.sleep(0.2)
    assert succeed(rig, "eval", "1 + 1") == b"2\n"


def test_code_that_is_too_long_is_refused_with_a_sentence(rig, tmp_path):
    script = tmp_path / "long.py"
    script.write_text("x = 1  # long\n" * 6000)
    done = mpremote(rig, "run", script)
    assert b"this code is longer than 65536 bytes" in done.stdout
    assert succeed(rig, "eval", "1 + 1") == b"2\n"


def test_mpremotes_own_terminal_reaches_the_prompt(rig):
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "mpremote", "connect", rig.port, "repl"]
    terminal = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    read_until(terminal.stdout.fileno(), b"exit this shell\n")  # on any board it asks for no prompt yet
    os.write(ours, b"print(6 * 7)\r")
    shown = read_until(terminal.stdout.fileno(), b"42\r\n>>> ")
    os.write(ours, b"\x1d")  # Ctrl-] leaves
    terminal.communicate(timeout=TIMEOUT_S)
    os.close(ours)
    os.close(theirs)
    assert shown == b"print(6 * 7)\r\n42\r\n>>> "
    assert terminal.returncode == 0


def read_until(descriptor, text):
    data = b""
    while text not in data and select.select([descriptor], [], [], TIMEOUT_S)[0]:
        data += os.read(descriptor, 1024)
    return data
