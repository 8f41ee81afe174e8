"""Runs the tests that both interpreters share under MicroPython. Started by CPython.

    python tests/micropython/run.py [FILE...]

The interpreter is $MICROPYTHON, or build/micropython/bin/micropython. One process per file, because
MicroPython has one event loop and one heap; two at a time; each with a deadline. A file that fails is
asked once more, and the report says so: a busy computer may be late once.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from host_tools.release import catalogues  # noqa: E402 - it is found by the line above

FOLDERS = ("tests/contract", "tests/firmware")
SEARCH_PATH = ("firmware", ".", "tests/micropython", ".frozen")
PROCESSES = 2
DEADLINE_S = 120
RAN = re.compile(r"^Ran (\d+) tests, (\d+) failed$", re.MULTILINE)


def interpreter():
    return os.environ.get("MICROPYTHON") or str(ROOT / "build/micropython/bin/micropython")


def test_files():
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("test_*.py"))]
    return [str(path.relative_to(ROOT)) for path in found]


def environment():
    """For a MicroPython process that is started in ROOT, or anywhere."""
    catalogues.write_compiled()
    paths = [place if place == ".frozen" else str(ROOT / place) for place in SEARCH_PATH]
    return {**os.environ, "MICROPYPATH": ":".join(paths)}


def run_file(path):
    """(path, tests passed, tests failed, what to print when something failed)."""
    try:
        done = subprocess.run(
            [interpreter(), path],
            cwd=ROOT,
            env=environment(),
            timeout=DEADLINE_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return path, 0, 1, f"did not end within {DEADLINE_S} s"
    ran = RAN.search(done.stdout)
    if ran is None:
        return path, 0, 1, done.stdout + f"ended with {done.returncode} before unittest.main() did"
    count, failed = int(ran[1]), int(ran[2])
    if count == 0 or (done.returncode != 0 and not failed):
        return path, 0, 1, done.stdout + f"ended with {done.returncode}"
    return path, count - failed, failed, done.stdout if failed else ""


def run_file_patiently(path):
    first = run_file(path)
    if not first[2]:
        return first
    print(f"AGAIN {path}\n{first[3]}", flush=True)
    return run_file(path)


def report(path, passed, failed, output):
    print(f"{'FAIL' if failed else 'ok  '} {path}: {passed} passed, {failed} failed", flush=True)
    if failed:
        print(output, flush=True)


def main(arguments):
    if not os.access(interpreter(), os.X_OK):
        print(f"{interpreter()} is not there: set MICROPYTHON, or let make build it", file=sys.stderr)
        return 2
    passed = failed = 0
    with ThreadPoolExecutor(PROCESSES) as pool:
        for result in pool.map(run_file_patiently, arguments or test_files()):
            report(*result)
            passed, failed = passed + result[1], failed + result[2]
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
