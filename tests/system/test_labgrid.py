"""labgrid, as it is released, drives the reference board by the environment that is shipped with it."""

import os
import subprocess
import sys
import venv
from pathlib import Path

from host_tools.release.places import BOARDS, BUILD, ROOT, whole_folder
from tests.system.rig import REFERENCE

LABGRID = "labgrid>=26,<27"
PYTEST = "pytest>=8.3"
INSTALL_TIMEOUT_S = 900
RUN_TIMEOUT_S = 900  # the first run on a computer builds the board's image
TESTS = 3


def install(folder: Path) -> None:
    # Its pyserial would shadow ours, and ours its: an environment of its own, kept from run to run.
    venv.create(folder, with_pip=True)
    command = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, LABGRID, PYTEST], check=True, timeout=INSTALL_TIMEOUT_S)


def test_labgrid_drives_the_board(tmp_path):
    python = whole_folder(BUILD / f"labgrid-26-py3{sys.version_info.minor}", install) / "bin/python"
    where = {
        "LG_GATELODGE": Path(sys.executable).with_name("gatelodge"),
        "LG_GATELODGE_RUN": tmp_path / "run",
    }
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "LG_"))
    }
    environment.update({name: str(value) for name, value in where.items()})
    command = [python, "-m", "pytest", "-c", ROOT / "tests/labgrid/pytest.ini", "-q"]
    command += ["--lg-env", BOARDS / REFERENCE / "labgrid.yaml", ROOT / "tests/labgrid/factory_state.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=RUN_TIMEOUT_S
    )
    log = tmp_path / "run" / "run.out"
    said = done.stdout + done.stderr + (log.read_text(errors="replace")[-2000:] if log.exists() else "")
    assert done.returncode == 0, said
    assert f"{TESTS} passed" in done.stdout, said
