"""`gatelodge run`: what it leaves, what it finds again, and what it stops."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from host_tools import exit_codes
from host_tools.emulator import waiting
from host_tools.factory.label import of_board, write_label
from host_tools.factory.records import UnitRecord
from host_tools.release.places import ROOT
from tests.bench.owner import Owner, RefusedError
from tests.system.rig import REFERENCE, House, until

BOARDS = (REFERENCE, "host")


@pytest.fixture(params=BOARDS)
def board(request):
    return request.param


@pytest.fixture(scope="module", params=BOARDS)
def running(request, tmp_path_factory):
    with House(tmp_path_factory.mktemp("run"), board=request.param) as house:
        yield house


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that nobody has waited for yet has ended all the same.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def owner_of(house):
    return Owner(house.current, ssl.create_default_context(cafile=house.current["ca_file"]))


def test_the_next_run_finds_router_and_cloud_as_they_were_left(tmp_path, board):
    with House(tmp_path / "run", board=board) as house:
        first = house.current
        owner = owner_of(house)
        owner.set_up()
        owner.close_connections()
    with House(tmp_path / "run", board=board) as house:
        again = house.current
        same = ("serial_number", "service_code", "admin_url", "cloud_url")
        assert [again[name] for name in same] == [first[name] for name in same]
        with pytest.raises(RefusedError):  # it has an owner: the wizard is over
            owner_of(house).set_up()
        owner.sign_in()
    with House(tmp_path / "run", "--fresh", board=board) as house:
        assert house.current["service_code"] != first["service_code"]
        owner_of(house).set_up()


def test_ctrl_c_stops_what_was_started_and_nothing_else(tmp_path, board):
    bystander = subprocess.Popen(["sleep", "600"])
    with House(tmp_path / "run", board=board) as house:
        started = house.current["pids"].values()
        house.process.send_signal(signal.SIGINT)
        assert house.process.wait(30) == exit_codes.OK
        assert not any(map(is_running, started))
        assert not Path(house.current_file).exists()
    assert is_running(bystander.pid)
    bystander.kill()
    bystander.wait()


def test_a_run_that_is_killed_takes_its_parts_along(tmp_path, board):
    with House(tmp_path / "run", board=board) as house:
        started = house.current["pids"].values()
        house.process.kill()
        house.process.wait()
        until(lambda: not any(map(is_running, started)), "a part outlived the run that was killed")


def test_one_file_verifies_every_page(running):
    factory_ca = Path(running.current["factory_dir"]) / "factory-ca.pem"
    assert waiting.answers(running.current["admin_url"], Path(running.current["ca_file"]))
    for name in ("cloud_url", "portal_url", "help_url"):
        assert waiting.answers(running.current[name], Path(running.current["ca_file"])), name
    assert not waiting.answers(running.current["cloud_url"], factory_ca)


def test_the_label_is_the_boards_own(running, tmp_path):
    unit = UnitRecord(**json.loads((Path(running.directory) / "unit.json").read_text()))
    template = of_board(ROOT / "boards" / running.name / "board.json")
    assert template.address
    write_label(unit, tmp_path / "label.svg", template)
    assert (Path(running.directory) / "label.svg").read_bytes() == (tmp_path / "label.svg").read_bytes()


def test_a_taken_port_is_named_before_anything_is_made(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "host_tools.cli", "run", "--board", "host"]
        command += ["--run-dir", str(tmp_path / "run"), "--port-base", str(port)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == exit_codes.PORT_TAKEN
    assert f"port {port}/tcp, for the router's admin page, is taken by" in done.stderr
    assert not (tmp_path / "run" / "flash").exists()


def test_plain_http_leads_to_the_same_page_by_https(running):
    parts = urlsplit(running.current["http_url"])
    with socket.create_connection((parts.hostname, parts.port), 10) as line:
        line.sendall(b"GET /about?x=1 HTTP/1.1\r\nHost: %s\r\n\r\n" % parts.netloc.encode())
        answer = line.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 308 ")
    assert f"Location: {running.current['admin_url']}/about?x=1\r\n" in answer
