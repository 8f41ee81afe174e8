"""A short turn of the fuzzer, always the same one; `make test-long` takes longer ones."""

import itertools
import struct
import zlib

import pytest
from gatelodge import store
from gatelodge.core import signin
from gatelodge.web import wire

from tests.fuzz import __main__ as command
from tests.fuzz import runs, signins, ways

SEED = 20
COUNTS = {"heads": 3000, "journals": 800, "signins": 4000, "sockets": 6000}
STATES = (signin.PASSWORD, signin.CODE, signin.SIGNED_IN)

# What could go wrong with the store's reader, one fault each: (where, name, what stands there instead).
BROKEN_READERS = (
    (store, "MAX_RECORD_BYTES", 8),
    (store, "MAGIC", b"GLJRNL2\n"),
    (store, "_crc", lambda _length, payload: zlib.crc32(payload)),
    (store, "_payload", lambda file, header: file.read(struct.unpack("<I", header[:4])[0])),
    (store.Store, "_apply", lambda self, payload: self._texts.update(store.json.loads(payload)[0])),
    (store.Store, "_compact", lambda self: setattr(self, "_file", self._files.append(self._path))),
)


@pytest.mark.parametrize("name", sorted(runs.TARGETS))
def test_every_kept_sample_is_read_as_it_must_be(name):
    runs.replay(name)


@pytest.mark.parametrize(("where", "name", "broken"), BROKEN_READERS, ids=[row[1] for row in BROKEN_READERS])
def test_the_kept_journals_find_a_reader_that_is_broken(monkeypatch, where, name, broken):
    monkeypatch.setattr(where, name, broken)
    with pytest.raises(runs.Found):
        runs.replay("journals")


@pytest.mark.parametrize("state", STATES)
def test_the_kept_sign_ins_find_every_row_of_the_table_that_is_another(monkeypatch, state):
    for event, leads_to in itertools.product(signins.LETTERS, STATES):
        with monkeypatch.context() as changed:
            if signin.TRANSITIONS.get((state, event)) == leads_to:
                changed.delitem(signin.TRANSITIONS, (state, event))
            else:
                changed.setitem(signin.TRANSITIONS, (state, event), leads_to)
            with pytest.raises(runs.Found):
                runs.replay("signins")


def test_what_goes_a_new_way_is_kept_as_short_as_it_can_be(monkeypatch, tmp_path):
    known, long = b"password wrong", b"password wrong\npassword right\nno such event\nbutton pressed\n\n"
    monkeypatch.setattr(signins, "SAMPLES", [known])
    keeper = runs.Keeper(tmp_path)
    keeper.see("signins", known)
    assert keeper.kept == []
    keeper.see("signins", long)
    kept = keeper.kept[0].read_bytes()
    assert len(kept) < len(long) and ways.gone(signins, long) <= ways.gone(signins, known + b"\n" + kept)
    keeper.see("signins", kept)
    assert len(keeper.kept) == 1


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
