"""Many routers at once: nobody disturbs another, and who stops the line finds everything recorded."""

import contextlib
import os
import subprocess
import threading
import tty

import pytest

from host_tools import exit_codes
from host_tools.factory import events, steps
from host_tools.factory.engine import exit_code_of
from host_tools.factory.factory_line import FactoryLine
from host_tools.factory.ports import Port
from tests.host_tools.factory_rig import ROWS, Factory, rigs

BOARDS = 16
BAD = {3: "no-link", 11: "runs-lines"}


@pytest.fixture
def factory(tmp_path):
    return Factory(tmp_path)


def ports_of(boards):
    return [Port(f"port-{number:02}", board.port) for number, board in enumerate(boards)]


def test_of_sixteen_routers_at_once_two_bad_ones_are_no_go_and_the_others_go(factory, tmp_path):
    faults = [BAD.get(number, "") for number in range(BOARDS)]
    with rigs(tmp_path, faults) as boards:
        line = FactoryLine(factory.means(), ROWS, factory.told.append, at_once=BOARDS)
        verdicts = line.run(ports_of(boards))
    found = ["" if verdict.verdict == events.GO else verdict.step for verdict in verdicts]
    expected = {3: steps.SELF_TEST, 11: steps.PROVE_LOCK}
    assert found == [expected.get(number, "") for number in range(BOARDS)], sorted(
        {v.reason for v in verdicts}
    )
    units = factory.units()
    assert len({unit["serial_number"] for unit in units}) == len(units) == BOARDS - len(BAD)
    assert len({unit.service_code for unit in factory.printed}) == BOARDS - len(BAD)
    last = factory.of(events.Totals)[-1]
    assert (last.ports, last.go, last.no_go, last.running, last.waiting) == (BOARDS, 14, 2, 0, 0)
    factory.records.ledger.verify()
    assert exit_code_of(verdicts) == exit_codes.PROVISIONING


def test_no_more_units_are_at_work_than_the_bench_has_places(factory, tmp_path):
    running = []

    def hear(event):
        if isinstance(event, events.Totals):
            running.append(event.running)

    with rigs(tmp_path, [""] * 3) as boards:
        verdicts = FactoryLine(factory.means(), ROWS, hear, at_once=1).run(ports_of(boards))
    assert [verdict.verdict for verdict in verdicts] == [events.GO] * 3
    assert max(running) == 1


@contextlib.contextmanager
def terminal(fill=None):
    """The path of a terminal at whose other end nobody is, or a program that writes without an end."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    program = subprocess.Popen(fill, stdout=ours) if fill else None
    try:
        yield os.ttyname(theirs)
    finally:
        if program:
            program.kill()
            program.wait()
        os.close(ours)
        os.close(theirs)


def test_ports_that_are_gone_silent_or_babbling_disturb_no_other(factory, tmp_path):
    rows = steps.plan([steps.FLASH, steps.VERIFY], {steps.IDENTIFY: steps.Change(1, 15)})
    with rigs(tmp_path, [""]) as boards, terminal() as silent, terminal(["yes"]) as babbling:
        bad = [Port("gone", str(tmp_path / "gone")), Port("silent", silent), Port("babbling", babbling)]
        line = FactoryLine(factory.means(), rows, factory.told.append)
        *worse, good = line.run([*bad, *ports_of(boards)])
    assert [verdict.outcome for verdict in worse] == [events.ERROR, events.TIMEOUT, events.TIMEOUT]
    codes = [exit_codes.SERIAL_PORT, exit_codes.HANDSHAKE, exit_codes.HANDSHAKE]
    assert [verdict.exit_code for verdict in worse] == codes
    assert good.verdict == events.GO


def test_a_fault_of_these_tools_at_one_port_is_a_no_go_there(factory, tmp_path, monkeypatch):
    from host_tools.factory.unit import drive

    def fail(unit):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setitem(drive.ACTIONS, steps.MAKE_KEY, fail)
    with rigs(tmp_path, [""]) as boards:
        (verdict,) = FactoryLine(factory.means(), ROWS, factory.told.append).run(ports_of(boards))
    assert (verdict.verdict, verdict.step, verdict.exit_code) == (events.NO_GO, steps.MAKE_KEY, 1)
    assert "ZeroDivisionError" in verdict.reason


def test_a_listener_that_fails_ends_nothing(factory, tmp_path):
    def broken(event):
        raise BrokenPipeError

    with rigs(tmp_path, [""]) as boards:
        (verdict,) = FactoryLine(factory.means(), ROWS, broken).run(ports_of(boards))
    assert verdict.verdict == events.GO


def test_aborting_one_port_leaves_the_others_and_a_second_start_goes_on(factory, tmp_path):
    line, reached = None, threading.Event()

    def hear(event):
        factory.told.append(event)
        place = (getattr(event, "port", ""), getattr(event, "step", ""))
        if place == ("port-00", steps.SELF_TEST) and not reached.is_set():
            reached.set()
            assert line.abort("port-00")

    with rigs(tmp_path, ["", ""]) as boards:
        line = FactoryLine(factory.means(), ROWS, hear)
        first, second = line.run(ports_of(boards))
        assert (first.outcome, first.exit_code) == (events.ABORTED, exit_codes.INTERRUPTED)
        assert second.verdict == events.GO
        assert not line.abort("port-00")
        line.start(ports_of(boards)[0])
        assert line.wait(120)
    assert line.verdict("port-00").verdict == events.GO
    assert events.ABORTED in [run["outcome"] for run in factory.runs()]


def test_the_events_of_each_port_come_in_their_order(factory, tmp_path):
    with rigs(tmp_path, ["", "stuck-entropy"]) as boards:
        FactoryLine(factory.means(), ROWS, factory.told.append).run(ports_of(boards))
    for port in ("port-00", "port-01"):
        told = [one for one in factory.told if getattr(one, "port", None) == port]
        kinds = [type(one) for one in told]
        assert kinds[:2] == [events.PortSeen, events.UnitStarted]
        assert kinds[-1] == events.UnitEnded
        walked = [
            (type(one), one.step) for one in told if isinstance(one, events.StepStarted | events.StepEnded)
        ]
        assert walked[::2] == [(events.StepStarted, step) for _, step in walked[::2]]
        assert walked[1::2] == [(events.StepEnded, step) for _, step in walked[::2]]
