"""What the operator's page shows of each event, and what a slow browser is sent."""

import asyncio
import json

import pytest

from host_tools.factory import events
from host_tools.factory.events import PortGone, PortSeen, Totals
from host_tools.factory.operator import feed as feeds
from host_tools.factory.operator.feed import Feed, FullError
from host_tools.factory.operator.tiles import LOOKS, STATES, TAKERS, Tiles, sentence
from tests.host_tools import bench_page_rig as told

PORT = "left"


def after(*happened):
    tiles = Tiles()
    for at, event in enumerate(happened):
        tiles.take(event, at)
    return tiles


def view(*happened):
    return after(*happened).view(PORT)


def test_every_event_has_its_taker_and_every_state_its_look():
    assert {*TAKERS, Totals} == set(events.NAMES)
    assert set(LOOKS) == set(STATES)


def test_a_port_that_is_seen_is_ready_and_one_that_goes_is_off_the_page():
    assert view(told.seen(PORT))["state"] == "ready"
    assert view(told.seen(PORT), PortGone(PORT)) is None


def test_only_a_go_of_the_line_is_a_go_of_the_page():
    assert view(told.seen(PORT), *told.went_well(PORT, "GL2648000001"))["word"] == "GO"
    before_the_verdict = told.went_well(PORT, "GL2648000001")[:-1]
    assert view(*before_the_verdict)["word"] == "Working"
    for ended in (told.went_wrong(PORT, "GL2648000001"), told.silent(PORT), told.stopped(PORT)):
        assert view(told.seen(PORT), *ended)["state"] in ("no-go", "stopped")


def test_a_no_go_says_which_step_why_and_what_to_do():
    shown = view(told.seen(PORT), *told.went_wrong(PORT, "GL2648000013"))
    assert shown["step"] == "7 of 11: self-test"
    assert shown["detail"] == "Flash write speed is 31 KB/s, 500 or more is right."
    assert shown["next"] == "Set it aside for repair, it is not locked."


def test_a_go_names_the_label_that_is_this_boards():
    shown = view(told.seen(PORT), *told.went_well(PORT, "GL2648000012"))
    assert shown["next"] == "Take the board off, and stick the label GL2648000012 on it."


def test_progress_only_grows_and_ends_full():
    tiles, shown = Tiles(), []
    for event in told.went_well(PORT, "GL2648000001"):
        tiles.take(event, 0)
        shown.append(tiles.view(PORT)["progress"])
    assert shown == sorted(shown) and shown[-1] == 1.0


def test_a_part_of_a_step_counts_as_far_as_it_tells():
    shown = view(*told.begun(PORT), *told.passed(PORT, "identify"), *told.at_step(PORT, "flash", 50, "half"))
    assert shown["progress"] == pytest.approx(1.5 / 11, abs=0.001)
    assert (shown["step"], shown["detail"]) == ("2 of 11: flash", "half")


def test_another_try_is_told():
    assert view(*told.begun(PORT), *told.at_step(PORT, "identify", attempt=2))["step"].endswith("try 2 of 3")


def test_a_verdict_outlives_its_board_until_the_next_begins():
    gone = [told.seen(PORT), *told.went_wrong(PORT, "GL2648000001"), PortGone(PORT)]
    assert view(*gone)["state"] == "no-go" and view(*gone)["action"] == ""
    assert view(*gone, told.seen(PORT))["action"] == "start"
    fresh = view(*gone, told.seen(PORT), *told.begun(PORT))
    assert (fresh["state"], fresh["serial_number"], fresh["progress"]) == ("working", "", 0.0)


def test_a_board_pulled_off_while_it_works_can_still_be_stopped():
    assert view(told.seen(PORT), *told.begun(PORT), PortGone(PORT))["action"] == "abort"


def test_the_yield_is_of_those_that_ended():
    assert after().totals_view()["yield"] is None
    assert after(Totals(8, 2, 0, 3, 1, 60.0)).totals_view() == {
        "go": 3,
        "no_go": 1,
        "running": 2,
        "yield": 75,
    }


@pytest.mark.parametrize("part, whole", [("", ""), ("set it aside", "Set it aside."), ("Why?", "Why?")])
def test_a_part_becomes_a_sentence(part, whole):
    assert sentence(part) == whole


def parsed(data):
    for block in data.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            yield lines["event"], json.loads(lines["data"])


async def test_a_browser_gets_all_tiles_first_and_then_what_changes():
    feed = Feed(asyncio.get_running_loop())
    feed.take(told.seen(PORT), 0)
    messages = feed.messages()
    ((name, first),) = parsed(await anext(messages))
    assert (name, [tile["port"] for tile in first["tiles"]]) == ("all", [PORT])
    feed.take(told.seen("right"), 1)
    ((name, tile),) = parsed(await anext(messages))
    assert (name, tile["port"]) == ("tile", "right")
    feed.take(PortGone("right"), 2)
    assert list(parsed(await anext(messages))) == [("gone", {"port": "right"})]
    await messages.aclose()


async def test_a_slow_browser_gets_the_newest_state_and_no_queue():
    feed = Feed(asyncio.get_running_loop())
    messages = feed.messages()
    await anext(messages)
    for event in told.eight() * 50:
        feed.take(event, 0)
    sent = list(parsed(await anext(messages)))
    assert len(sent) == 9  # eight tiles and the totals, once each
    await messages.aclose()


async def test_browsers_are_bounded_and_leave_their_place():
    feed = Feed(asyncio.get_running_loop())
    readers = [feed.messages() for _ in range(feeds.MOST_READERS)]
    for reader in readers:
        await anext(reader)
    with pytest.raises(FullError):
        await anext(feed.messages())
    await readers.pop().aclose()
    again = feed.messages()
    await anext(again)
    for reader in [*readers, again]:
        await reader.aclose()


async def test_text_of_a_board_cannot_break_out_of_its_event():
    feed = Feed(asyncio.get_running_loop())
    feed.take(PortSeen("x\n\nevent: totals\ndata: {}", "y\r\r", "\u2028</script>"), 0)
    messages = feed.messages()
    ((name, _),) = parsed(await anext(messages))
    assert name == "all"
    await messages.aclose()
