import io
import json
import os
import shutil
import subprocess

import pytest

from host_tools import debian_packages, exit_codes
from host_tools.errors import ToolError
from host_tools.progress import Progress
from host_tools.release import places


@pytest.fixture
def bare_computer(monkeypatch, tmp_path):
    """A computer without any of the programs; what would be run is written down."""
    ran = []

    def run(command, **options):
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(shutil, "which", lambda program: "/usr/bin/apt-get" if program == "apt-get" else None)
    monkeypatch.setattr(subprocess, "run", run)
    return ran


def test_running_needs_no_browser_and_testing_does(bare_computer):
    assert "chromium" not in debian_packages.missing("run")
    assert "chromium" in debian_packages.missing("test")
    assert "qemu-system-arm" in debian_packages.missing("run")


def test_a_program_that_is_there_is_not_installed(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: "/opt/" + program)
    assert debian_packages.missing("test") == []


def test_root_installs_at_once(bare_computer, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    debian_packages.install(["mmdebstrap"])
    assert [command[:2] for command in bare_computer] == [["apt-get", "install"]]
    assert bare_computer[0][-1] == "mmdebstrap"


def test_neither_root_nor_sudo_is_one_sentence_and_its_own_exit_status(bare_computer, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert debian_packages.main("run") == exit_codes.NO_ROOT
    assert "needs root, and there is no sudo: run `apt-get install" in capsys.readouterr().err
    assert bare_computer == []


def test_without_apt_the_packages_are_named(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(ToolError) as caught:
        debian_packages.install(["mmdebstrap"])
    assert caught.value.exit_code == exit_codes.MISSING_TOOL
    assert "mmdebstrap" in str(caught.value)


def test_make_help_lists_every_target_that_people_call():
    makefile = (places.ROOT / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:")).split()[1:]
    hidden = {"packages", "packages-test", "packages-bench", "micropython"}
    command = ["make", "help"]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert [target for target in phony if target not in hidden and f"make {target} " not in done.stdout] == []


def test_ci_runs_make_test_and_nothing_weaker():
    script = (places.ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert script.splitlines()[-1] == "exec make test"


def test_a_job_tells_a_person_its_outcome_and_its_detail():
    out = io.StringIO()
    with Progress(out=out).job("cloud") as job:
        job.detail = "https://localhost:8444"
    line = out.getvalue()
    assert "✓ cloud" in line and line.endswith("https://localhost:8444\n")
    assert "\x1b" not in line  # colours only in a terminal


def test_a_job_that_fails_says_so_and_passes_the_error_on():
    out = io.StringIO()
    with pytest.raises(ToolError), Progress(out=out).job("cloud"):
        raise ToolError("the cloud did not answer")
    assert "✗ cloud" in out.getvalue()


def test_a_machine_gets_one_object_a_line_and_no_prose():
    out = io.StringIO()
    progress = Progress(as_json=True, out=out)
    progress.say("Ready.")
    with progress.job("cloud"):
        pass
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(event["event"], event["job"]) for event in events] == [("done", "cloud")]
