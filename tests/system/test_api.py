"""The API of a real daemon on this computer: what it answers is what it describes, whatever it is asked."""

import re
import subprocess
import sys

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.system.program import Program
from tests.system.rig import House

SEED = "20261125"
EXAMPLES = "12"  # requests of each kind for each operation: some 600 in all
DEADLINE_S = 240
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection"
)
READING = ("status:read", "devices:read", "internet:read", "cloud:read", "history:read", "log:read")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The host board: the daemon under MicroPython, without an emulated machine."""
    with House(tmp_path_factory.mktemp("house"), board="host") as house:
        yield house


@pytest.fixture(scope="module")
def program(house):
    program = Program(house)
    program.set_up()
    return program


def test_the_daemon_serves_a_valid_description_of_its_own_version(program):
    status, described = program.read("/api/openapi.json")
    assert status == 200
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    assert described["info"]["version"] == program.read("/api/router")[1]["firmware"]


def ask_whatever(house, place, headers, *selection):
    """Have schemathesis make up requests from the description, right ones and wrong ones."""
    (place / "schemathesis.toml").write_text(
        "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 409, 413, 415, 422, 429]\n"
    )
    url = house.current["admin_url"] + "/api/openapi.json"
    command = [sys.executable, "-m", "schemathesis.cli", "run", url, "--tls-verify", house.current["ca_file"]]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    command += ["--seed", SEED, "--max-examples", EXAMPLES, "--phases", "coverage,fuzzing", "--no-color"]
    command += ["--checks", CHECKS, "--generation-database", "none", *selection]
    command += ["--generation-with-security-parameters", "false"]  # who asks is in the headers
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def operations(said):
    """How many were asked."""
    return int(re.search(r"Tested: (\d+)", said)[1])


def test_whatever_is_asked_with_a_token_the_answer_is_as_described(program, house, tmp_path):
    token = {"Authorization": "Bearer " + program.token(*READING)}
    said = ask_whatever(house, tmp_path, token)
    assert operations(said) >= 40, said
    assert program.read("/api/router", **token)[0] == 200


def test_whatever_is_asked_in_a_session_the_answer_is_as_described(program, house, tmp_path):
    session = {"Cookie": program.cookie_header, "X-CSRF-Token": program.read("/api/session")[1]["csrf_token"]}
    leaving = "/api/(sign-out|sign-in/.*|setup/.*|system/.*)"
    said = ask_whatever(house, tmp_path, session, "--exclude-path-regex", leaving)
    assert operations(said) >= 20, said
    assert program.is_in
