"""How long a router is under warranty: the dates alone, then on the router's page and in the export."""

import datetime
import io
import json
import zipfile

import pytest

from host_tools.cloud.routers.factory_units import Source
from host_tools.cloud.routers.importing import import_units
from host_tools.cloud.routers.registry import record_of
from host_tools.cloud.store.models import Router
from host_tools.cloud.warranty.term import after_years, term
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.test_cloud_own_data import export

SERIAL = "GL-0001"
DAY_S = 24 * 3600
day = datetime.date.fromisoformat


@pytest.mark.parametrize(
    "sold, registered, begins, ends",
    [
        ("2026-05-01", None, "2026-05-01", "2028-05-01"),  # two years
        ("2026-05-01", "2026-05-20", "2026-05-01", "2029-05-01"),  # and one for registering, from the sale
        (None, "2026-05-20", "2026-05-20", "2029-05-20"),  # nobody knows of a sale
        ("2026-05-20", "2026-05-01", "2026-05-20", "2029-05-20"),  # a shop tried it before
        ("2024-02-29", "2024-02-29", "2024-02-29", "2027-02-28"),
        ("2024-02-29", None, "2024-02-29", "2026-02-28"),
        ("2025-02-28", "2025-03-01", "2025-02-28", "2028-02-28"),  # not the 29th: it is the same date
    ],
)
def test_a_term_begins_with_the_sale_and_is_a_year_longer_for_registering(sold, registered, begins, ends):
    found = term(day(sold) if sold else None, day(registered) if registered else None)
    assert (found.begins, found.ends) == (day(begins), day(ends))
    assert (found.from_sale, found.registered) == (sold is not None, registered is not None)


def test_neither_sold_nor_registered_has_no_term():
    assert term(None, None) is None


def test_years_are_added_at_once_so_that_a_leap_day_comes_back():
    assert after_years(day("2024-02-29"), 4) == day("2028-02-29")


def test_the_last_day_is_under_warranty_and_the_next_is_not():
    found = term(day("2026-05-01"), None)
    assert found.runs(day("2028-05-01")) and not found.runs(day("2028-05-02"))


async def stored(rig):
    async with rig.parts.database.read() as session:
        return await session.get_one(Router, SERIAL)


async def first_line(rig):
    return json.loads(rig.settings.devices.read_text().splitlines()[0])


async def say_sold(rig, sold_on):
    """The factory writes the router down again, with the date of its sale."""
    record = {**await first_line(rig), "sold_on": sold_on}
    with rig.settings.devices.open("a") as file:
        file.write(json.dumps(record) + "\n")
    await rig.parts.registry.refresh()


def in_words(date):
    return f"{date.day} {date:%B %Y}"


def today(rig):
    return datetime.datetime.fromtimestamp(rig.clock.now, datetime.UTC).date()


async def test_the_routers_page_tells_the_warranty_and_why(rig, ada):
    await rig.own_router(SERIAL, ada)
    page = await ada.get(f"/routers/{SERIAL}")
    assert f"Until {in_words(after_years(today(rig), 3))}" in page.text
    assert "one more because it was registered" in page.text


async def test_the_factorys_date_of_the_sale_counts(rig, ada):
    await rig.own_router(SERIAL, ada)
    await say_sold(rig, "2024-02-29")
    page = await ada.get(f"/routers/{SERIAL}")
    assert "28 February 2027" in page.text and "its sale on 29 February 2024" in page.text


@pytest.mark.parametrize("nonsense", ["soon", "2026-02-30", 20260501, None, ["2026-05-01"]])
async def test_a_date_that_is_none_costs_the_router_nothing_but_the_date(rig, ada, nonsense):
    await rig.own_router(SERIAL, ada)
    await say_sold(rig, nonsense)
    assert (await stored(rig)).sold_on is None
    assert "its first registration" in (await ada.get(f"/routers/{SERIAL}")).text


async def test_a_sale_that_is_known_stays_when_a_later_line_does_not_tell_it(rig, ada):
    await rig.own_router(SERIAL, ada)
    await say_sold(rig, "2026-05-01")
    await say_sold(rig, None)
    assert (await stored(rig)).sold_on == "2026-05-01"


async def test_an_import_adds_the_sale_of_a_router_that_is_known(rig, ada):
    await rig.own_router(SERIAL, ada)
    unit = record_of({**await first_line(rig), "sold_on": "2026-05-01"})
    told = await import_units(rig.parts.database, Source((unit,), frozenset()))
    assert (told.new, told.known) == (0, 1)
    assert (await stored(rig)).sold_on == "2026-05-01"


async def test_a_second_owner_gets_no_second_year(rig, ada):
    code = await rig.own_router(SERIAL, ada)
    began = today(rig)
    await ada.post(f"/routers/{SERIAL}/release", password=PASSWORD)
    rig.clock.now += 400 * DAY_S
    eve = rig.browser()
    await eve.join("eve@example.org")
    await rig.hub.connect(SERIAL)
    await eve.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    page = await eve.get(f"/routers/{SERIAL}")
    assert f"Until {in_words(after_years(began, 3))}" in page.text


async def test_a_warranty_that_is_over_says_so(rig, ada):
    await rig.own_router(SERIAL, ada)
    await say_sold(rig, "2020-01-31")
    assert "Ended on 31 January 2023" in (await ada.get(f"/routers/{SERIAL}")).text


async def test_the_export_tells_the_warranty_of_ones_own_routers_only(rig, ada):
    await rig.own_router(SERIAL, ada)
    await rig.make_router("GL-0002", 2)
    _, _, content = await export(rig, ada)
    archive = zipfile.ZipFile(io.BytesIO(content))
    began = today(rig)
    assert json.loads(archive.read("warranties.json")) == [
        {
            "serial_number": SERIAL, "model": "Lodge One", "sold_on": None,
            "begins": began.isoformat(), "ends": after_years(began, 3).isoformat(),
        }
    ]  # fmt: skip
