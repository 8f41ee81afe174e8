"""A person's own data: all of it in a file without a secret, and all of it gone after the waiting time."""

import asyncio
import io
import json
import re
import zipfile

import pytest
from sqlalchemy import select

from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import DELETION, KINDS_OF_CHANGE
from host_tools.cloud.store.models import Event, Router
from host_tools.cloud.store.tables import METADATA
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.test_cloud_passkeys import ORIGIN, add
from tests.host_tools.test_cloud_phones import NUMBER
from tests.host_tools.test_cloud_phones import add as add_phone

EMAIL, NEW_EMAIL, SERIAL = "ada@example.org", "ada.bell@example.com", "GL-0001"
WAIT_S = KINDS_OF_CHANGE[DELETION].wait_s


@pytest.fixture
async def ada(rig):
    """Somebody who has a little of everything."""
    browser = rig.browser()
    await browser.join()
    await browser.post("/profile/email", form_page="/profile", email=NEW_EMAIL, password=PASSWORD)
    browser.totp, _ = await browser.enrol()
    await add_phone(rig, browser)
    await add(browser, SoftPasskey(ORIGIN))
    await rig.own_router(SERIAL, browser)
    return browser


async def export(rig, browser, password=PASSWORD):
    form = await browser.get("/profile/data")
    fields = {"csrf": form.csrf, "password": password}
    url = rig.server.make_url("/profile/data/export")
    async with browser._session.post(url, data=fields) as answer:
        return answer.status, answer.headers, await answer.read()


async def ask_deletion(browser, **changed):
    fields = {"password": PASSWORD, "sure": "yes", **changed}
    return await browser.post("/profile/data/delete", form_page="/profile/data", **fields)


async def test_the_file_holds_every_table_that_names_the_account(rig, ada):
    status, headers, content = await export(rig, ada)
    assert status == 200 and "attachment" in headers["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(content))
    named = {
        name for name, table in METADATA.tables.items() if {"account_id", "owner_id"} & set(table.c.keys())
    }
    assert {f"{name}.json" for name in named} <= set(archive.namelist())
    held = {name: json.loads(archive.read(f"{name}.json")) for name in (*named, "accounts")}
    assert held["accounts"][0]["email"] == EMAIL and held["routers"][0]["serial_number"] == SERIAL
    assert held["authenticators"][0]["algorithm"] == "SHA1"
    assert held["phones"][0]["number"] == NUMBER and held["passkeys"][0]["name"] == "My phone"
    assert {row["kind"] for row in held["events"]} >= {"account_made", "passkey_added", "data_exported"}


async def test_the_file_holds_no_secret_and_nobody_else(rig, ada):
    await rig.browser().join("eve@example.org")
    text = b""
    archive = zipfile.ZipFile(io.BytesIO((await export(rig, ada))[2]))
    for name in archive.namelist():
        text += archive.read(name)
    assert b"eve@example.org" not in text and b"$argon2" not in text and b"_hash" not in text
    assert ada.totp.secret.encode() not in text and b"Your code is" not in text


async def test_the_file_asks_for_the_password_and_is_told(rig, ada):
    rig.clock.now += PROVED_S
    for password in ("not the password", PASSWORD):  # which is one part of two
        assert (await export(rig, ada, password))[0] == 422
    await ada.prove(ada.totp)
    assert (await export(rig, ada))[0] == 200
    assert (await rig.mails(EMAIL))[0].subject == "All data of the account was exported"


async def test_an_account_is_deleted_after_its_time_with_all_that_it_had(rig, ada):
    page = await ask_deletion(ada)
    assert "will be deleted" in page.text
    assert (await ada.get("/routers")).status == 200  # until then it works as ever
    rig.clock.now += WAIT_S
    assert await rig.parts.waiting.carry_out() == 1
    assert (await ada.get("/routers")).path == "/sign-in"
    assert (await ada.sign_in()).status == 422
    await rig.until(lambda: rig.hub.owners.get(SERIAL, "") is None)
    async with rig.parts.database.read() as session:
        for name, table in METADATA.tables.items():
            if "account_id" in table.c and name != "events":
                assert list(await session.execute(select(table))) == [], name
        assert [router.owner_id for router in await session.scalars(select(Router))] == [None]
        kinds = [event.kind for event in await session.scalars(select(Event))]
    assert kinds[-1] == "account_deleted"


async def test_nothing_of_the_person_is_left_but_the_last_mail(rig, ada):
    await ask_deletion(ada)
    await rig.mails()  # all have left the queue
    rig.clock.now += WAIT_S
    await rig.parts.waiting.carry_out()
    assert [mail.subject for mail in await rig.mails()] == ["The account was deleted"]
    async with rig.parts.database.read() as session:
        for table in METADATA.sorted_tables:
            rows = str((await session.execute(select(table))).all())
            assert NUMBER not in rows and "Bell" not in rows, table.name
            assert NEW_EMAIL not in rows or table.name in ("messages", "outbox"), table.name
            assert EMAIL not in rows or table.name in ("messages", "outbox"), table.name


async def test_who_deleted_an_account_may_sign_up_again(rig, ada):
    await ask_deletion(ada)
    rig.clock.now += WAIT_S
    await rig.parts.waiting.carry_out()
    assert (await rig.browser().join()).path == "/security/choose"


async def test_a_deletion_is_stopped_by_its_person_on_the_page_and_by_the_mail(rig, ada):
    for how in ("page", "mail"):
        rig.clock.now += 60
        await ask_deletion(ada)
        if how == "page":
            await ada.post("/waiting/stop", form_page="/profile/data", kind="deletion")
        else:
            mails = [
                mail for mail in await rig.mails(EMAIL) if mail.subject == "The account is to be deleted"
            ]
            await rig.browser().post(re.search(r"https://[^/]+(/waiting#\S+)", mails[0].body)[1])
        assert "will be deleted on" not in (await ada.get("/profile/data")).text
    rig.clock.now += WAIT_S
    assert await rig.parts.waiting.carry_out() == 0


async def test_the_data_is_saved_as_ever_while_a_deletion_waits_and_the_page_says_until_when(rig, ada):
    """Whoever leaves may take along what is theirs: with the proof that it always takes, and told as ever."""
    assert "You can save it until" not in (await ada.get("/profile/data")).text
    page = await ask_deletion(ada)
    assert "You can save it until the account is deleted, on <strong>" in page.text
    assert "Afterwards nothing is left to save." in page.text
    status, _, content = await export(rig, ada)
    waits = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("waiting_changes.json"))
    assert status == 200 and [row["kind"] for row in waits] == [DELETION]
    assert (await rig.mails(EMAIL))[0].subject == "All data of the account was exported"
    rig.clock.now += PROVED_S
    assert (await export(rig, ada))[0] == 422


async def test_a_deletion_asks_for_the_password_and_a_tick(rig, ada):
    assert (await ask_deletion(ada, sure="")).status == 422
    rig.clock.now += PROVED_S
    assert (await ask_deletion(ada)).status == 422
    await ada.prove(ada.totp)
    assert (await ask_deletion(ada, sure="")).status == 422
    assert "will be deleted on" not in (await ada.get("/profile/data")).text


async def test_of_a_stop_and_the_deed_at_once_one_happens(rig, ada):
    await ask_deletion(ada)
    holder = (await rig.parts.administration.find(EMAIL)).id
    rig.clock.now += WAIT_S
    visit = Visit("", "", "", rig.clock())
    stopped, _ = await asyncio.gather(
        rig.parts.waiting.stop(holder, DELETION, visit), rig.parts.waiting.carry_out()
    )
    assert stopped == (await rig.parts.administration.find(EMAIL) is not None)
