"""The loader as the board starts it: a MicroPython process, a root directory, a board."""

import json
import signal
import subprocess

from tests.micropython.run import ROOT, environment, interpreter

DAEMON = """
import sys

def main(root, board, boot):
    boot.confirm()
    print(root, board["name"], boot.slot, boot.version, "frozen" if ".frozen" in sys.path else "")
    return {code}
"""


LISTENS = """
def main(root, board, boot):
    with open("/proc/self/status") as file:
        print([line for line in file if line.startswith("SigIgn")][0])
    return 64
"""
SIGINT_BIT = 1 << signal.SIGINT - 1


def start(root):
    command = [interpreter(), str(ROOT / "firmware" / "main.py"), str(root), str(root / "board.json")]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=20)


def fill(root, slot, daemon, version="1.0.0"):
    package = root / "slots" / slot / "gatelodge"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "daemon.py").write_text(daemon)
    (root / "slots" / slot / "manifest.json").write_text(json.dumps({"version": version}))
    (root / "board.json").write_text('{"name": "bench"}')


def test_the_slots_own_daemon_runs_and_its_exit_code_is_the_processes(tmp_path):
    fill(tmp_path, "a", DAEMON.format(code=64), "1.2.3")
    done = start(tmp_path)
    assert (done.returncode, done.stdout) == (64, f"{tmp_path} bench a 1.2.3 frozen\n"), done.stderr
    assert json.loads((tmp_path / "boot.json").read_text())["confirmed"] == "a"


def test_a_daemon_that_cannot_be_imported_is_told_on_both_lines_and_counted(tmp_path):
    fill(tmp_path, "a", "def main(")
    done = start(tmp_path)
    assert done.returncode == 64
    assert "SyntaxError" in done.stderr
    assert done.stdout == "Gatelodge: firmware 1.0.0 in slot a failed, 1 in a row; the next start is in 1 s\n"
    assert json.loads((tmp_path / "boot.json").read_text())["failures"] == 1


def test_no_interrupt_reaches_a_start(tmp_path):
    fill(tmp_path, "a", LISTENS)
    done = start(tmp_path)
    assert int(done.stdout.split()[1], 16) & SIGINT_BIT, done.stdout + done.stderr


def test_a_trial_that_crashes_falls_back_to_the_confirmed_slot(tmp_path):
    fill(tmp_path, "a", DAEMON.format(code=0))
    fill(tmp_path, "b", "raise RuntimeError('broken update')")
    record = {"confirmed": "a", "trial": "b", "attempts_left": 1, "failures": 0}
    (tmp_path / "boot.json").write_text(json.dumps(record))
    assert "broken update" in start(tmp_path).stderr
    assert start(tmp_path).stdout.split()[1:3] == ["bench", "a"]


def test_a_trial_that_hangs_is_ended_and_has_used_a_start_up(tmp_path):
    fill(tmp_path, "a", DAEMON.format(code=0))
    fill(tmp_path, "b", "def main(root, board, boot):\n    while True:\n        pass\n")
    record = {"confirmed": "a", "trial": "b", "attempts_left": 1, "failures": 0}
    (tmp_path / "boot.json").write_text(json.dumps(record))
    soon = f"import main; main.TRIAL_S = 1; main.main(['{tmp_path}', '{tmp_path / 'board.json'}'])"
    hung = subprocess.run(
        [interpreter(), "-c", soon], env=environment(), capture_output=True, text=True, timeout=60
    )
    assert hung.returncode == -signal.SIGALRM, hung.stderr
    assert start(tmp_path).stdout.split()[1:3] == ["bench", "a"]
