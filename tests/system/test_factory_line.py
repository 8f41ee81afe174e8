"""Four emulated routers at one bench, flashed and provisioned; two are faulty, NO-GO and not recorded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from host_tools import exit_codes
from host_tools.factory import events, steps
from host_tools.factory.authority import FactoryAuthority
from host_tools.factory.records import Records
from host_tools.factory.unit import lock_proof
from host_tools.release.places import BOARDS, ROOT
from host_tools.serial_port import BenchLine
from tests.host_tools.host_board_rig import NEWER, newer_bundle
from tests.system.qemu_bench import QemuBench
from tests.system.rig import REFERENCE

DEADLINE_S = 600
PATIENCE_S = 200  # for four routers to boot at the same time, on a busy computer
STAYS_OPEN, NO_LINK = 1, 2
# What is wrong with a router, done to its daemon over its own raw REPL.
FAULTS = {
    STAYS_OPEN: "kind = type(bench); kind.is_locked = False; kind.closing = None",
    NO_LINK: "import os; os.system('ip link set eth0 down; ip link set eth1 down')",
}

STATION = """
name = "bench 1"
[factory]
directory = "factory"
[router]
board = "{board}"
bundle = "{bundle}"
[cloud]
address = "10.0.2.2:8445"
ca = "factory/factory-ca.pem"
[label]
directory = "labels"
{ports}
"""


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """(what the station told, its exit status, its directory, the routers)."""
    directory = tmp_path_factory.mktemp("line")
    FactoryAuthority.create(directory / "factory")
    _, bundle = newer_bundle(directory)
    with QemuBench(directory, count=4) as bench:
        flash(bench.ports[STAYS_OPEN], bundle)  # its fault is in the daemon's memory, and ends with a restart
        for number, fault in FAULTS.items():
            with BenchLine(bench.ports[number]) as router:
                assert not router.is_locked(PATIENCE_S)
                router.execute(fault)
        ports = "\n".join(f'[[port]]\npath = "{port}"\nname = "{at}"' for at, port in enumerate(bench.ports))
        station = directory / "bench.toml"
        board = BOARDS / REFERENCE / "board.json"
        station.write_text(STATION.format(board=board, bundle=bundle, ports=ports))
        done = run(station)
        yield [events.from_json(text)[0] for text in done.stdout.splitlines()], done, directory, bench


def flash(port, bundle):
    with BenchLine(port) as router:
        assert not router.is_locked(PATIENCE_S)
    done = command("flash", "--port", port, str(bundle))
    assert done.returncode == exit_codes.OK, done.stdout + done.stderr


def run(station):
    return command("provision", "--station", str(station), "--json")


def command(*arguments):
    command = [sys.executable, "-m", "host_tools.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S)


def ended(told):
    return {one.port: one for one in told if isinstance(one, events.UnitEnded)}


def test_the_good_ones_are_go_and_the_faulty_ones_no_go_each_for_its_own_reason(line):
    told, done, _, _ = line
    units = ended(told)
    found = {port: (unit.verdict, unit.step) for port, unit in units.items()}
    assert found == {
        "0": (events.GO, steps.PRINT),
        str(STAYS_OPEN): (events.NO_GO, steps.PROVE_LOCK),
        str(NO_LINK): (events.NO_GO, steps.SELF_TEST),
        "3": (events.GO, steps.PRINT),
    }, [unit.reason for unit in units.values()]
    assert "network links is 0" in units[str(NO_LINK)].reason
    assert units[str(STAYS_OPEN)].exit_code == exit_codes.LOCK_NOT_PROVEN
    assert done.returncode == exit_codes.PROVISIONING


def test_each_runs_the_bundle_and_the_one_that_had_it_got_nothing(line):
    told, _, _, _ = line
    passed = [one for one in told if isinstance(one, events.StepEnded) and one.outcome == events.PASS]
    flashed = {one.port: {m.name for m in one.measurements} for one in passed if one.step == steps.FLASH}
    assert set(flashed) == {"0", "1", "2", "3"}
    assert [port for port, names in flashed.items() if "bundle on the line" not in names] == [str(STAYS_OPEN)]
    read_back = {one.port for one in passed if one.step == steps.VERIFY and NEWER in one.detail}
    assert read_back == set(flashed)


def test_only_the_good_ones_are_in_the_ledger_and_have_a_label(line):
    told, _, directory, _ = line
    good = {unit.serial_number for unit in ended(told).values() if unit.verdict == events.GO}
    records = Records(FactoryAuthority.load(directory / "factory"))
    assert {entry.fields["serial_number"] for entry in records.ledger.entries(kind="unit")} == good
    assert {path.stem for path in (directory / "labels").iterdir()} == good
    assert len(records.ledger.entries(kind="run")) == 4


def test_the_reports_of_the_good_ones_have_every_way_in_refused_over_a_reboot_too(line):
    told, _, _, bench = line
    for port, unit in ended(told).items():
        report = json.loads(Path(unit.report).read_text(encoding="utf-8"))
        assert report["verdict"] == unit.verdict
        if unit.verdict == events.GO:
            measured = {one["name"]: one for step in report["steps"] for one in step["measurements"]}
            assert all(measured[way]["value"] == 1 for way in lock_proof.NAMES)
            assert "Requesting system reboot" in bench.log(int(port))


def test_a_second_run_leaves_the_good_ones_alone_and_the_bad_ones_bad(line):
    told, _, directory, _ = line
    again = ended([events.from_json(text)[0] for text in run(directory / "bench.toml").stdout.splitlines()])
    for port, unit in ended(told).items():
        assert again[port].verdict == unit.verdict
        assert again[port].was_finished == (unit.verdict == events.GO)
        assert again[port].serial_number == unit.serial_number
