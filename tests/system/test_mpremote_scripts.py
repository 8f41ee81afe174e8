"""The test scripts of mpremote's own repository, from Debian's source package, on an emulated router.

Each prints what its .exp file holds. Only a router whose flash is thrown away: one of them removes `:/`,
which at the board `host` is this computer.
"""

import itertools
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools.release import places
from host_tools.serial_port import BenchLine
from tests.system import micropython_source, sole_port
from tests.system.qemu_bench import QemuBench

FOLDER = "tools/mpremote/tests"
PATIENCE_S = 120  # for the router to boot
TIMEOUT_S = 500  # the longest starts mpremote a hundred times

# Script -> lines that differ: (expected, what the router says, why).
DIFFERENCES = {
    "test_eval_exec_run": [],
    "test_filesystem": [
        (
            r"mpremote: rm -r: cannot remove :/ Operation not permitted",
            r"mpremote: rm: /\S+: Read-only file system\.",
            "a board's root holds mounts only, and is the last to be refused; ours is Linux's, and the first",
        )
    ],
    "test_mip_local_install": [],
    "test_mount": [],
    "test_recursive_cp": [],
    "test_resume": [],
}


@pytest.fixture(scope="module")
def scripts():
    """Where the scripts are; unpacked once."""

    def fill(folder):
        with micropython_source.unpacked() as root:
            for path in (root / FOLDER).glob("test_*"):
                places.write_whole(folder / path.name, path.read_bytes())

    return places.whole_folder(places.BUILD / f"mpremote-tests-{micropython_source.SUITE}", fill)


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with QemuBench(tmp_path_factory.mktemp("router"), count=1) as bench:
        with BenchLine(bench.ports[0]) as line:
            assert not line.is_locked(PATIENCE_S)
        yield bench.ports[0]


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_script_prints_what_its_authors_expect(scripts, port, tmp_path, name):
    expected = (scripts / f"{name}.sh.exp").read_text().splitlines()
    found = list(itertools.zip_longest(expected, output_of(scripts / f"{name}.sh", port, tmp_path)))
    differing = [pair for pair in found if pair[0] != pair[1]]
    declared = DIFFERENCES[name]
    fits = [
        re.fullmatch(theirs, str(pair[0])) and re.fullmatch(ours, str(pair[1]))
        for pair, (theirs, ours, _) in zip(differing, declared, strict=False)
    ]
    assert len(differing) == len(declared) and all(fits), differing


def test_no_script_is_left_out(scripts):
    assert {path.stem for path in scripts.glob("*.sh")} == set(DIFFERENCES)


def output_of(script, port, folder):
    """Its lines, as its authors' runner has them: no carriage returns, the folder by its variable's name."""
    mpremote = shlex.join([sys.executable, os.fspath(Path(sole_port.__file__)), port])
    environment = {**os.environ, "MPREMOTE": mpremote, "TMP": str(folder), "LC_ALL": "C"}
    environment.pop("PYTHONUNBUFFERED", None)  # only its buffer puts mpremote's own lines behind the router's
    text = script.read_text().replace("/tmp/", f"{folder}/")  # one file has a fixed name
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    command = ["timeout", str(TIMEOUT_S), "bash", "-c", text]  # ends what the script has started, too
    done = subprocess.run(command, **pipes, env=environment, check=False)
    return done.stdout.decode().replace("\r", "").replace(str(folder), "${TMP}").splitlines()
