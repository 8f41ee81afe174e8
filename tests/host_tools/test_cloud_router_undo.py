"""Undoing what was changed on a router's own page, by the link of the mail that told of it (G5).

The router's part is its own code, with a store of its own; the link between the two is in tests/system.
"""

import re
from email import message_from_bytes, policy

import pytest
from gatelodge import log, store_keys

from host_tools.cloud.accounts.proof import PROVED_S
from host_tools.cloud.delivery.config import Delivery
from host_tools.cloud.delivery.texts import Text
from host_tools.cloud.routers import undos
from tests.firmware.owner_rig import HOME, THIEF, Router, refused
from tests.firmware.owner_rig import PASSWORD as ROUTERS
from tests.host_tools.cloud_rig import PASSWORD, Rig, code_in
from tests.host_tools.smtp_rig import mail_server
from tests.host_tools.test_cloud_router_notices import ADA, SERIAL, account_id, tell

THIEFS = "seven herons on the weir"
CHANGED = "Your router's password was changed"
LINK = re.compile(r"https://[^/]+(/security/routers/[0-9a-f]+)")


class AtHome:
    """The router of an account: its owner's code, and what it says over its link."""

    def __init__(self, rig, account):
        self.rig, self.account, self.router = rig, account, Router()
        self.router.set_up()
        self.router.store.put(store_keys.CLOUD_OWNER, {"account_id": account, "name": "", "email": ""})
        self.said = []
        self.router.owner.tell_notices_to(lambda *told: self.said.append(told))
        self.thief = self.router.sign_in(THIEF)

    async def is_taken_over(self, old=ROUTERS, new=THIEFS):
        """A thief changes the password, and the router says so. Returns the path of the mail's link."""
        self.router.owner.security.change_password(self.thief, THIEF, old, new)
        await self.speak()
        mails = await self.rig.mails(ADA)
        return LINK.search(next(mail.body for mail in mails if mail.subject == CHANGED))[1]

    async def speak(self):
        for number, (kind, entry, undo_id) in enumerate(self.said):
            place = {"address": entry["address"], "browser": entry["browser"], "at": entry["at"]}
            about = {"account_id": self.account, "kind": kind, "undo": undo_id}
            await tell(self.rig, f"{entry['number']}.{number}", **place, **about)
        self.said.clear()

    async def answer(self):
        """Do what the cloud has asked for last, and tell what came of it."""
        serial_number, command_id, name, args = self.rig.hub.asked[-1]
        assert name == "undo"
        value = {"undone": self.router.owner.undo(args)}
        await self.end(command_id, ok=True, value=value)
        await self.speak()

    async def end(self, command_id, ok, value=None, error=None):
        result = {"type": "result", "id": command_id, "ok": ok, "value": value, "error": error}
        await self.rig.hub.ended(SERIAL, result)

    def takes(self, password):
        return bool(self.router.owner.signing_in.password(password, HOME))


@pytest.fixture
async def home(rig, ada):
    """Ada has a second factor, and a router that knows of undoing."""
    log.configure("/dev/null")
    await rig.own_router(SERIAL, ada)
    await rig.hub.connect(SERIAL, takes={"undo": True})
    _, page = await ada.enrol()
    assert page.status == 200
    yield AtHome(rig, await account_id(rig))
    log.configure()


async def asked(rig, count=1):
    await rig.until(lambda: len(rig.hub.asked) >= count)


async def test_the_link_of_the_mail_leads_back_to_the_password_of_before(rig, ada, home):
    path = await home.is_taken_over()
    page = await ada.get(path)
    assert rig.hub.asked == []  # opening it changes nothing
    for text in (SERIAL, "password of its page was changed", THIEF.address, "Firefox on Linux", "Undo them"):
        assert text in page.text
    page = await ada.post(path, password=PASSWORD)
    assert "The router has been asked" in page.text and "data-live" in page.text
    await asked(rig)
    await home.answer()
    assert "The changes are undone" in (await ada.get(path)).text
    assert home.takes(ROUTERS)
    assert refused(home.router.owner.signing_in.password, THIEFS, THIEF).field == "password"
    assert "A router was asked to undo changes" in (await ada.get("/security/log")).text


async def test_the_link_arrives_by_a_mail_server_and_opens(tmp_path):
    with mail_server() as inbox:
        async with Rig(tmp_path, delivery=Delivery(smtp=inbox.settings())) as rig:
            browser = rig.browser()
            await browser.sign_up()
            await browser.post("/confirm", code=code_in(await arrived(rig, inbox, "Confirm your")))
            await rig.own_router(SERIAL, browser)
            await tell(rig, kind="password_changed", undo="u1")
            path = LINK.search((await arrived(rig, inbox, CHANGED)).body)[1]
            assert SERIAL in (await browser.get(path)).text


async def arrived(rig, inbox, subject):
    """The mail whose subject begins so, once the server has it."""
    return await rig.until(
        lambda: next((mail for mail in read(inbox) if mail.subject.startswith(subject)), None)
    )


def read(inbox):
    parsed = [message_from_bytes(mail.content, policy=policy.default) for mail in inbox.mails]
    return [Text(message["Subject"], message.get_content()) for message in parsed]


async def test_the_page_of_the_router_leads_there_too_until_it_is_undone(rig, ada, home):
    path = await home.is_taken_over()
    await home.is_taken_over(THIEFS, THIEFS + " still")
    page = await ada.get(f"/routers/{SERIAL}")
    assert page.text.count(f'href="{path}"') == 1
    assert (await ada.get(path)).text.count("password of its page was changed") == 2
    await ada.post(path, password=PASSWORD)
    await asked(rig)
    await home.answer()
    assert home.takes(ROUTERS)
    assert path not in (await ada.get(f"/routers/{SERIAL}")).text
    assert (await rig.mails(ADA))[0].subject == "Changes were undone at your router"


async def test_a_router_that_is_offline_is_asked_when_it_is_back_and_the_page_says_so(rig, ada, home):
    path = await home.is_taken_over()
    await rig.hub.disconnect(SERIAL)
    assert "It undoes this once it is back" in (await ada.get(path)).text
    page = await ada.post(path, password=PASSWORD)
    assert "It undoes this once it is back" in page.text and rig.hub.asked == []
    await rig.hub.connect(SERIAL, takes={"undo": True})
    await asked(rig)
    await home.answer()
    assert "The changes are undone" in (await ada.get(path)).text


async def test_who_has_the_mail_alone_undoes_nothing(rig, ada, home):
    path = await home.is_taken_over()
    stranger = rig.browser()
    assert (await stranger.get(path)).path == "/sign-in"
    await stranger.post("/sign-in", email=ADA, password=PASSWORD)
    assert (await stranger.get(path)).path == "/sign-in"  # a second factor is missing
    rig.clock.now += PROVED_S  # since the factor was set up
    page = await ada.post(path, password=PASSWORD)  # nor is the password enough
    assert page.status == 422 and rig.hub.asked == []


async def test_whoever_comes_by_the_link_is_led_on_to_it_after_signing_in(rig, ada, home):
    path = await home.is_taken_over()
    await ada.sign_out()
    assert "Then you are led on" in (await ada.get(path)).text
    page = await ada.sign_in()  # the browser is trusted, or enters a code
    assert page.path in (path, "/sign-in/code")


async def test_without_a_second_factor_in_the_account_it_says_what_to_do_first(rig, eve):
    await rig.own_router(SERIAL, eve)
    eves = await account_id(rig, "eve@example.org")
    await tell(rig, account_id=eves, kind="password_changed", undo="u1")
    path = LINK.search((await rig.mails("eve@example.org"))[0].body)[1]
    page = await eve.get(path)
    assert "second factor" in page.text and 'action="/security/routers' not in page.text
    page = await eve.post_raw(path, {"csrf": page.csrf, "password": PASSWORD})
    assert page.status == 422 and rig.hub.asked == []


async def test_another_account_finds_nothing_there(rig, ada, home, eve):
    path = await home.is_taken_over()
    assert (await eve.get(path)).status == (await eve.get(path + "/live")).status == 404
    page = await eve.get("/routers")
    assert (await eve.post_raw(path, {"csrf": page.csrf, "password": PASSWORD})).status in (404, 422)
    assert rig.hub.asked == []


async def test_a_thief_who_releases_the_router_first_is_undone_all_the_same(rig, ada, home):
    records, undo_id = home.router.owner.before_release()
    home.router.store.put_many(records, (store_keys.CLOUD_OWNER,))
    await rig.hub.release(SERIAL, home.account, undo_id)
    home.router.owner.security.change_password(home.thief, THIEF, ROUTERS, THIEFS)
    mail = (await rig.mails(ADA))[0]
    assert mail.subject == "A router was released"
    path = LINK.search(mail.body)[1]
    assert "released from your account" in (await ada.get(path)).text
    await ada.post(path, password=PASSWORD)
    await asked(rig)
    await home.answer()
    page = await ada.get(path)
    assert "The changes are undone" in page.text and "not in your account any more" in page.text
    assert home.takes(ROUTERS)
    assert (await rig.mails(ADA))[0].subject == "Changes were undone at your router"


async def test_twice_is_harmless_and_too_late_is_told_with_the_remedy(rig, ada, home):
    path = await home.is_taken_over()
    await ada.post(path, password=PASSWORD)
    form = await ada.get("/security")
    await ada.post_raw(path, {"csrf": form.csrf, "password": PASSWORD})
    await asked(rig)
    assert len(rig.hub.asked) == 1
    home.router.owner.reset.wipe("a thief")  # and nothing is kept any more
    await home.answer()
    page = await ada.get(path)
    assert "cannot be undone any more" in page.text and "serial console" in page.text


async def test_after_three_days_nobody_is_asked(rig, ada, home):
    path = await home.is_taken_over()
    await rig.hub.disconnect(SERIAL)
    await ada.post(path, password=PASSWORD)
    rig.clock.now += undos.UNDO_S
    await rig.hub.connect(SERIAL, takes={"undo": True})
    await rig.parts.undos.linked(SERIAL)
    assert rig.hub.asked == []
    await rig.parts.undos.prune(rig.clock() + undos.KEPT_S + 1)
    async with rig.parts.database.read() as session:
        assert await session.get(undos.RouterUndo, path.rsplit("/", 1)[1]) is None


async def test_a_router_that_could_not_is_asked_again_and_then_the_person(rig, ada, home):
    path = await home.is_taken_over()
    await ada.post(path, password=PASSWORD)
    for count in range(1, undos.TRIES_MAX + 1):
        await asked(rig, count)
        await home.end(rig.hub.asked[-1][1], ok=False, error="the router is busy with earlier commands")
    assert len({command_id for _, command_id, _, _ in rig.hub.asked}) == undos.TRIES_MAX
    page = await ada.get(path)
    assert "Try again" in page.text and "Undo them" in page.text
    await ada.post(path, password=PASSWORD)
    await asked(rig, undos.TRIES_MAX + 1)
    await home.answer()
    assert "The changes are undone" in (await ada.get(path)).text


async def test_an_older_firmware_is_not_asked(rig, ada, home):
    path = await home.is_taken_over()
    await rig.hub.connect(SERIAL)
    await ada.post(path, password=PASSWORD)
    await rig.parts.undos.linked(SERIAL)
    assert rig.hub.asked == [] and "Try again" in (await ada.get(path)).text
