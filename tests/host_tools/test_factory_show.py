"""What an operator sees of a line: live in a terminal, plain in a pipe, JSON for a machine; and Ctrl-C."""

import dataclasses
import io
import os
import signal
import subprocess
import sys

import pytest

from host_tools import exit_codes
from host_tools.factory import cells, events, line_show, steps
from tests.host_tools.bench_rig import ROOT, BenchRig
from tests.host_tools.factory_rig import Factory, rigs

DEADLINE_S = 120
LEFT = "left"
UNIT = ("GL2647000001", "Gatelodge")
TOLD = (
    events.PortSeen(LEFT, "/dev/ttyUSB0", "FT232R"),
    events.PortSeen("right", "/dev/ttyUSB1"),
    events.UnitStarted(LEFT, ("identify", "flash", "lock")),
    events.Totals(2, 1, 1, 0, 0, 0.1),
    events.StepStarted(LEFT, "identify", 1, 3, 60),
    events.UnitIdentified(LEFT, *UNIT, "0.1.0", "", "blank", False),
    events.StepEnded(
        LEFT, "identify", 1, events.ERROR, "no answer", "look at the cable", 0.5, will_retry=True
    ),
    events.StepStarted(LEFT, "flash", 2, 3, 900),
    events.StepProgress(LEFT, "flash", 300, 1000, "bytes", "0 of 1 KB"),
)
ENDED = events.UnitEnded(
    LEFT, *UNIT, events.NO_GO, "lock", events.FAIL, "lock: open", "set it aside", 24, 9.5
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    return Terminal()


def screen(terminal):
    """What the terminal shows: lines are drawn over by a cursor that goes up and an erased rest."""
    lines = []
    for piece in terminal.getvalue().replace("\x1b[J", "").split("\x1b["):
        count, marker, rest = piece.partition("F")
        if marker and count.isdecimal():
            del lines[len(lines) - int(count) :]
            piece = rest
        lines += piece.splitlines()
    return lines


def show(terminal, *told):
    live = line_show.show_for(False, terminal)
    live.coloured = False
    with live:
        for event in told:
            live.tell(event)
    return screen(terminal)


def test_a_terminal_has_one_line_for_each_port_and_a_total(terminal):
    lines = show(terminal, *TOLD)
    assert len(lines) == 3
    assert lines[0].split()[:3] == ["·", "left", "2/3"]
    assert "GL2647000001  flash  30%  0 of 1 KB" in lines[0]
    assert lines[1].split() == ["·", "right", "waits"]
    assert lines[2].strip() == "0 GO, 0 NO-GO, 1 at work, 1 waiting, 0:00 min"


def test_an_ended_unit_has_its_verdict_and_why_and_no_line_is_wider_than_the_terminal(terminal):
    lines = show(terminal, *TOLD, ENDED)
    assert lines[0].split()[:6] == ["✗", "left", "NO-GO", "9.5", "s", "GL2647000001"]
    assert "lock: open" in lines[0]
    assert max(map(len, lines)) <= 80


def test_in_the_end_each_no_go_says_all_of_why_and_what_to_do(terminal):
    reason = "self-test: " + "network links is 0, at least 1 is right " * 2
    lines = show(terminal, *TOLD, dataclasses.replace(ENDED, reason=reason))
    assert reason not in lines[0]
    assert lines[-1] == f"  left: NO-GO GL2647000001 in 9.5 s: {reason}: set it aside"
    passed = dataclasses.replace(ENDED, verdict=events.GO, remedy="")
    assert len(show(Terminal(), *TOLD, passed)) == 3


def test_wide_letters_and_marks_keep_a_line_within_the_terminal():
    assert cells.column("工場ポート左", 7) == "ート左 "
    assert cells.width(cells.cut("工場" * 50, 75)) == 74
    assert cells.cut("Lo\u0301dz", 3) == "Lo\u0301d"


def test_a_port_with_a_wide_name_does_not_wrap(terminal):
    wide = dataclasses.replace(ENDED, port="左の工場" * 4, reason="故障" * 40)
    lines = show(terminal, wide)
    assert cells.width(lines[0]) <= 80


def test_what_is_said_stands_above_the_live_lines(terminal):
    live = line_show.show_for(False, terminal)
    live.coloured = False
    with live:
        live.tell(TOLD[0])
        live.say("a label")
    assert [line.strip() for line in screen(terminal)][0] == "a label"


def test_more_ports_than_lines_are_counted_and_all_shown_in_the_end(terminal, monkeypatch):
    monkeypatch.setenv("LINES", "8")
    live = line_show.show_for(False, terminal)
    for number in range(12):
        live.tell(events.PortSeen(f"port-{number}", "/dev/null"))
    live._draw()
    assert any("and 7 more" in line for line in screen(terminal))
    live._draw(everything=True)
    assert sum("waits" in line for line in screen(terminal)) >= 12


def test_colours_are_left_out_where_nobody_wants_them(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with line_show.show_for(False, terminal) as live:
        live.tell(ENDED)
    assert "\x1b[3" not in terminal.getvalue()


def test_a_pipe_gets_a_line_for_each_step_and_unit():
    out = io.StringIO()
    with line_show.show_for(False, out) as plain:
        for event in (*TOLD, ENDED):
            plain.tell(event)
    assert out.getvalue().splitlines() == [
        "left: /dev/ttyUSB0 FT232R",
        "right: /dev/ttyUSB1",
        "left: identify: ERROR in 0.5 s: no answer: look at the cable, tried again",
        "left: NO-GO GL2647000001 in 9.5 s: lock: open: set it aside",
    ]


def test_nothing_that_a_board_says_moves_the_terminals_cursor(terminal):
    told = dataclasses.replace(ENDED, reason="the router says \x1b[2J\x07")
    lines = show(terminal, told)
    assert "the router says ?[2J?" in lines[0]
    out = io.StringIO()
    line_show.show_for(False, out).tell(told)
    assert "\x1b" not in out.getvalue()


def test_a_machine_gets_every_event_and_no_prose():
    out = io.StringIO()
    with line_show.show_for(True, out) as machine:
        machine.say("a label")
        for event in TOLD:
            machine.tell(event)
    assert [events.from_json(line)[0] for line in out.getvalue().splitlines()] == list(TOLD)


def start(factory, *ports, more=(), **options):
    command = [sys.executable, "-m", "host_tools.cli", *factory.arguments(*ports), *more]
    return subprocess.Popen(list(map(str, command)), cwd=ROOT, text=True, **options)


def test_ctrl_c_ends_in_order_with_everything_recorded_and_the_units_go_on_later(tmp_path):
    factory = Factory(tmp_path)
    with rigs(tmp_path, ["", ""]) as boards:
        ports = [board.port for board in boards]
        process = start(factory, *ports, more=["--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in process.stdout:
            event, _ = events.from_json(line)
            factory.told.append(event)
            if isinstance(event, events.StepStarted) and event.step == steps.SELF_TEST:
                process.send_signal(signal.SIGINT)
                break
        for line in process.stdout:
            factory.told.append(events.from_json(line)[0])
        said = process.communicate(timeout=DEADLINE_S)[1]
        assert (process.returncode, said) == (exit_codes.INTERRUPTED, "")
        ended = factory.of(events.UnitEnded)
        assert [one.outcome for one in ended] == [events.ABORTED] * 2
        assert [run["outcome"] for run in factory.runs()] == [events.ABORTED] * 2
        again = start(factory, *ports, stdout=subprocess.PIPE)
        out = again.communicate(timeout=DEADLINE_S)[0]
    assert again.returncode == exit_codes.OK
    assert out.count(": GO GL") == 2
    assert "write identity: PASS (before)" in out or "write identity: PASS in" in out


def test_a_terminal_is_drawn_live_and_shows_the_label(tmp_path):
    factory = Factory(tmp_path)
    ours, theirs = os.openpty()
    with BenchRig(tmp_path) as rig:
        process = start(factory, rig.port, stdout=theirs)
        os.close(theirs)
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:
            pass  # EIO: the other side has closed
        assert process.wait(DEADLINE_S) == exit_codes.OK
    os.close(ours)
    text = said.decode()
    assert "\x1b[J" in text
    assert "Service code" in text
    assert "1 GO, 0 NO-GO, 0 at work" in text
