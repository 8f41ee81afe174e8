"""A bench that is killed (SIGKILL) at any step: the next one goes on where it was, with the same unit."""

import subprocess
import sys
import threading

import pytest

from host_tools import exit_codes
from host_tools.factory import events, steps
from tests.host_tools.bench_rig import ROOT, BenchRig
from tests.host_tools.factory_rig import Factory

DONE = [name for name in steps.NAMES if name not in (steps.FLASH, steps.VERIFY)]
# What a router keeps of itself, and a bench of it: never done twice. The lock is proved again each time.
KEPT = [steps.MAKE_KEY, steps.SIGN, steps.WRITE_IDENTITY, steps.SELF_TEST, steps.LOCK, steps.RECORD]
DEADLINE_S = 120


class Victim:
    """One `gatelodge provision --json`, killed when a step begins, or when the router first answers in it."""

    def __init__(self, rig, factory, step=None, at_answer=False):
        self.told = []
        command = [sys.executable, "-m", "host_tools.cli", *factory.arguments(rig.port), "--json"]
        self.process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.armed = threading.Event()
        rig.damage = self.watch_line
        timer = threading.Timer(DEADLINE_S, self.process.kill)
        timer.start()
        for line in self.process.stdout:
            event, _ = events.from_json(line)
            self.told.append(event)
            if isinstance(event, events.StepStarted) and event.step == step:
                self.armed.set() if at_answer else self.process.kill()
        self.errors = self.process.communicate()[1]
        timer.cancel()
        rig.damage = lambda to_router, data: data

    def watch_line(self, to_router, data):
        if not to_router and self.armed.is_set():
            self.process.kill()
        return data

    def ended(self):
        return [(one.step, one.is_kept) for one in self.told if isinstance(one, events.StepEnded)]


def kept_after(finished):
    """Key, certificate and identity are one: they are kept together once the router has confirmed them."""
    return [name for name in KEPT if name in finished] if steps.WRITE_IDENTITY in finished else []


@pytest.mark.parametrize("at_answer", [False, True], ids=["as it begins", "as the router answers"])
def test_a_bench_killed_at_each_step_goes_on_and_makes_one_unit(tmp_path, at_answer):
    factory = Factory(tmp_path)
    with BenchRig(tmp_path) as rig:
        for at, step in enumerate(DONE):
            silent = step in (steps.RECORD, steps.PRINT)  # the router has no part in them
            victim = Victim(rig, factory, step, at_answer and not silent)
            assert victim.process.returncode == -9, victim.errors
            done = dict(victim.ended())
            assert [name for name in kept_after(DONE[: max(0, at - 1)]) if not done.get(name)] == []
            assert factory.units() == [] or step == steps.PRINT
        last = Victim(rig, factory)
    assert last.process.returncode == exit_codes.OK, last.errors
    (unit,) = factory.units()
    names = {one.serial_number for one in last.told if isinstance(one, events.UnitEnded)}
    assert names == {unit["serial_number"]}
    (label,) = (factory.directory / "labels").iterdir()
    assert label.name == unit["serial_number"] + ".svg"
    assert factory.records.pending(unit["serial_number"]) is None
    factory.records.ledger.verify()
