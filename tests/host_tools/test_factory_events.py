"""The events of a factory line, as `--json` prints them and others read them back."""

import dataclasses
import json

import pytest

from host_tools.factory import events

SPEED = events.Measurement("flash write speed", 850.5, "KB/s", 100, None, True)
ONE_OF_EACH = (
    events.PortSeen("left", "/dev/ttyUSB0", "FT232R", "0403:6001", "A50285BI", "1-1.4:1.0"),
    events.PortGone("left"),
    events.UnitStarted("left", ("identify", "lock")),
    events.UnitIdentified("left", "GL2647000001", "Gatelodge", "0.1.0", "52:54:00:12:34:57", "keyed", True),
    events.StepStarted("left", "flash", 1, 3, 300.0),
    events.StepProgress("left", "flash", 1000, 4000, "bytes", "1 of 4 KB"),
    events.StepEnded("left", "self-test", 1, events.PASS, "9 measured", "", 1.25, (SPEED,)),
    events.UnitEnded(
        "left", "GL2647000001", "G", events.NO_GO, "lock", events.TIMEOUT, "why", "what", 24, 3.5
    ),
    events.Totals(4, 1, 0, 2, 1, 12.5),
)


def test_there_is_one_of_each_kind_here():
    assert [type(event) for event in ONE_OF_EACH] == list(events.NAMES)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=events.NAMES.values())
def test_an_event_is_read_back_as_it_was(event):
    line = events.to_json(event, at=1795281371.25)
    assert "\n" not in line
    assert events.from_json(line) == (event, 1795281371.25)


def test_a_newer_field_is_passed_over_and_another_version_is_refused():
    fields = json.loads(events.to_json(events.PortGone("left"), at=1))
    assert events.from_json(json.dumps({**fields, "colour": "blue"}))[0] == events.PortGone("left")
    with pytest.raises(ValueError, match="version 2"):
        events.from_json(json.dumps({**fields, "version": 2}))


@pytest.mark.parametrize("line", ["", "{}", "[]", "5", '{"event": "x", "version": 1, "at": 1}', "null"])
def test_what_is_no_event_is_refused(line):
    with pytest.raises(ValueError):
        events.from_json(line)


def test_no_event_has_a_field_for_a_secret():
    names = {field.name for kind in events.NAMES for field in dataclasses.fields(kind)}
    assert not {name for name in names if "code" in name} - {"exit_code"}
