"""One router through the whole table: its report, its limits, bad routers, and a line that fails."""

import json
import threading

import pytest

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import events, steps
from host_tools.factory.limits import Limit
from host_tools.factory.unit import lock_proof
from tests.host_tools.bench_rig import BenchRig
from tests.host_tools.factory_rig import ROWS, Factory

SILENT = (steps.RECORD, steps.PRINT)  # the router has no part in them


@pytest.fixture
def bench(tmp_path):
    return Factory(tmp_path)


def test_a_good_router_is_go_and_its_report_has_every_figure_with_unit_and_limit(bench, tmp_path):
    with BenchRig(tmp_path) as rig:
        assert bench.run(rig).verdict == events.GO
    report = bench.report()
    assert (report["kind"], report["version"], report["verdict"]) == ("gatelodge unit report", 1, "GO")
    assert [step["step"] for step in report["steps"]] == [row.name for row in ROWS]
    measured = {one["name"]: one for step in report["steps"] for one in step["measurements"]}
    for name in ("flash write speed", "memory tried", "clock rate", "network links", "entropy longest run"):
        assert measured[name]["ok"]
        assert measured[name]["lowest"] is not None or measured[name]["highest"] is not None
    assert all(measured[way]["value"] == 1 for way in lock_proof.NAMES)
    assert len(bench.printed) == 1


def test_no_report_event_or_ledger_entry_has_the_service_code(bench, tmp_path):
    with BenchRig(tmp_path) as rig:
        bench.run(rig)
    code = bench.printed[0].service_code
    told = "".join(events.to_json(event, at=0) for event in bench.told)
    kept = "".join(json.dumps(entry.fields) for entry in bench.records.ledger.entries())
    assert code not in told + kept + json.dumps(bench.report())
    assert bench.records.pending(bench.ended.serial_number) is None


def test_a_finished_router_is_told_so_and_nothing_is_changed(bench, tmp_path):
    with BenchRig(tmp_path) as rig:
        bench.run(rig)
        before = files(bench.directory)
        verdict = bench.run(rig)
    assert (verdict.verdict, verdict.was_finished, verdict.exit_code) == (events.GO, True, exit_codes.OK)
    assert "was finished on" in verdict.reason
    assert files(bench.directory) == before


def files(directory):
    databases = ("ledger.db-wal", "ledger.db-shm")
    return {p: p.read_bytes() for p in directory.rglob("*") if p.is_file() and p.name not in databases}


@pytest.mark.parametrize(
    "fault, step, code, words",
    [
        ("stays-open", steps.PROVE_LOCK, exit_codes.LOCK_NOT_PROVEN, "raw REPL"),
        ("opens-at-boot", steps.PROVE_LOCK, exit_codes.LOCK_NOT_PROVEN, "raw REPL"),
        ("runs-lines", steps.PROVE_LOCK, exit_codes.LOCK_NOT_PROVEN, "statement"),
        ("no-link", steps.SELF_TEST, exit_codes.SELF_TEST, "network links is 0"),
        ("stuck-entropy", steps.SELF_TEST, exit_codes.SELF_TEST, "entropy longest run is 4096"),
        ("slow-clock", steps.SELF_TEST, exit_codes.SELF_TEST, "clock rate is 0."),
    ],
)
def test_a_bad_router_is_no_go_and_not_recorded(bench, tmp_path, fault, step, code, words):
    with BenchRig(tmp_path, fault) as rig:
        verdict = bench.run(rig)
    assert (verdict.verdict, verdict.step, verdict.outcome) == (events.NO_GO, step, events.FAIL)
    assert (verdict.exit_code, verdict.remedy != "") == (code, True)
    assert words in verdict.reason
    wrong = [one for one in bench.report()["steps"][-1]["measurements"] if not one["ok"]]
    assert wrong
    assert bench.records.ledger.entries(kind="unit") == []
    assert bench.printed == []
    assert bench.records.last_state(bench.ended.serial_number).name == "failed"


def test_a_station_narrows_a_limit_and_what_it_asks_for_and_nobody_measured_fails(bench, tmp_path):
    limits = {"flash free": Limit(lowest=10**9), "moon phase": Limit(highest=1)}
    with BenchRig(tmp_path) as rig:
        verdict = bench.run(rig, limits=limits)
        assert verdict.step == steps.SELF_TEST
        assert "flash free is 118320 KB, at least 1e+09 is right" in verdict.reason
        assert "moon phase is not measured" in verdict.reason
        assert bench.run(rig).verdict == events.GO  # a better flash, or a wiser station


def test_a_printer_that_fails_leaves_a_unit_that_only_wants_its_label(bench, tmp_path):
    def no_paper(unit):
        raise ToolError("the printer has no paper", "fill it", exit_codes.PRINTER)

    with BenchRig(tmp_path) as rig:
        verdict = bench.run(rig, print_label=no_paper)
        assert (verdict.step, verdict.exit_code) == (steps.PRINT, exit_codes.PRINTER)
        assert bench.run(rig).verdict == events.GO
    kept = {one.step for one in bench.told if isinstance(one, events.StepEnded) and one.is_kept}
    assert {steps.WRITE_IDENTITY, steps.SELF_TEST, steps.LOCK, steps.RECORD} <= kept
    assert len(bench.records.ledger.entries(kind="unit")) == 1
    assert len(bench.printed) == 1


def test_a_deadline_that_passes_is_a_timeout_and_the_row_names_the_exit_status(bench, tmp_path):
    rows = steps.plan([steps.FLASH, steps.VERIFY], {steps.SELF_TEST: steps.Change(1, 0.05)})
    with BenchRig(tmp_path) as rig:
        verdict = bench.run(rig, rows)
    assert (verdict.step, verdict.outcome) == (steps.SELF_TEST, events.TIMEOUT)
    assert verdict.exit_code == exit_codes.SELF_TEST


@pytest.mark.parametrize("step", [steps.IDENTIFY, steps.WRITE_IDENTITY, steps.PROVE_LOCK])
def test_an_operator_who_stops_the_line_is_recorded_and_the_unit_goes_on_later(bench, tmp_path, step):
    abort = threading.Event()

    def stop_at(event):
        if isinstance(event, events.StepStarted) and event.step == step:
            abort.set()

    with BenchRig(tmp_path) as rig:
        verdict = bench.run(rig, abort=abort, tell=stop_at)
        assert (verdict.step, verdict.outcome) == (step, events.ABORTED)
        assert verdict.exit_code == exit_codes.INTERRUPTED
        assert bench.records.ledger.entries(kind="run")[-1].fields["outcome"] == events.ABORTED
        assert bench.run(rig).verdict == events.GO


def test_a_router_that_loses_its_power_once_in_each_step_is_go_in_the_end(bench, tmp_path):
    with BenchRig(tmp_path) as rig:

        def cut(event):
            if isinstance(event, events.StepStarted) and event.attempt == 1 and event.step not in SILENT:
                rig.kill()

        assert bench.run(rig, tell=cut).verdict == events.GO
    assert len(bench.records.ledger.entries(kind="unit")) == 1


def test_a_port_without_a_router_is_an_error_with_a_report_of_its_own(bench, tmp_path):
    class NoRig:
        port = str(tmp_path / "nothing")

    rows = steps.plan(changes={steps.IDENTIFY: steps.Change(attempts=1, deadline_s=1)})
    verdict = bench.run(NoRig, rows)
    assert (verdict.step, verdict.outcome) == (steps.IDENTIFY, events.TIMEOUT)
    assert bench.report()["serial_number"] == ""
    assert bench.report()["port"] == "left"
