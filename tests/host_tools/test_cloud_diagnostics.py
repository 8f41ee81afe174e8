"""A router's diagnostics, attached to a help request by one tick: from the form to the desk."""

import asyncio
import io
import json
import re
import zipfile

import pytest
from gatelodge.cloud import diagnostics as on_router
from gatelodge.contract import diagnostics as contract
from gatelodge.store import Store

from host_tools.cloud.help import diagnostics, drafts
from host_tools.cloud.help.report import SIZE_MAX, Arriving
from host_tools.cloud.languages.text import speaking
from host_tools.cloud.pages import report_words
from tests.fakes.clock import FakeClock
from tests.fakes.crashing_files import CrashingFiles
from tests.fakes.simulated_router import SimulatedRouter
from tests.host_tools.test_cloud_admin import rig  # noqa: F401
from tests.host_tools.test_cloud_desk import ada, grace, staff  # noqa: F401
from tests.host_tools.test_cloud_help import SERIAL, ask, content_of, send
from tests.host_tools.test_cloud_own_data import export

KNOWS = {"diagnostics": True}
BOARD = {"name": "qemu-virt-aarch64", "model": "Gatelodge QEMU virt (aarch64)"}
TICK = {"router": SERIAL, "diagnostics": "yes"}


class Boot:
    slot, version = "a", "0.1.0"


class Client:
    """The router's own client, as far as a report asks it."""

    def __init__(self, account_id):
        self.owner = {"account_id": account_id}
        self.state = {"state": "online", "since": 1795281600, "last_error": None, "releasing": False}


@pytest.fixture
async def router(rig, ada):  # noqa: F811
    """Ada's, online, and young enough."""
    await rig.own_router(SERIAL, ada)
    await rig.hub.connect(SERIAL, takes=KNOWS)


async def asked_of(rig, count=1):  # noqa: F811
    await rig.until(lambda: len(rig.hub.asked) >= count)
    return rig.hub.asked[count - 1]


async def send_report(rig, drop=0, **changed):  # noqa: F811
    """What the firmware's own code sends for the newest question, of a simulated router, and its result."""
    serial_number, command_id, _name, args = rig.hub.asked[-1]
    client = Client(changed.get("owner", args["account_id"]))
    store = Store(CrashingFiles(), "journal").open()
    sources = on_router.Sources(BOARD, Boot, SimulatedRouter(), FakeClock(), store, client)
    parts = []

    async def report(fields):
        parts.append(dict(fields, type="report"))

    value = await on_router.send(sources, args, report)
    for part in parts[: len(parts) - drop]:
        await rig.hub.report(serial_number, part)
    result = {"type": "result", "id": command_id, "ok": True, "value": value, "error": None}
    await rig.hub.ended(serial_number, result)


def link_of(page):
    return re.search(r'href="(/(?:help|desk)/[0-9a-f]+/diagnostics/[0-9a-f]+)"', page.text)[1]


async def test_one_tick_brings_the_routers_own_report_to_both_sides(rig, ada, grace, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    assert "Asked for" in page.text and "data-live" in page.text
    serial_number, command_id, name, args = await asked_of(rig)
    account = (await rig.parts.administration.find("ada@example.org")).id
    assert (serial_number, name, args) == (
        SERIAL, "diagnostics", {"report_id": command_id, "account_id": account},
    )  # fmt: skip
    await send_report(rig)
    page = await ada.get(page.path)
    assert "Attached" in page.text and "data-live" not in page.text
    report = await ada.get(link_of(page))
    for text in ("Gatelodge QEMU virt (aarch64)", "192.168.1.1", "Devices seen", "This is all"):
        assert text in report.text
    at_desk = await grace.get(link_of(await grace.get(page.path.replace("/help/", "/desk/"))))
    assert "Gatelodge QEMU virt (aarch64)" in at_desk.text
    assert "Support read a help request" in (await ada.get("/security/log")).text


async def test_the_file_is_what_the_page_shows_and_is_in_the_export(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    await send_report(rig)
    report = await ada.get(link_of(await ada.get(page.path)))
    file = re.search(r'href="(/help/[^"]+/files/[^"]+)"', report.text)[1]
    content = await content_of(rig, ada, file)
    document = json.loads(content)
    assert document["router"]["firmware"] == "0.1.0" and document["serial_number"] == SERIAL
    profile = (await ada.get("/profile")).text.partition('name="time_zone"')[2]
    with speaking("en", re.search(r'<option value="([^"]+)" selected', profile)[1]):
        told = report_words.told(content)
    for section in told:
        assert section.title in report.text and all(value in report.text for _label, value in section.rows)
    archive = zipfile.ZipFile(io.BytesIO((await export(rig, ada))[2]))
    assert content in [archive.read(name) for name in archive.namelist() if name.startswith("attachments/")]


async def test_an_offline_router_sends_them_when_it_is_back(rig, ada, router):  # noqa: F811
    await rig.hub.disconnect(SERIAL)
    assert "The router is offline now" in (await ada.get("/help/new")).text
    page = await ask(rig, ada, **TICK)
    assert "data-live" not in page.text
    assert "It is offline now" in (await ada.get(link_of(page))).text
    assert rig.hub.asked == []
    await rig.hub.connect(SERIAL, takes=KNOWS)
    await asked_of(rig)
    await send_report(rig)
    assert "Attached" in (await ada.get(page.path)).text


async def test_after_a_day_it_is_not_waited_for_any_more(rig, ada, router):  # noqa: F811
    await rig.hub.disconnect(SERIAL)
    page = await ask(rig, ada, **TICK)
    rig.clock.now += diagnostics.WAITS_S
    await rig.parts.help.diagnostics.prune(rig.clock.now)
    await ada.enter()  # its session is over as well
    page = await ada.get(link_of(page))
    assert "not online within a day" in page.text
    await rig.hub.connect(SERIAL, takes=KNOWS)
    await rig.parts.help.diagnostics.linked(SERIAL)
    assert rig.hub.asked == []


async def test_old_firmware_is_not_asked_and_the_page_says_so(rig, ada):  # noqa: F811
    await rig.own_router(SERIAL, ada)
    page = await ada.get("/help/new")
    assert "too old to send" in page.text and 'name="diagnostics"' not in page.text
    page = await ask(rig, ada, **TICK)
    await rig.until(rig.parts.post.idle)
    await rig.parts.help.diagnostics.linked(SERIAL)
    assert "firmware is too old" in (await ada.get(link_of(page))).text
    assert rig.hub.asked == []


async def test_an_answer_takes_the_tick_as_well_and_one_at_a_time(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, router=SERIAL)
    assert "Attach the router" in page.text
    page = await send(rig, ada, page.path, {"text": "Here they are.", "diagnostics": "yes"})
    assert "are on their way already" in page.text and 'name="diagnostics"' not in page.text
    page = await ada.post(page.path, text="Again", diagnostics="yes")
    assert page.status == 422 and "Leave this unticked" in page.text
    await asked_of(rig)
    await send_report(rig)
    page = await ada.post(page.path, text="Again", diagnostics="yes")
    assert page.status == 200 and page.text.count("Diagnostics of GL-0001") == 2


async def test_without_a_router_of_ones_own_there_is_nothing_to_attach(rig, ada, router):  # noqa: F811
    eve = rig.browser()
    await eve.join("eve@example.org")
    for fields in ({"router": "", "diagnostics": "yes"}, TICK):
        page = await ask(rig, eve, **fields)
        assert page.status == 422
    assert rig.hub.asked == []
    page = await ask(rig, eve)
    assert "names no router of yours" in page.text
    assert (await eve.post(page.path, text="x", diagnostics="yes")).status == 422


async def test_nobody_elses_report_is_read_or_removed(rig, ada, router):  # noqa: F811
    eve = rig.browser()
    await eve.join("eve@example.org")
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    await send_report(rig)
    place = link_of(await ada.get(page.path))
    own = (await ask(rig, eve)).path
    for path in (place, own + "/diagnostics/" + place.rsplit("/", 1)[-1], place.replace("/help/", "/desk/")):
        assert (await eve.get(path)).status == 404
    assert (await eve.post(place + "/remove", form_page="/help/new")).status == 404
    assert (await ada.get(place)).status == 200


async def test_what_is_removed_is_gone_for_support_as_well(rig, ada, grace, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    await send_report(rig)
    place = link_of(await ada.get(page.path))
    file = re.search(r'href="(/help/[^"]+/files/[^"]+)"', (await ada.get(place)).text)[1]
    page = await ada.post(place + "/remove", form_page=place)
    assert "Removed" in page.text
    assert (await ada.get(file)).status == 404
    at_desk = await grace.get(place.replace("/help/", "/desk/"))
    assert "Removed" in at_desk.text and "192.168.1.1" not in at_desk.text
    assert (await grace.get(file.replace("/help/", "/desk/"))).status == 404


async def test_one_that_is_removed_before_it_came_is_not_kept(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    await ada.post(link_of(page) + "/remove", form_page=link_of(page))
    await send_report(rig)
    page = await ada.get(link_of(page))
    assert "Removed" in page.text and "192.168.1.1" not in page.text


async def test_where_a_part_was_lost_the_router_is_asked_again_by_another_id(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    for number in range(1, diagnostics.TRIES_MAX + 1):
        await asked_of(rig, number)
        await send_report(rig, drop=1)
    assert len({command_id for _serial, command_id, *_ in rig.hub.asked}) == diagnostics.TRIES_MAX
    assert "could not send them" in (await ada.get(link_of(await ada.get(page.path)))).text
    await rig.parts.help.diagnostics.linked(SERIAL)
    assert len(rig.hub.asked) == diagnostics.TRIES_MAX


async def test_a_result_that_comes_again_changes_nothing(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    await send_report(rig)
    held = (await ada.get(link_of(await ada.get(page.path)))).text
    await send_report(rig)
    again = await ada.get(link_of(await ada.get(page.path)))
    assert re.findall(r"/files/[0-9a-f]+", again.text) == re.findall(r"/files/[0-9a-f]+", held)


async def test_of_two_results_at_once_one_is_kept(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    await asyncio.gather(send_report(rig), send_report(rig))
    page = await ada.get(page.path)
    assert page.text.count("Diagnostics of GL-0001") == 1 and "Attached" in page.text
    account = (await rig.parts.administration.find("ada@example.org")).id
    async with rig.parts.database.read() as session:
        files = await session.scalars(diagnostics.select(diagnostics.HelpFile))
        assert [file.account_id for file in files] == [account]


async def test_a_router_that_was_released_meanwhile_sends_nothing_to_its_old_owner(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    await asked_of(rig)
    account = (await rig.parts.administration.find("ada@example.org")).id
    await rig.parts.ownership.released_there(SERIAL, account)
    await send_report(rig)
    page = await ada.get(link_of(await ada.get(page.path)))
    assert "not yours any more" in page.text and "192.168.1.1" not in page.text


async def test_a_stranger_router_cannot_put_anything_into_a_report(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    _serial, command_id, *_ = await asked_of(rig)
    forged = {"report_id": command_id, "number": 0, "section": "log", "value": {"lines": ["forged"]}}
    await rig.hub.report("GL-0666", forged)
    result = {"id": command_id, "ok": True, "value": {"messages": 1}, "error": None}
    await rig.hub.ended("GL-0666", result)
    assert "Asked for" in (await ada.get(page.path)).text
    await rig.hub.ended(SERIAL, result)
    page = await ada.get(link_of(await ada.get(page.path)))
    assert "forged" not in page.text and len(rig.hub.asked) >= 1


async def test_a_restart_of_the_cloud_loses_no_question(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    first = await asked_of(rig)
    rig.parts.help.diagnostics._arriving.clear()
    await rig.hub.connect(SERIAL, takes=KNOWS)
    assert (await asked_of(rig, 2))[1] == first[1]
    await send_report(rig)
    assert "Attached" in (await ada.get(page.path)).text


async def test_what_the_router_wrote_is_shown_as_text(rig, ada, router):  # noqa: F811
    page = await ask(rig, ada, **TICK)
    _serial, command_id, *_ = await asked_of(rig)
    part = {"report_id": command_id, "number": 0, "section": "log", "value": {"lines": ["<b>bold</b>"]}}
    await rig.hub.report(SERIAL, part)
    await rig.hub.ended(SERIAL, {"id": command_id, "ok": True, "value": {"messages": 1}, "error": None})
    page = await ada.get(link_of(await ada.get(page.path)))
    assert "&lt;b&gt;bold" in page.text and "<b>bold" not in page.text


def test_a_report_has_a_size_and_takes_no_field_of_its_own():
    arriving = Arriving(SERIAL, "a1")
    lines = ["x" * contract.LINE_LIMIT] * contract.LINES_LIMIT
    for number in range(contract.MESSAGES_LIMIT):
        arriving.add({"number": number, "section": "log", "value": {"lines": lines, "key": "secret"}})
    assert len(arriving.document(0)) < 2 * SIZE_MAX
    assert b"secret" not in arriving.document(0)
    assert not arriving.is_whole({"ok": True, "value": {"messages": contract.MESSAGES_LIMIT}})


def test_a_section_of_a_newer_router_is_left_out_and_counted():
    arriving = Arriving(SERIAL, "a1")
    arriving.add({"number": 0, "section": "wifi", "value": {"key": "secret"}})
    arriving.add({"number": 1, "section": "log", "value": {"lines": ["a"]}})
    assert arriving.is_whole({"ok": True, "value": {"messages": 2}})
    assert b"wifi" not in arriving.document(0)


def test_every_value_of_the_contract_has_words():
    for section, rows in contract.SECTIONS:
        assert report_words.TITLES[section]
        assert all(report_words.LABELS[section, field] for field, _check in rows)
    assert len(report_words.LABELS) == sum(len(rows) for _section, rows in contract.SECTIONS)


@pytest.mark.parametrize(
    "count, says",
    [(0, "0 bytes"), (999, "999 bytes"), (1536, "1.5 KB"), (129024 * 1024, "126 MB"), (2**34, "16.0 GB")],
)
def test_sizes_are_said_as_people_do(count, says):
    assert report_words.size(count) == says


LOOK = {**TICK, "look_first": "yes"}


@pytest.fixture
async def draft(rig, ada, router):  # noqa: F811
    """The page of one that has come and that only Ada sees, and its file."""
    page = await ask(rig, ada, **LOOK)
    await asked_of(rig)
    assert "only you see it" in (await ada.get(link_of(page))).text
    await send_report(rig)
    page = await ada.get(page.path)
    assert "Only you see them yet" in page.text and "data-live" not in page.text
    place = link_of(page)
    return place, re.search(r'href="(/help/[^"]+/files/[^"]+)"', (await ada.get(place)).text)[1]


async def at_desk(grace, place):  # noqa: F811
    """What support finds: (the request's page, how the report and its file are answered)."""
    place, file = (each.replace("/help/", "/desk/") for each in place)
    request = await grace.get(place.partition("/diagnostics/")[0])
    return request.text, (await grace.get(place)).status, (await grace.get(file)).status


async def test_who_looks_first_sees_all_of_it_before_support_sees_any(rig, ada, grace, draft):  # noqa: F811
    place, file = draft
    assert "192.168.1.1" in (await ada.get(place)).text and await content_of(rig, ada, file)
    text, *statuses = await at_desk(grace, draft)
    assert "No internet" in text and "Diagnostics of" not in text and ".json" not in text
    assert statuses == [404, 404]
    page = await ada.post(place + "/attach", form_page=place)
    assert "Support sees them from now on" in page.text and "Attached" in page.text
    text, *statuses = await at_desk(grace, draft)
    assert "Diagnostics of" in text and statuses == [200, 200]
    page = await ada.post(place + "/attach", form_page=place)  # twice: nothing more happens
    assert page.path == place and "This is all" in page.text


async def test_a_draft_that_is_dropped_was_never_there_for_support(rig, ada, grace, draft):  # noqa: F811
    place, file = draft
    page = await ada.post(place + "/remove", form_page=place)
    assert "Removed" in page.text and (await ada.get(file)).status == 404
    page = await ada.post(place + "/attach", form_page="/help/new")
    assert page.path == place and "Support sees them" not in page.text
    assert "Diagnostics of" not in (await at_desk(grace, draft))[0]


async def test_a_draft_is_forgotten_after_its_time_and_an_attached_one_stays(rig, ada, draft):  # noqa: F811
    place, file = draft
    await ada.post(place + "/attach", form_page=place)
    ticked = {"diagnostics": "yes", "look_first": "yes"}
    page = await ada.post(place.partition("/diagnostics/")[0], text="And now", **ticked)
    await asked_of(rig, 2)
    await send_report(rig)
    page = await ada.get(page.path)
    second = re.findall(r'href="(/help/[0-9a-f]+/diagnostics/[0-9a-f]+)"', page.text)[-1]
    rig.clock.now += drafts.LASTS_S
    await rig.parts.help.diagnostics.prune(rig.clock.now)
    await ada.enter()
    page = await ada.get(second)
    assert "they are forgotten" in page.text and "192.168.1.1" not in page.text
    assert (await ada.get(file)).status == 200
    assert (await ada.post(second + "/attach", form_page=second)).path == second


async def test_to_look_at_nothing_attaches_nothing_and_nobody_else_attaches(rig, ada, draft):  # noqa: F811
    eve = rig.browser()
    await eve.join("eve@example.org")
    assert (await eve.post(draft[0] + "/attach", form_page="/help/new")).status == 404
    page = await ask(rig, ada, router=SERIAL, look_first="yes")
    assert page.status == 200 and "/diagnostics/" not in page.text and len(rig.hub.asked) == 1


async def test_ones_only_router_is_chosen_already(rig, ada, router):  # noqa: F811
    chosen = f'<option value="{SERIAL}" selected>'
    assert chosen in (await ada.get("/help/new")).text
    await rig.own_router("GL-0002", ada, 2)
    page = await ada.get("/help/new")
    assert chosen not in page.text and '<option value="" selected>' in page.text
