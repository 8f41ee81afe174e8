"""The pure core of a bench: every outcome of every step, and what an interrupted run has left."""

import itertools

import pytest
from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.factory import resume, steps
from host_tools.factory.engine import Result, Run, Verdict, exit_code_of
from host_tools.factory.events import ABORTED, ERROR, FAIL, GO, NO_GO, OUTCOMES, PASS, TIMEOUT

PASSED = Result(PASS, "fine")


def walk(run, outcomes=None):
    """Carry the run through. `outcomes`: {step: its attempts' outcomes}, PASS where none is left."""
    left = {name: list(found) for name, found in (outcomes or {}).items()}
    tried = []
    while (attempt := run.next()) is not None:
        name = attempt.row.name
        tried.append((name, attempt.number))
        outcome = left[name].pop(0) if left.get(name) else PASS
        run.take(attempt.kept or Result(outcome, "so it is", "do this"))
    return tried


def test_a_unit_is_go_when_every_step_has_passed_in_order():
    run = Run(steps.plan())
    assert walk(run) == [(name, 1) for name in steps.NAMES]
    assert run.verdict.verdict == GO
    assert run.verdict.exit_code == exit_codes.OK


@pytest.mark.parametrize("step", steps.NAMES)
@pytest.mark.parametrize("outcome", [outcome for outcome in OUTCOMES if outcome != PASS])
def test_a_step_that_never_passes_is_no_go_and_nothing_comes_after_it(step, outcome):
    run = Run(steps.plan())
    tried = walk(run, {step: [outcome] * 100})
    row = steps.STEPS[steps.NAMES.index(step)]
    attempts = row.attempts if outcome in (ERROR, TIMEOUT) else 1
    assert tried[-1] == (step, attempts)
    code = exit_codes.INTERRUPTED if outcome == ABORTED else row.exit_code
    assert run.verdict == Verdict(NO_GO, step, outcome, f"{step}: so it is", "do this", code)


@pytest.mark.parametrize("step", steps.NAMES)
@pytest.mark.parametrize("outcome", [ERROR, TIMEOUT])
def test_a_step_that_passes_in_its_last_attempt_is_go(step, outcome):
    run = Run(steps.plan())
    row = steps.STEPS[steps.NAMES.index(step)]
    tried = walk(run, {step: [outcome] * (row.attempts - 1)})
    assert [number for name, number in tried if name == step] == list(range(1, row.attempts + 1))
    assert run.verdict.verdict == GO


@pytest.mark.parametrize("step", steps.NAMES)
def test_a_router_that_is_not_right_is_not_asked_again(step):
    tried = walk(Run(steps.plan()), {step: [FAIL, PASS]})
    assert tried[-1] == (step, 1)


def test_no_order_of_outcomes_makes_go_of_a_step_without_a_pass():
    rows = steps.plan()[:2]
    for outcomes in itertools.product(OUTCOMES, repeat=2 * rows[0].attempts):
        run = Run(rows)
        half = rows[0].attempts
        left = {rows[0].name: outcomes[:half], rows[1].name: outcomes[half:]}
        walk(run, left)
        passed = all(PASS in found for found in left.values())
        assert run.verdict.verdict == NO_GO or passed


def test_a_failure_that_brings_its_own_exit_status_keeps_it():
    run = Run(steps.plan())
    run.take(Result(FAIL, "locked", exit_code=exit_codes.REFUSED_BY_BOARD))
    assert run.verdict.exit_code == exit_codes.REFUSED_BY_BOARD


def test_kept_steps_are_offered_with_their_result_and_not_done_again():
    run = Run(steps.plan())
    run.take(PASSED)
    run.keep({steps.MAKE_KEY: PASSED, steps.SELF_TEST: PASSED})
    kept = []
    while (attempt := run.next()) is not None:
        kept += [attempt.row.name] if attempt.kept else []
        assert attempt.kept is None or attempt.kept.is_kept
        run.take(attempt.kept or PASSED)
    assert kept == [steps.MAKE_KEY, steps.SELF_TEST]


def test_a_step_that_undoes_a_kept_one_has_it_done_again():
    run = Run(steps.plan())
    run.take(PASSED)
    run.keep({steps.SELF_TEST: PASSED})
    run.take(Result(PASS, undoes=(steps.SELF_TEST,)))
    while (attempt := run.next()) is not None:
        assert attempt.kept is None
        run.take(PASSED)


def test_only_a_pass_is_kept():
    with pytest.raises(ValueError, match="only a PASS"):
        Run(steps.plan()).keep({steps.LOCK: Result(FAIL)})


def test_a_finished_unit_ends_at_once_and_is_go():
    run = Run(steps.plan())
    run.take(Result(PASS, "it was finished before", is_finished=True))
    assert run.next() is None
    assert (run.verdict.verdict, run.verdict.was_finished) == (GO, True)


def test_nothing_is_taken_after_the_verdict_and_no_other_word_for_an_outcome():
    run = Run(steps.plan())
    with pytest.raises(ValueError, match="no outcome"):
        run.take(Result("GOOD"))
    run.take(Result(ABORTED))
    with pytest.raises(ValueError, match="verdict"):
        run.take(PASSED)
    assert run.verdict.exit_code == exit_codes.INTERRUPTED


def test_a_station_changes_numbers_and_leaves_steps_out():
    rows = steps.plan(
        [steps.PRINT], {steps.FLASH: steps.Change(attempts=7), steps.LOCK: steps.Change(None, 5)}
    )
    by_name = {row.name: row for row in rows}
    assert steps.PRINT not in by_name
    assert (by_name[steps.FLASH].attempts, by_name[steps.LOCK].deadline_s) == (7, 5)
    for wrong in ({"without": ["paint"]}, {"changes": {"paint": steps.Change()}}):
        with pytest.raises(KeyError):
            steps.plan(**wrong)


def verdict(kind, code):
    return Verdict(kind, "", "", "", exit_code=code)


@pytest.mark.parametrize(
    "codes, expected",
    [
        ([], exit_codes.OK),
        ([0, 0], exit_codes.OK),
        ([0, 27], exit_codes.SELF_TEST),
        ([27, 27, 0], exit_codes.SELF_TEST),
        ([27, 24], exit_codes.PROVISIONING),
        ([27, 130], exit_codes.INTERRUPTED),
    ],
)
def test_the_exit_status_of_several_units_names_what_they_share(codes, expected):
    assert exit_code_of([verdict(NO_GO if code else GO, code) for code in codes]) == expected


# --- what holds after an interruption ---

IDENTITY = {steps.MAKE_KEY, steps.SIGN, steps.WRITE_IDENTITY}
ALL = set(steps.NAMES)


@pytest.mark.parametrize(
    "state, passed, pending, same, recorded, held",
    [
        (provisioning.BLANK, ALL, True, True, True, set()),
        (provisioning.KEYED, ALL, True, True, True, set()),
        (provisioning.IDENTIFIED, ALL, True, True, False, IDENTITY),
        (provisioning.IDENTIFIED, set(), True, True, False, IDENTITY),
        (provisioning.IDENTIFIED, ALL, True, False, False, set()),
        (provisioning.IDENTIFIED, ALL, False, True, False, set()),
        (provisioning.TESTED, ALL, True, True, False, {*IDENTITY, steps.SELF_TEST}),
        (provisioning.TESTED, ALL, True, False, False, set()),
        (provisioning.TESTED, IDENTITY, True, True, False, IDENTITY),
        (provisioning.LOCKED, set(), True, False, False, {*IDENTITY, steps.SELF_TEST, steps.LOCK}),
        (provisioning.LOCKED, ALL, True, True, True, {*IDENTITY, steps.SELF_TEST, steps.LOCK, steps.RECORD}),
        (provisioning.LOCKED, ALL, False, True, True, set()),
    ],
)
def test_a_step_is_kept_when_router_and_bench_both_show_it(state, passed, pending, same, recorded, held):
    assert set(resume.held_steps(state, passed, pending, same, recorded)) == held


def test_the_lock_is_proved_again_whatever_was_left():
    for state, passed in itertools.product(provisioning.STATES, (set(), ALL)):
        for flags in itertools.product((False, True), repeat=3):
            assert steps.PROVE_LOCK not in resume.held_steps(state, passed, *flags)


def test_every_state_of_a_router_has_its_row():
    assert set(resume.HELD) == set(provisioning.STATES)
