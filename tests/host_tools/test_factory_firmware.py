"""The whole table on the board `host`: loader, slots, daemon, a real bundle, the real locked console."""

import threading

import pytest

from host_tools import exit_codes
from host_tools.factory import events, steps
from host_tools.factory.unit.drive import drive
from host_tools.flash import bundle_file
from host_tools.release import signing
from tests.fakes.faulty_line import CUT, RESET, TO_BOARD, Fault
from tests.host_tools.factory_rig import Factory
from tests.host_tools.host_board_rig import NEWER, HostBoard, newer_bundle

ROWS = steps.plan()


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    return newer_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def factory(tmp_path):
    return Factory(tmp_path)


def means_with(factory, path):
    found = bundle_file.read(path, signing.public_half(signing.developer_key()))
    return factory.means(bundle=found)


def run(factory, board, path, hear=lambda event: None):
    factory.told = []

    def tell(event):
        factory.told.append(event)
        hear(event)

    return drive("left", board.port, means_with(factory, path), ROWS, tell)


def test_a_router_gets_the_bundle_and_everything_else_in_one_go(factory, tmp_path, bundles):
    old, new = bundles
    with HostBoard(tmp_path, old) as board:
        verdict = run(factory, board, new)
    assert verdict.verdict == events.GO, verdict
    assert [name for name, _ in factory.outcomes()] == list(steps.NAMES)
    (progress,) = [one for one in factory.of(events.StepProgress) if one.done == one.total]
    assert progress.total == new.stat().st_size
    (_, verified) = [one for one in factory.of(events.StepEnded) if one.step in (steps.FLASH, steps.VERIFY)]
    figures = {one.name: one for one in verified.measurements}
    assert figures["firmware files"].value == figures["firmware files"].lowest > 100
    assert figures["firmware files wrong"].value == 0
    assert board.version("b") == NEWER


def test_a_router_that_runs_the_bundle_already_is_sent_nothing(factory, tmp_path, bundles):
    old, _ = bundles
    with HostBoard(tmp_path, old) as board:
        verdict = run(factory, board, old)
    assert verdict.verdict == events.GO, verdict
    assert factory.of(events.StepProgress) == []
    assert board.version("b") is None


def test_a_slot_with_one_changed_byte_is_found_before_anything_is_signed(factory, tmp_path, bundles):
    old, new = bundles
    with HostBoard(tmp_path, old) as board:

        def spoil(event):
            if isinstance(event, events.StepStarted) and event.step == steps.VERIFY:
                path = next((board.flash / "slots/b").rglob("*.css"))
                content = bytearray(path.read_bytes())
                content[len(content) // 2] ^= 1
                path.write_bytes(content)

        verdict = run(factory, board, new, spoil)
    assert (verdict.step, verdict.outcome) == (steps.VERIFY, events.FAIL)
    assert verdict.exit_code == exit_codes.VERIFICATION
    assert "1 of " in verdict.reason
    assert factory.units() == []


@pytest.mark.parametrize("kind", [CUT, RESET])
def test_a_cable_that_is_pulled_or_a_power_cut_in_the_transfer_goes_on(factory, tmp_path, bundles, kind):
    old, new = bundles
    with HostBoard(tmp_path, old) as board:
        board.line.on_reset = board.kill
        push_back = threading.Timer(1.0, board.line.plan)  # what a person does with a cable that fell out

        def carry(to_board, data):
            arrived = board.line.carry(to_board, data)
            if board.line.is_cut and push_back.ident is None:
                push_back.start()
            return arrived

        def spoil(event):
            if isinstance(event, events.StepStarted) and event.step == steps.FLASH:
                board.line.plan(Fault(TO_BOARD, 150_000, kind))

        board.damage = carry
        verdict = run(factory, board, new, spoil)
    assert verdict.verdict == events.GO, verdict
    flashed = [one for one in factory.of(events.StepEnded) if one.step == steps.FLASH][-1]
    assert {one.name: one.value for one in flashed.measurements}["bundle"] == new.stat().st_size
