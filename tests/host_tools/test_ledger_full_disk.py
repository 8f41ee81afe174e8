"""Real disks: full anywhere in a ledger's making and its first entries, or read-only. Nothing is damaged."""

import os
import subprocess
import sys

import pytest

from tests.host_tools.bench_rig import ROOT

# A file system of one megabyte, in a name space of its own: what fills it goes with the process.
IN_A_SMALL_DISK = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$0"'
FILLS_IT = """
import os, sys
from pathlib import Path
from host_tools.errors import ToolError
from host_tools.factory.ledger import Ledger

disk = Path(sys.argv[1])
for left in range(0, 300 << 10, 12 << 10):  # a ledger and its log take some 200 KB
    found = os.statvfs(disk)
    (disk / "fill").write_bytes(bytes(found.f_bavail * found.f_frsize - left))
    ledger, entered = Ledger(disk / "ledger.db"), 0
    try:
        for number in range(3):
            ledger.append("note", number=number)
            entered += 1
    except ToolError as error:
        assert "check that the disk has space" in str(error), (left, error)
    (disk / "fill").unlink()
    kept = len(ledger.entries())
    assert kept == entered, (left, kept, entered)
    ledger.append("note")
    assert ledger.verify().count == entered + 1
    for path in disk.iterdir():
        path.unlink()
    print(entered)
"""
READS_ONLY = """
import subprocess, sys
from pathlib import Path
from host_tools.errors import ToolError
from host_tools.factory.ledger import Ledger

disk = Path(sys.argv[1])
ledger = Ledger(disk / "ledger.db")
ledger.append("note")
subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
for refused in (lambda: ledger.append("note"), ledger.verify, Ledger(disk / "new.db").entries):
    try:
        refused()
        print("done")
    except ToolError as error:
        print(error)
subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
print(ledger.append("note").sequence)
"""


def test_a_disk_that_is_full_at_any_moment_leaves_a_ledger_that_goes_on(tmp_path):
    entered = set(said_on_a_small_disk(FILLS_IT, tmp_path))
    assert {"0", "3"} <= entered  # from a disk without place to one with enough


def test_a_folder_that_may_not_be_written_is_said_and_the_ledger_goes_on_later(tmp_path):
    append, verify, make, later = said_on_a_small_disk(READS_ONLY, tmp_path)
    assert "cannot be used" in append and "may write there" in append
    assert "cannot be used" in verify and "copy it into a folder of yours" in verify
    assert "cannot be used" in make
    assert later == "2"


def said_on_a_small_disk(program, place):
    if subprocess.run([*IN_A_SMALL_DISK, MOUNT, place], capture_output=True, timeout=30).returncode:
        pytest.skip("this computer mounts nothing for who asks")
    command = [*IN_A_SMALL_DISK, MOUNT + ' && exec "$@"', place, sys.executable, "-c", program, place]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/firmware"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
