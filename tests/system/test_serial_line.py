"""From a blank flash over the serial line to a locked router: what mpremote may do before, and after."""

import subprocess
import sys

import pytest

from tests.system.rig import House


@pytest.fixture(scope="module")
def blank(tmp_path_factory):
    with House(tmp_path_factory.mktemp("blank"), "--blank") as house:
        yield house


def succeed(house, *arguments):
    done = house.mpremote(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_mpremote_runs_code_on_a_blank_router(blank):
    assert succeed(blank, "exec", "import sys; print(sys.implementation[0])") == b"micropython\n"
    assert succeed(blank, "eval", "6 * 7") == b"42\n"
