"""`gatelodge bench` with eight boards on terminals, two of them bad, as an operator sees it in Chromium."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect, sync_playwright

from host_tools import exit_codes
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.ledger import LEDGER_FILE, Ledger
from host_tools.factory.verb_bench import names
from tests.host_tools.bench_rig import ROOT, BenchRig

WAIT_MS = 240_000  # eight boards under MicroPython, a browser and whatever else this computer does
FAULTS = {"board 3": "no-link", "board 6": "stays-open"}
BOARDS = [f"board {number}" for number in range(1, 9)]
LAST = BOARDS[-1]  # is connected while the bench runs
STATION = """\
name = "bench of the test"
at_once = 8

[factory]
directory = "factory"

[router]
board = "{root}/boards/host/board.json"

[cloud]
address = "cloud.example:8445"
ca = "factory/factory-ca.pem"

[label]
directory = "labels"
format = "pdf"
"""
PORT = """
[[port]]
path = "{path}"
name = "{name}"
"""


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bench")
    FactoryAuthority.create(directory / "factory")
    return directory


@pytest.fixture(scope="module")
def boards(directory):
    """The eight, switched on; their ports lie where the station's file has them."""
    with contextlib.ExitStack() as stack:
        rigs = {}
        for name in BOARDS:
            place = directory / name.replace(" ", "-")
            place.mkdir()
            rigs[name] = stack.enter_context(BenchRig(place, FAULTS.get(name, "")))
        ports = [PORT.format(path=directory / name, name=name) for name in BOARDS]
        (directory / "bench.toml").write_text(STATION.format(root=ROOT) + "".join(ports))
        yield rigs


def connect(directory, boards, name):
    os.symlink(os.path.realpath(boards[name].port), directory / name)


@pytest.fixture(scope="module")
def bench(directory, boards):
    """The address of a running bench that sees seven of them, and its process."""
    for name in BOARDS[:-1]:
        connect(directory, boards, name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    where = ["--station", str(directory / "bench.toml"), "--listen", f"127.0.0.1:{port}", "--json"]
    with (directory / "events").open("wb") as events:
        process = subprocess.Popen(
            [sys.executable, "-m", "host_tools.cli", "bench", *where],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/firmware"},
            stdin=subprocess.DEVNULL,
            stdout=events,
            stderr=subprocess.PIPE,
        )
    dead_line = threading.Timer(60, process.kill)
    dead_line.start()
    said = process.stderr.readline()  # where it is: it serves now
    dead_line.cancel()
    assert b"http://" in said, said + process.stderr.read()
    yield f"http://127.0.0.1:{port}", process
    process.kill()
    process.wait()
    process.stderr.close()


@pytest.fixture(scope="module")
def tab(bench):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        tab.set_default_timeout(WAIT_MS)
        tab.goto(bench[0])
        yield tab
        browser.close()


def tile(tab, name):
    return tab.locator(".tile").filter(has=tab.get_by_role("heading", name=name, exact=True))


def word(tab, name):
    return tile(tab, name).locator(".word")


def test_six_boards_are_go_and_the_two_bad_ones_are_no_go(tab, directory, boards):
    for name in BOARDS[:-1]:
        expect(word(tab, name)).to_have_text("Ready", timeout=WAIT_MS)
    expect(tile(tab, LAST)).to_have_count(0)
    tab.get_by_role("button", name="Start all").click()
    connect(directory, boards, LAST)
    for name in BOARDS:
        expect(word(tab, name)).to_have_text("NO-GO" if name in FAULTS else "GO", timeout=WAIT_MS)
    expect(tile(tab, "board 3").locator(".detail")).to_contain_text("Network links is 0")
    expect(tile(tab, "board 6").locator(".step")).to_contain_text("prove the lock")
    expect(tile(tab, "board 6").locator(".next")).to_have_text("Do not ship it, set it aside.")
    expect(tab.locator("#yield")).to_have_text("75 %")


def test_what_the_page_calls_go_is_in_the_ledger_with_its_label_and_nothing_else_is(tab, directory):
    shown = {name: tile(tab, name).locator(".unit").inner_text() for name in BOARDS}
    good = {shown[name].split(" · ")[1] for name in BOARDS if name not in FAULTS}
    entries = Ledger(directory / "factory" / LEDGER_FILE).entries(kind="unit")
    assert {entry.fields["serial_number"] for entry in entries} == good
    assert {path.stem for path in (directory / "labels").iterdir()} == good


def test_no_service_code_reaches_the_page_or_the_events(tab, directory):
    events = (directory / "events").read_text()
    told = events + tab.content()
    for path in (directory / "labels").iterdir():
        text = subprocess.run(["pdftotext", path, "-"], capture_output=True, timeout=60).stdout.decode()
        (code,) = [line for line in text.splitlines() if line.count("-") == 4]
        assert code not in told and code.replace("-", "") not in told
    assert {json.loads(line).get("port") for line in events.splitlines()} == {*BOARDS, None}


def test_a_board_taken_off_leaves_its_verdict(tab, directory):
    (directory / "board 1").unlink()
    expect(tab.get_by_role("button", name="board 1", exact=False)).to_be_disabled(timeout=WAIT_MS)
    expect(word(tab, "board 1")).to_have_text("GO")


def test_a_board_that_is_connected_again_is_begun_with_and_told_finished(tab, directory, boards):
    connect(directory, boards, "board 1")
    expect(tile(tab, "board 1").locator(".detail")).to_contain_text("was finished", timeout=WAIT_MS)
    expect(word(tab, "board 1")).to_have_text("GO")


def test_a_press_stops_a_board_in_the_middle(tab, boards):
    boards["board 3"].damage = lambda to_router, data: b""  # a silent line: it would take a minute
    tab.get_by_role("button", name="Try again board 3").click()
    expect(word(tab, "board 3")).to_have_text("Working", timeout=WAIT_MS)
    tab.get_by_role("button", name="Stop board 3").click()
    expect(word(tab, "board 3")).to_have_text("Stopped", timeout=WAIT_MS)
    expect(word(tab, "board 2")).to_have_text("GO")


def test_ctrl_c_ends_what_is_worked_on_and_tells_it(tab, bench, directory):
    tab.get_by_role("button", name="Go on board 3").click()  # whose line is silent
    expect(word(tab, "board 3")).to_have_text("Working", timeout=WAIT_MS)
    bench[1].send_signal(signal.SIGINT)
    assert bench[1].wait(WAIT_MS / 1000) == exit_codes.OK
    told = [json.loads(line) for line in (directory / "events").read_text().splitlines()]
    ended = [event for event in told if event["event"] == "unit_ended" and event["port"] == "board 3"]
    assert ended[-1]["outcome"] == "ABORTED"
    expect(tab.locator("#lost")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.parametrize(
    "address, others, wanted",
    [
        ("127.0.0.1", [], {"127.0.0.1:8090", "localhost:8090", "[::1]:8090"}),
        ("192.0.2.7", ["Bench.lan"], {"192.0.2.7:8090", "bench.lan:8090"}),
        ("0.0.0.0", ["bench.lan"], {"bench.lan:8090"}),
    ],
)
def test_a_bench_has_the_names_that_it_was_given(address, others, wanted):
    assert names(address, 8090, others) == wanted


def test_at_the_usual_port_a_browser_leaves_it_out():
    assert names("192.0.2.7", 80, []) == {"192.0.2.7:80", "192.0.2.7"}


def finished(*arguments):
    """`gatelodge bench` with these, which ends by itself."""
    command = [sys.executable, "-m", "host_tools.cli", "bench", *arguments]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/firmware"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=120)
    return done.returncode, done.stderr.decode()


def test_a_bench_on_every_address_is_told_its_name(directory, boards):
    status, said = finished("--station", directory / "bench.toml", "--listen", "0.0.0.0:8090")
    assert status == exit_codes.USAGE and "add --host NAME" in said


def test_a_network_port_that_is_taken_is_named(directory, boards):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = finished("--station", directory / "bench.toml", "--listen", place)
    assert status == exit_codes.PORT_TAKEN and place in said


def test_an_address_that_nobody_knows_is_named(directory, boards):
    status, said = finished("--station", directory / "bench.toml", "--listen", "nobody.invalid:8090")
    assert status == exit_codes.USAGE and "nobody knows the address 'nobody.invalid'" in said


def test_a_bench_without_a_place_for_labels_does_not_begin(directory):
    text = STATION.format(root=ROOT).partition("[label]")[0] + PORT.format(path="/dev/none", name="x")
    (directory / "no-labels.toml").write_text(text)
    status, said = finished("--station", directory / "no-labels.toml")
    assert status == exit_codes.USAGE and "--label-dir or --printer" in said
