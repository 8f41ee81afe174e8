"""A short turn of the fuzzer, always the same one; `make test-long` takes longer ones."""

import pytest
from gatelodge.core import signin
from gatelodge.web import wire

from tests.fuzz import __main__ as command
from tests.fuzz import runs

SEED = 20
COUNTS = {"heads": 3000, "journals": 800, "signins": 4000, "sockets": 6000}


@pytest.mark.parametrize("name", sorted(runs.TARGETS))
def test_no_mutated_input_brings_out_what_must_not_come_out(name):
    runs.run_many(name, SEED, COUNTS[name])


def test_the_fuzzer_finds_an_address_that_is_read_in_two_ways(monkeypatch):
    monkeypatch.setattr(wire, "_is_visible", lambda data: True)
    with pytest.raises(runs.Found):
        runs.run_many("heads", SEED, COUNTS["heads"])


def test_the_fuzzer_finds_a_way_around_the_second_factor(monkeypatch):
    monkeypatch.setitem(signin.TRANSITIONS, (signin.CODE, signin.CLOCK_UNSET), signin.SIGNED_IN)
    with pytest.raises(runs.Found):
        runs.run_many("signins", SEED, COUNTS["signins"])


def test_what_the_fuzzer_found_is_made_again_from_its_seed(monkeypatch, capsys):
    monkeypatch.setitem(signin.TRANSITIONS, (signin.CODE, signin.CLOCK_UNSET), signin.SIGNED_IN)
    assert command.main(["--only", "signins", "--seed", "1", "--seconds", "10"]) == 1
    told = capsys.readouterr().out
    again = told.strip().splitlines()[-1].split("python -m tests.fuzz ")[1].split()
    assert command.main([*again, "--seconds", "0"]) == 1
    assert capsys.readouterr().out == told
