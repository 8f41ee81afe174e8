"""What a bench must not believe: copies, exchanged routers, a lock that opened, firmware without figures."""

import os
import shutil
import threading

import pytest
from gatelodge.console import self_test as router_self_test

from host_tools import exit_codes
from host_tools.factory import events, limits, steps
from host_tools.factory.limits import Limit
from host_tools.factory.unit import self_test
from host_tools.factory.unit.drive import drive
from tests.host_tools.bench_rig import BenchRig
from tests.host_tools.factory_rig import ROWS, Factory


@pytest.fixture
def bench(tmp_path):
    return Factory(tmp_path)


def test_two_routers_with_one_key_are_found_out_at_once_and_later(bench, tmp_path):
    abort = threading.Event()

    def stop(event):
        if isinstance(event, events.StepStarted) and event.step == steps.SELF_TEST:
            abort.set()

    (tmp_path / "copy").mkdir()
    with BenchRig(tmp_path) as rig:
        bench.run(rig, abort=abort, tell=stop)
        shutil.copytree(rig.state, tmp_path / "copy" / "state")
        with BenchRig(tmp_path / "copy") as copy:
            beside = []

            def run_copy(event):
                if isinstance(event, events.StepStarted) and event.step == steps.SELF_TEST:
                    beside.append(drive("right", copy.port, bench.means(), ROWS))

            assert bench.run(rig, tell=run_copy).verdict == events.GO
            after = bench.run(copy)
    assert "two routers have one key" in beside[0].reason
    assert "finished in the ledger, and this router is open" in after.reason
    assert {beside[0].exit_code, after.exit_code} == {exit_codes.REFUSED_BY_BOARD}
    assert len(bench.records.ledger.entries(kind="unit")) == 1
    assert list((bench.directory / "at_work").iterdir()) == []


def test_a_router_that_was_exchanged_in_the_middle_is_not_tested_in_the_others_place(bench, tmp_path):
    (tmp_path / "other").mkdir()
    with BenchRig(tmp_path) as rig, BenchRig(tmp_path / "other") as other:

        def exchange(event):
            if isinstance(event, events.StepStarted) and event.step == steps.SELF_TEST and event.attempt == 1:
                rig.damage = lambda to_router, data: b""
                os.unlink(rig.port)
                os.symlink(os.readlink(other.port), rig.port)

        verdict = bench.run(rig, tell=exchange)
        assert (verdict.step, verdict.outcome) == (steps.SELF_TEST, events.FAIL)
        assert "the router at this port is blank now, not GL" in verdict.reason


def test_a_finished_router_that_does_not_hold_its_lock_is_no_go(bench, tmp_path):
    with BenchRig(tmp_path) as rig:
        assert bench.run(rig).verdict == events.GO
    (tmp_path / "again").mkdir()
    shutil.copytree(tmp_path / "state", tmp_path / "again" / "state")
    with BenchRig(tmp_path / "again", "runs-lines") as rig:
        verdict = bench.run(rig)
    assert (verdict.verdict, verdict.exit_code) == (events.NO_GO, exit_codes.LOCK_NOT_PROVEN)
    assert "lets in: statement" in verdict.reason


def test_a_ledger_that_fails_is_the_verdict_and_the_unit_goes_on_later(bench, tmp_path):
    with BenchRig(tmp_path) as rig:
        path = bench.records.ledger.path

        def damage(event):
            if isinstance(event, events.StepStarted) and event.step == steps.RECORD and event.attempt == 1:
                path.rename(tmp_path / "kept.db")
                path.mkdir()

        verdict = bench.run(rig, tell=damage)
        assert (verdict.step, verdict.exit_code) == (steps.RECORD, exit_codes.LEDGER)
        assert bench.printed == []
        path.rmdir()
        (tmp_path / "kept.db").rename(path)
        assert bench.run(rig).verdict == events.GO
    assert len(bench.printed) == 1


def test_the_bench_asks_for_every_figure_that_a_router_has():
    assert [row[0] for _, rows in router_self_test.CHECKS for row in rows] == list(self_test.FIGURES)


def test_a_firmware_that_measures_nothing_has_not_passed():
    found = limits.missing([], self_test.FIGURES, {})
    assert len(found) == len(self_test.FIGURES)
    assert not any(one.ok for one in found)


def test_figures_of_an_earlier_run_are_held_to_the_limits_of_now():
    free = limits.judge("flash free", 2000, "KB", Limit(1024), {})
    assert limits.still_hold([free], {})
    assert not limits.still_hold([free], {"flash free": Limit(4000)})
    assert not limits.still_hold([free], {"moon phase": Limit(4000)})
    assert not limits.judge("flash free", float("nan"), "KB", Limit(), {}).ok


@pytest.mark.parametrize("found, uncertain", [(1.0, 0.01), (0.8, 0.01)])
def test_the_rate_of_a_clock_is_as_uncertain_as_the_answers_were_slow(found, uncertain):
    first = self_test.Look(10.0, 10.01, 5_000)
    last = self_test.Look(12.0, 12.01, 5_000 + int(2000 * found))
    rate, uncertainty = self_test.rate(first, last)
    assert abs(rate - found) < uncertain
    assert 0.004 < uncertainty < uncertain
    wrapped = self_test.Look(12.0, 12.01, int(2000 * found) - 5_000)
    low = self_test.Look(10.0, 10.01, self_test.TICKS_PERIOD - 5_000)
    assert abs(self_test.rate(low, wrapped)[0] - found) < uncertain
