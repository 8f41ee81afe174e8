"""What a router has its owner told: to whom, how often, and in which words."""

import pytest
from gatelodge.contract.messages import NOTICES
from sqlalchemy import select

from host_tools.cloud.accounts.throttle import LIMITS
from host_tools.cloud.delivery import texts
from host_tools.cloud.routers.notices import KEPT_S
from host_tools.cloud.store.models import Account, Notice, Router

SERIAL = "GL-0001"
ADA = "ada@example.org"


@pytest.fixture
async def ada(rig):
    """The account that owns the router."""
    browser = rig.browser()
    await browser.join()
    await rig.own_router(SERIAL, browser)
    return browser


async def account_id(rig, email=ADA):
    async with rig.parts.database.read() as session:
        return await session.scalar(select(Account.id).where(Account.email == email))


async def tell(rig, notice_id="n1", serial_number=SERIAL, **changed):
    notice = {
        "type": "notice", "notice_id": notice_id, "account_id": await account_id(rig), "kind": "new_browser",
        "at": 1795281600, "address": "192.168.1.9", "browser": "Firefox on Linux", "dropped": 0,
        "undo": None,
    }  # fmt: skip
    await rig.hub.notice(serial_number, {**notice, **changed})


async def told(rig, email=ADA):
    """The mails about notices, the newest first."""
    return [mail for mail in await rig.mails(email) if "This was not me" in mail.body]


async def test_the_owner_is_mailed_what_happened_when_and_from_where(rig, ada):
    await tell(rig)
    (mail,) = await told(rig)
    assert mail.subject == "A new browser signed in to your router"
    for part in (SERIAL, "Firefox on Linux", "192.168.1.9", "21 Nov 2026", "Security"):
        assert part in mail.body


async def test_a_repeated_notice_is_mailed_once(rig, ada):
    for _ in range(3):
        await tell(rig)
    assert len(await told(rig)) == 1
    await tell(rig, "n2")
    assert len(await told(rig)) == 2


async def test_a_notice_for_the_owner_before_reaches_nobody(rig, ada):
    eve = rig.browser()
    await eve.join("eve@example.org")
    await tell(rig, account_id=await account_id(rig, "eve@example.org"))
    await rig.hub.release(SERIAL, await account_id(rig))
    await tell(rig, "n2")
    assert await told(rig) == await told(rig, "eve@example.org") == []


async def test_a_router_speaks_of_itself_only(rig, ada):
    await rig.make_router("GL-0002", 2)
    await tell(rig, serial_number="GL-0002")
    await tell(rig, serial_number="GL-9999")
    assert await told(rig) == []


async def test_a_router_that_says_too_much_is_not_heard_for_a_while(rig, ada, caplog):
    limit = LIMITS["notice.account"]
    for number in range(limit.burst + 3):
        await tell(rig, f"n{number}")
    assert len(await told(rig)) == limit.burst
    assert "told too often" in caplog.text
    rig.clock.now += limit.every_s
    await tell(rig, "later")
    assert len(await told(rig)) == limit.burst + 1


async def test_what_was_taken_is_forgotten_after_a_month(rig, ada):
    await tell(rig)
    await rig.parts.notices.prune(rig.clock() + KEPT_S + 1)
    async with rig.parts.database.read() as session:
        assert list(await session.scalars(select(Notice))) == []
        assert await session.get(Router, SERIAL) is not None


async def test_what_can_be_undone_has_room_whatever_else_a_thief_had_told(rig, ada):
    for number in range(LIMITS["notice.account"].burst + 1):
        await tell(rig, f"n{number}", kind="token_created")
    await tell(rig, "last", kind="password_changed", undo="u1")
    assert (await told(rig))[0].subject == "Your router's password was changed"


def notice(**changed):
    known = {"kind": "locked_out", "at": None, "address": "console", "browser": "", "dropped": 0}
    return texts.router_notice(SERIAL, {**known, **changed})


def test_every_kind_of_the_contract_has_its_words():
    subjects = {notice(kind=kind).subject for kind in NOTICES}
    assert len(subjects) == len(NOTICES)
    assert notice(kind="frobbed").subject not in subjects


def test_what_a_router_writes_stays_on_its_line_and_out_of_the_subject():
    text = notice(browser="Fire\nfox\r\nBcc: x@example.org", address="1\u2028\u202e2", kind="a\nb")
    assert "\n" not in text.subject
    assert "Browser: Fire fox  Bcc: x@example.org\n" in text.body
    assert "From: 1  2\n" in text.body


def test_what_was_dropped_and_an_unset_clock_are_told():
    body = notice(dropped=3).body
    assert "3 more happened" in body
    assert "its clock was not set" in body
