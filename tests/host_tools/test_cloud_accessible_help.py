"""The help centre and the desk for everybody: axe-core, the keyboard alone, 320 px; files in Chromium."""

from gatelodge import log
from playwright.async_api import expect
from sqlalchemy import update

from host_tools.cloud.help import roles
from host_tools.cloud.oidc.described import Described
from host_tools.cloud.store.models import Account, Router
from tests.host_tools.oidc_rig import BACK
from tests.host_tools.test_cloud_accessible import (  # noqa: F401
    assert_all_reached,
    assert_no_fault,
    enrol,
    look_at,
    rig,
    tab,
)
from tests.host_tools.test_cloud_browser import EMAIL, SERIAL, join
from tests.host_tools.test_cloud_diagnostics import KNOWS, asked_of, send_report
from tests.host_tools.test_cloud_help import PNG

SUBJECT = "No internet since Monday, and the lamp of the line is red"


async def ask(rig, tab):  # noqa: F811
    await tab.goto(str(rig.server.make_url("/help/new")))
    await tab.get_by_label("Subject").fill(SUBJECT)
    await tab.get_by_label("What happens").fill("It stopped at ten.\n" + "averyverylongword" * 12)
    await tab.get_by_label("Attachments").set_input_files(
        [
            {"name": "Küche & <lamp>.png", "mimeType": "image/png", "buffer": PNG},
            {"name": "log.txt", "mimeType": "text/plain", "buffer": b"the line went down"},
        ]
    )
    await tab.get_by_role("button", name="Send to support").click()
    await expect(tab.get_by_text("Waiting for support")).to_be_visible()


async def test_who_asks_support_finds_every_page_accessible(rig, tab):  # noqa: F811
    await join(rig, tab)
    await look_at(rig, tab, "/help", "/help/new")
    await tab.get_by_role("button", name="Send to support").click()
    await tab.locator("[aria-invalid=true]").first.wait_for()
    await assert_no_fault(tab)
    await ask(rig, tab)
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    async with tab.expect_download() as coming:
        await tab.get_by_role("link", name="Küche").click()
    saved = await coming.value
    assert saved.suggested_filename == "Küche & lamp.png"
    await look_at(rig, tab, "/help")


async def test_who_attaches_diagnostics_finds_every_page_accessible(rig, tab):  # noqa: F811
    await join(rig, tab)
    account = await rig.parts.administration.find(EMAIL)
    await rig.make_router(SERIAL)
    async with rig.parts.database.write() as session:
        (await session.get_one(Router, SERIAL)).owner_id = account.id
    await rig.hub.connect(SERIAL, takes=KNOWS)
    await look_at(rig, tab, "/help/new")
    await tab.get_by_text("What is sent").click()
    await assert_no_fault(tab)
    await tab.get_by_label("Subject").fill(SUBJECT)
    await tab.get_by_label("Which router").select_option(SERIAL)
    await tab.get_by_label("What happens").fill("It stopped at ten.")
    await tab.get_by_label("Attach the router's diagnostics").check()
    await tab.get_by_label("Let me look at them first").check()
    await assert_no_fault(tab)
    await tab.get_by_role("button", name="Send to support").click()
    await expect(tab.get_by_text("Asked for")).to_be_visible()
    await assert_no_fault(tab)
    log.info("week", "line after line %s", "and so on " * 20)
    await asked_of(rig)
    await send_report(rig)
    await expect(tab.get_by_text("Only you see them yet")).to_be_visible()  # by itself
    path = await tab.get_by_role("link", name="Diagnostics of").get_attribute("href")
    await look_at(rig, tab, path)
    await assert_all_reached(tab)
    await tab.get_by_role("button", name="Attach them").click()
    await tab.get_by_role("link", name="Diagnostics of").click()
    await tab.get_by_role("button", name="Remove them for both sides").click()
    await expect(tab.get_by_text("The diagnostics are removed")).to_be_visible()
    await assert_no_fault(tab)


async def test_who_answers_at_the_desk_finds_every_page_accessible(rig, tab):  # noqa: F811
    await join(rig, tab)
    visit_account = await rig.parts.administration.find(EMAIL)
    async with rig.parts.database.write() as session:
        (await session.get_one(type(visit_account), visit_account.id)).role = roles.ADMIN
    await look_at(rig, tab, "/desk")
    await expect(tab.get_by_text("needs a second factor")).to_be_visible()
    await tab.goto(str(rig.server.make_url("/security/authenticators/add")))
    await enrol(rig, tab)
    other = rig.browser()
    await other.join("eve@example.org")
    await rig.own_router(SERIAL, other)
    await other.post("/help/new", subject=SUBJECT, router=SERIAL, text="It stopped at ten.")
    await look_at(rig, tab, "/desk", "/desk?state=closed")
    await tab.goto(str(rig.server.make_url("/desk")))
    await tab.get_by_role("link", name=SUBJECT).click()
    await tab.get_by_label("Note").fill("The third this week.")
    await tab.get_by_role("button", name="Keep the note").click()
    await expect(tab.get_by_text("The third this week.")).to_be_visible()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
    await tab.get_by_role("button", name="Remove the request").click()
    await tab.locator("[aria-invalid=true]").first.wait_for()
    await assert_no_fault(tab)


async def test_who_looks_after_applications_finds_every_page_accessible(rig, tab):  # noqa: F811
    await join(rig, tab)
    await tab.goto(str(rig.server.make_url("/security/authenticators/add")))
    await enrol(rig, tab)
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(role=roles.CLIENTS))
    long = "https://staging.garden.example.org/a/rather/long/address/of/an/application"
    await rig.parts.oidc.clients.add(Described("garden", "Garden App", [long, BACK], plain=True))
    deeds = ("secret", "disable", "enable", "remove")
    await look_at(rig, tab, "/clients", "/clients/garden", *(f"/clients/garden/{deed}" for deed in deeds))
    await look_at(rig, tab, "/clients/_add")
    await tab.get_by_label("Name", exact=True).fill("Porch")
    await tab.get_by_label("Id", exact=True).fill("porch")
    await tab.get_by_label("Redirect addresses").fill("javascript:alert(1)")
    await tab.get_by_label("How it proves itself").select_option("secret")
    await tab.get_by_label("Make it an exception").check()
    await tab.get_by_role("button", name="Add it").click()
    await tab.locator("[aria-invalid=true]").first.wait_for()
    await assert_no_fault(tab)
    await tab.get_by_label("Redirect addresses").fill(BACK)
    await tab.get_by_role("button", name="Add it").click()
    await tab.locator("#secret").wait_for()
    await assert_no_fault(tab)
    await assert_all_reached(tab)
