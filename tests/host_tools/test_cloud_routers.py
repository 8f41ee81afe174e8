"""Registering a router, owning it, restarting and releasing it; and what a second account gets: nothing."""

import asyncio
import json
import re

import pytest
from gatelodge.contract import service_code

from host_tools.cloud.devices.commands import CommandFailed
from host_tools.cloud.pages import live
from host_tools.cloud.routers.claims import CLAIM_S
from host_tools.cloud.routers.registry import service_code_hash
from host_tools.cloud.store.models import Router
from tests.host_tools.cloud_rig import CODE_KEY, PASSWORD, PATIENCE_S, without_secrets

SERIAL = "GL-0001"
UNKNOWN_CODE = service_code.generate(b"\x99" * 10)


def number_on(page):
    return re.search(r"<strong>(\d{3} \d{3})</strong>", page.text)[1].replace(" ", "")


async def live_event(browser, rig, path):
    """The first event of a live stream."""
    async with browser._session.get(rig.server.make_url(path)) as answer:
        line = await asyncio.wait_for(answer.content.readline(), 10)
    return json.loads(line.removeprefix(b"data: "))


async def test_the_router_shows_the_number_and_the_name_that_the_page_shows(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    page = await ada.post("/routers/register", service_code=service_code.format_grouped(code).lower())
    await rig.until(lambda: SERIAL in rig.hub.claims)
    claim = rig.hub.claims[SERIAL]
    assert claim["number"] == number_on(page)
    assert claim["account"] == {"name": "Ada Bell", "email": "ada@example.org"}
    assert 0 < claim["expires_s"] <= CLAIM_S


async def test_an_approved_router_belongs_to_the_account_and_is_told_so(rig, ada):
    await rig.own_router(SERIAL, ada)
    assert rig.hub.owners[SERIAL]["email"] == "ada@example.org"
    assert SERIAL in (await ada.get("/routers")).text


async def test_a_code_alone_moves_nothing(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    await ada.post("/routers/register", service_code=code)
    assert SERIAL not in (await ada.get("/routers")).text


async def test_a_router_that_comes_online_later_is_shown_the_waiting_claim(rig, ada):
    code = await rig.make_router(SERIAL)
    await ada.post("/routers/register", service_code=code)
    await rig.hub.connect(SERIAL)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    assert SERIAL in (await ada.get("/routers")).text


async def test_right_wrong_used_and_offline_codes_get_the_very_same_page(rig, ada, eve):
    used = await rig.own_router(SERIAL, ada)
    offline = await rig.make_router("GL-0002", 2)
    right = await rig.make_router("GL-0003", 3)
    await rig.hub.connect("GL-0003")
    pages = [
        await eve.post("/routers/register", service_code=code)
        for code in (UNKNOWN_CODE, used, offline, right)
    ]
    assert len({(page.status, without_secrets(page.text)) for page in pages}) == 1
    assert len({number_on(page) for page in pages}) == len(pages)


async def test_a_refused_claim_looks_like_one_that_nobody_saw(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    page = await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, False)
    assert without_secrets((await ada.get(page.path)).text) == without_secrets(page.text)


async def test_a_refused_claim_is_burned(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, False)
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL] is None
    assert SERIAL not in (await ada.get("/routers")).text


async def test_an_approval_after_five_minutes_moves_nothing(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    page = await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    rig.clock.now += CLAIM_S
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL] is None
    assert "Not approved in time" in (await ada.get(page.path)).text


async def test_a_router_answers_for_itself_only(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.make_router("GL-0002", 2)
    await rig.hub.connect(SERIAL)
    await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.parts.claims.answered("GL-0002", rig.hub.claims[SERIAL]["claim_id"], True)
    assert "Register your first router" in (await ada.get("/routers")).text


async def test_a_router_that_has_got_an_owner_meanwhile_does_not_move(rig, ada, eve):
    """Nothing gives it one while a claim waits; the claim does not rely on that."""
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    await eve.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    account = await rig.parts.administration.find("ada@example.org")
    async with rig.parts.database.write() as session:
        (await session.get_one(Router, SERIAL)).owner_id = account.id
    await rig.hub.answer(SERIAL, True)
    assert SERIAL not in (await eve.get("/routers")).text
    assert SERIAL in (await ada.get("/routers")).text


async def test_an_owned_router_is_never_asked_for_another_account(rig, ada, eve):
    code = await rig.own_router(SERIAL, ada)
    rig.hub.claims.clear()
    await eve.post("/routers/register", service_code=code)
    await rig.parts.claims.linked(SERIAL)
    assert rig.hub.claims == {}


async def test_of_two_accounts_the_one_that_asked_first_is_shown(rig, ada, eve):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    for browser in (ada, eve):
        await browser.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL]["email"] == "ada@example.org"
    assert "Register your first router" in (await eve.get("/routers")).text


async def test_a_newer_claim_of_the_same_account_replaces_the_older(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    old = await ada.post("/routers/register", service_code=code)
    new = await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: rig.hub.claims.get(SERIAL, {}).get("number") == number_on(new))
    assert "Not approved in time" in (await ada.get(old.path)).text


async def test_a_claim_of_another_router_takes_the_older_one_off_its_page(rig, ada):
    codes = [await rig.make_router(f"GL-000{index}", index) for index in (1, 2)]
    for index, code in enumerate(codes, 1):
        await rig.hub.connect(f"GL-000{index}")
        await ada.post("/routers/register", service_code=code)
        await rig.until(lambda index=index: f"GL-000{index}" in rig.hub.claims)
    await rig.until(lambda: "GL-0001" not in rig.hub.claims)


async def test_an_approval_that_is_repeated_after_a_release_moves_nothing(rig, ada):
    await rig.own_router(SERIAL, ada)
    await ada.post(f"/routers/{SERIAL}/release", password=PASSWORD)
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL] is None


@pytest.mark.parametrize("typed", ["7K3M-9QWX-2B4N-T8RC-W", "7K3M", "7K3M-9QWX-2B4N-T8R?-V", ""])
async def test_a_typing_error_is_said_at_once_and_costs_no_attempt(rig, ada, typed):
    for _ in range(12):
        page = await ada.post("/routers/register", service_code=typed)
        assert page.status == 422 and 'id="service_code-error" role="alert"' in page.text


async def test_claims_are_throttled_for_the_account(rig, ada):
    pages = [await ada.post("/routers/register", service_code=UNKNOWN_CODE) for _ in range(11)]
    assert [page.status for page in pages] == [200] * 10 + [429]


async def test_claims_are_throttled_for_the_address(rig):
    browsers = [rig.browser() for _ in range(4)]
    for index, browser in enumerate(browsers):
        await browser.join(f"person{index}@example.org")
    pages = [
        await browser.post("/routers/register", service_code=UNKNOWN_CODE)
        for browser in browsers
        for _ in range(8)
    ]
    assert [page.status for page in pages] == [200] * 30 + [429] * 2


@pytest.mark.parametrize("path", ["", "/restart", "/release", "/live"])
async def test_another_accounts_router_is_not_there(rig, ada, eve, path):
    await rig.own_router(SERIAL, ada)
    theirs = await eve.get(f"/routers/{SERIAL}{path}")
    nobodys = await eve.get(f"/routers/GL-9999{path}")
    assert theirs.status == nobodys.status == 404
    assert theirs.text == nobodys.text


@pytest.mark.parametrize("path", ["/restart", "/release"])
async def test_another_accounts_router_takes_no_orders(rig, ada, eve, path):
    await rig.own_router(SERIAL, ada)
    page = await eve.post(f"/routers/{SERIAL}{path}", form_page="/routers/register", password=PASSWORD)
    assert page.status == 404
    assert rig.hub.commands == [] and SERIAL in (await ada.get("/routers")).text


async def test_another_accounts_claim_is_not_there(rig, ada, eve):
    page = await ada.post("/routers/register", service_code=UNKNOWN_CODE)
    assert [(await eve.get(page.path + path)).status for path in ("", "/live")] == [404, 404]


async def test_the_router_page_shows_what_the_router_reports(rig, ada):
    await rig.own_router(SERIAL, ada)
    page = await ada.get(f"/routers/{SERIAL}")
    for text in ("Online", "0.25", "1 minute", "0.1.0", "Lodge One", SERIAL):
        assert text in page.text


async def test_an_offline_router_says_so_and_when_it_was_last_heard(rig, ada):
    await rig.own_router(SERIAL, ada)
    await rig.hub.disconnect(SERIAL)
    page = await ada.get(f"/routers/{SERIAL}")
    assert "Offline" in page.text and "last heard" in page.text


async def test_a_live_page_is_told_the_same_words(rig, ada):
    await rig.own_router(SERIAL, ada)
    event = await live_event(ada, rig, f"/routers/{SERIAL}/live")
    assert (event[SERIAL]["state_word"], event[SERIAL]["load"]) == ("Online", "0.25")


async def test_an_approval_reaches_the_waiting_page(rig, ada):
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    page = await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    event = await live_event(ada, rig, page.path + "/live")
    assert (event["version"], event["approval"]) == ("approved", "")
    assert "The router is yours" in (await ada.get(page.path)).text


async def test_one_account_cannot_take_every_live_line(rig, ada, monkeypatch):
    monkeypatch.setattr(live, "STREAMS_OF_ACCOUNT_MAX", 1)
    async with ada._session.get(rig.server.make_url("/routers/live")):
        assert (await ada.get("/routers/live")).status == 503


async def test_a_live_line_ends_with_its_session(rig, ada):
    async with ada._session.get(rig.server.make_url("/routers/live")) as answer:
        await ada.sign_out()
        await asyncio.wait_for(answer.read(), 10)


async def test_the_result_of_a_restart_comes_back_to_the_page(rig, ada):
    await rig.own_router(SERIAL, ada)
    page = await ada.post(f"/routers/{SERIAL}/restart")
    assert "Restarting. The result comes here." in page.text
    await rig.until(lambda: rig.hub.commands == [(SERIAL, "reboot")])
    rig.clock.now += 14
    rig.hub.result.set_result({})
    await settled(rig, ada)
    assert "Restarted, and back after 14 s." in (await ada.get(page.path)).text


async def test_a_restart_that_failed_says_why(rig, ada):
    await rig.own_router(SERIAL, ada)
    rig.hub.result.set_exception(CommandFailed("The flash is being written. Try again in a minute."))
    await ada.post(f"/routers/{SERIAL}/restart")
    await settled(rig, ada)
    assert "The flash is being written." in (await ada.get(f"/routers/{SERIAL}")).text


async def test_one_restart_at_a_time(rig, ada):
    await rig.own_router(SERIAL, ada)
    await ada.post(f"/routers/{SERIAL}/restart")
    assert "under way already" in (await ada.post(f"/routers/{SERIAL}/restart")).text


async def test_an_offline_router_is_not_asked_to_restart(rig, ada):
    await rig.own_router(SERIAL, ada)
    await rig.hub.disconnect(SERIAL)
    page = await ada.post(f"/routers/{SERIAL}/restart")
    assert page.status == 422 and "The router is offline" in page.text


async def test_releasing_asks_for_the_password_and_tells_the_router(rig, ada):
    await rig.own_router(SERIAL, ada)
    assert (await ada.post(f"/routers/{SERIAL}/release", password="not the password")).status == 422
    await ada.post(f"/routers/{SERIAL}/release", password=PASSWORD)
    assert rig.hub.owners[SERIAL] is None
    assert SERIAL not in (await ada.get("/routers")).text


async def test_a_released_router_can_be_registered_by_another_account(rig, ada, eve):
    code = await rig.own_router(SERIAL, ada)
    await ada.post(f"/routers/{SERIAL}/release", password=PASSWORD)
    rig.hub.claims.clear()
    await eve.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL]["email"] == "eve@example.org"


async def test_a_router_that_was_reset_leaves_its_account_which_gets_a_notice(rig, ada):
    await rig.own_router(SERIAL, ada)
    await rig.hub.reset(SERIAL)
    assert SERIAL not in (await ada.get("/routers")).text
    assert (await rig.parts.registry.find(SERIAL)).owner is None
    notices = [mail for mail in await rig.mails("ada@example.org") if mail.subject == "A router was reset"]
    assert len(notices) == 1 and SERIAL in notices[0].body


async def test_a_reset_that_is_told_again_gives_no_second_notice(rig, ada):
    await rig.own_router(SERIAL, ada)
    for _ in range(3):
        await rig.hub.reset(SERIAL)
    subjects = [mail.subject for mail in await rig.mails("ada@example.org")]
    assert subjects.count("A router was reset") == 1


async def test_a_reset_of_nobodys_router_and_of_an_unknown_one_changes_nothing(rig, ada):
    await rig.make_router(SERIAL)
    before = len(await rig.mails())
    await rig.hub.reset(SERIAL)
    await rig.parts.ownership.reset("GL-9999")
    assert len(await rig.mails()) == before


async def test_a_reset_router_can_be_registered_by_another_account_by_its_label(rig, ada, eve):
    code = await rig.own_router(SERIAL, ada)
    await rig.hub.reset(SERIAL)
    rig.hub.claims.clear()
    await eve.post("/routers/register", service_code=code)
    await rig.until(lambda: SERIAL in rig.hub.claims)
    await rig.hub.answer(SERIAL, True)
    assert rig.hub.owners[SERIAL]["email"] == "eve@example.org"
    assert (await ada.get(f"/routers/{SERIAL}")).status == 404


async def test_what_the_links_are_told_of_a_router_names_its_owner(rig, ada):
    await rig.own_router(SERIAL, ada)
    record = await rig.parts.registry.find(SERIAL)
    assert record.owner["email"] == "ada@example.org"
    assert await rig.parts.registry.find("GL-9999") is None


async def test_a_router_that_the_factory_has_just_made_is_found_at_once(rig):
    await rig.parts.registry.refresh()
    line = {"serial_number": SERIAL, "model": "Lodge One", "made_at": 1, "service_code_hash": "0" * 64}
    rig.settings.devices.write_text(json.dumps({**line, "certificate_fingerprint": "1" * 64}) + '\n{"serial')
    assert (await rig.parts.registry.find(SERIAL)).certificate_fingerprint == "1" * 64


async def test_a_bad_record_of_the_factory_stops_no_other(rig, ada, caplog):
    code = await rig.make_router("GL-0002", 2)
    await rig.make_router("GL-0003", 2)  # with the same service code: a fault of the factory's
    await rig.make_router(SERIAL)
    assert await rig.parts.registry.find(SERIAL) is not None
    assert await rig.parts.registry.find("GL-0003") is None
    assert "GL-0003 was left out" in caplog.text
    assert (await ada.post("/routers/register", service_code=code)).status == 200


async def test_the_last_record_of_a_router_stays_the_one_that_counts(rig):
    await rig.make_router(SERIAL, 1)
    await rig.make_router(SERIAL, 2)
    await rig.make_router("GL-0002", 3)
    async with rig.parts.database.read() as session:
        router = await session.get(Router, SERIAL)
    assert router.service_code_hash == service_code_hash(CODE_KEY, service_code.generate(bytes([2] * 10)))


async def settled(rig, browser):
    async with asyncio.timeout(PATIENCE_S):
        while "Restarting." in (await browser.get(f"/routers/{SERIAL}")).text:
            await asyncio.sleep(0.01)
