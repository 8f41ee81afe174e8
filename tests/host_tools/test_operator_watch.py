"""What a bench does when ports come and go."""

import asyncio
import os

import pytest

from host_tools.factory.events import PortGone, PortSeen
from host_tools.factory.operator import watch as watching
from host_tools.factory.operator.watch import Watch
from host_tools.factory.ports import Rule

WAIT_S = 60


class Line:
    """Remembers what it was asked for; `at_work` says which ports are."""

    def __init__(self):
        self.started = []
        self.at_work = set()

    def start(self, port):
        self.started.append((port.key, port.device))

    def is_at_work(self, key):
        return key in self.at_work

    def abort(self, key=None):
        return key in self.at_work


class Bench:
    def __init__(self, directory, **options):
        self.directory, self.line, self.told, self.open = directory, Line(), [], []
        self.rules = [Rule(path=str(directory / name), name=name) for name in ("left", "right")]
        self.watch = Watch(self.rules, self.line, self.told.append, **options)

    def connect(self, name):
        both_ends = os.openpty()
        self.open += both_ends
        (self.directory / name).symlink_to(os.ttyname(both_ends[1]))

    async def until(self, found):
        async with asyncio.timeout(WAIT_S):
            while not found():
                await asyncio.sleep(0.01)


@pytest.fixture
async def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "LOOK_S", 0.01)
    bench = Bench(tmp_path)
    task = None

    def run():
        nonlocal task
        task = asyncio.create_task(bench.watch.run())

    bench.run = run
    yield bench
    if task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for descriptor in bench.open:
        os.close(descriptor)


async def test_a_port_that_is_there_waits_and_one_that_comes_is_begun_with(bench):
    bench.connect("left")
    bench.run()
    await bench.until(lambda: len(bench.told) == 1)
    bench.connect("right")
    await bench.until(lambda: bench.line.started)
    assert [key for key, _ in bench.line.started] == ["right"]
    assert [event.port for event in bench.told if isinstance(event, PortSeen)] == ["left", "right"]


async def test_a_press_on_start_all_begins_with_what_nothing_was_done_with(bench):
    bench.connect("left")
    bench.connect("right")
    bench.run()
    await bench.until(lambda: len(bench.told) == 2)
    assert bench.watch.start("left")
    assert bench.watch.start()
    assert not bench.watch.start()
    assert [key for key, _ in bench.line.started] == ["left", "right"]


async def test_a_port_at_work_or_unknown_is_not_begun_with(bench):
    bench.connect("left")
    bench.run()
    await bench.until(lambda: bench.told)
    bench.line.at_work = {"left"}
    assert not bench.watch.start("left")
    assert not bench.watch.start("somewhere else")
    assert bench.line.started == []


async def test_another_device_at_the_same_place_is_another_board(bench):
    bench.connect("left")
    bench.run()
    await bench.until(lambda: bench.told)
    (bench.directory / "left").unlink()
    await bench.until(lambda: PortGone("left") in bench.told)
    bench.connect("left")
    await bench.until(lambda: bench.line.started)


async def test_a_bench_that_stops_begins_with_nothing(bench):
    bench.connect("left")
    bench.run()
    await bench.until(lambda: bench.told)
    bench.watch.close()
    assert not bench.watch.start("left") and not bench.watch.start()
