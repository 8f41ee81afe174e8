"""Undoing a change by the link of its mail: with the password of before, and by nobody else."""

import asyncio
import re

import pytest
from sqlalchemy import update

from host_tools.cloud import links
from host_tools.cloud.accounts import numbers, undo
from host_tools.cloud.accounts.undo import UNDO_S
from host_tools.cloud.store.models import Account, Session
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD, PATIENCE_S, code_in
from tests.host_tools.test_cloud_passkeys import ORIGIN, add, enter

EMAIL, OTHER = "ada@example.org", "bob@example.org"
NEW, NUMBER = "seven herons on the weir", "+32470123456"
LINK = re.compile(r"https://[^/]+(/undo#\S+)")


async def link(rig, subject):
    [mail] = [mail for mail in await rig.mails(EMAIL) if mail.subject == subject]
    return LINK.search(mail.body)[1]


async def add_phone(rig, browser):
    await browser.post("/security/phones/add", number=NUMBER, password=PASSWORD)
    code = code_in((await rig.mails(numbers.canonical(NUMBER)))[0])
    await browser.post("/security/phones/confirm", code=code)


async def remove(browser, what):
    path = re.search(rf"/security/{what}/[0-9a-f]{{30}}(/remove)?", (await browser.get("/security")).text)[0]
    target = path if path.endswith("/remove") else path + "/remove"
    return await browser.post(target, form_page=path, password=PASSWORD)


async def add_passkey(rig, browser):
    await add(browser, SoftPasskey(ORIGIN))


async def add_authenticator(rig, browser):
    await browser.enrol()


WAYS = [
    (add_authenticator, "authenticators", "An authenticator was", "My phone"),
    (add_phone, "phones", "A phone number was", "+32 470 12 34 56"),
    (add_passkey, "passkeys", "A passkey was", "My phone"),
]


@pytest.mark.parametrize("make, what, said, name", WAYS)
async def test_what_was_added_goes_and_everybody_is_out(rig, ada, make, what, said, name):
    await make(rig, ada)
    page = await rig.browser().post(await link(rig, f"{said} added"), password=PASSWORD)
    assert page.path == "/sign-in" and "undone" in page.text
    assert (await ada.get("/routers")).path == "/sign-in"
    assert (await rig.mails(EMAIL))[0].subject == "A change was undone"
    assert (await ada.enter()).path == "/routers"  # by mail again: nothing is chosen
    text = (await ada.get("/security")).text
    assert name not in text and "Recovery codes" not in text


@pytest.mark.parametrize("make, what, said, name", WAYS)
async def test_what_was_removed_comes_back_and_is_asked_again(rig, ada, make, what, said, name):
    await make(rig, ada)
    await remove(ada, what)
    assert name not in (await ada.get("/security")).text
    await rig.browser().post(await link(rig, f"{said} removed"), password=PASSWORD)
    page = await ada.sign_in()
    assert page.path == "/sign-in/code" and "Code from the e-mail" not in page.text


async def test_a_passkey_that_came_back_works(rig, ada):
    key, _ = await add(ada, SoftPasskey(ORIGIN, sign_count=1))
    await remove(ada, "passkeys")
    await rig.browser().post(await link(rig, "A passkey was removed"), password=PASSWORD)
    assert (await enter(rig.browser(), key)).path == "/routers"


async def test_a_new_password_is_undone_with_the_old_one(rig, ada):
    await ada.post("/security/password", password=PASSWORD, new_password=NEW)
    path = await link(rig, "The password was changed")
    assert (await rig.browser().post(path, password=NEW)).status == 422
    await rig.browser().post(path, password=PASSWORD)
    assert (await ada.sign_in(password=NEW)).status == 422
    assert (await ada.sign_in()).path == "/sign-in/code"


async def test_who_took_the_account_over_is_out_although_they_changed_the_password_last(rig, ada):
    """Added a factor, then changed the password: the owner undoes the first with the password of then."""
    await ada.enrol()
    await ada.post("/security/password", password=PASSWORD, new_password=NEW)
    owner = rig.browser()
    assert (
        await owner.post(await link(rig, "An authenticator was added"), password=PASSWORD)
    ).path == "/sign-in"
    assert (
        await owner.post(await link(rig, "The password was changed"), password=PASSWORD)
    ).path == "/sign-in"
    assert (await owner.enter()).path == "/routers"


async def test_who_only_reads_the_mail_undoes_nothing(rig, ada):
    """A reset by mail does not give the password that was valid when the factor was added."""
    await ada.enrol()
    path = await link(rig, "An authenticator was added")
    reader = rig.browser()
    await reader.post("/forgotten", email=EMAIL)
    async with asyncio.timeout(PATIENCE_S):
        while (mail := (await rig.mails(EMAIL))[0]).subject != "Set a new password":
            await asyncio.sleep(0.01)
    await reader.post("/forgotten/code", code=code_in(mail))
    assert (await reader.post("/forgotten/password", new_password=NEW)).path == "/sign-in/code"
    assert (await reader.post(path, password=NEW)).status == 422
    assert "authenticator app" in (await rig.browser().sign_in(password=NEW)).text


async def test_new_recovery_codes_that_were_not_mine_are_void(rig, ada):
    await ada.enrol()
    page = await ada.post("/security/recovery-codes", password=PASSWORD)
    code = re.search(r"<code>([0-9A-Z]{5}-[0-9A-Z]{5})</code>", page.text)[1]
    await rig.browser().post(await link(rig, "New recovery codes were made"), password=PASSWORD)
    other = rig.browser()
    await other.sign_in()
    assert (await other.post("/sign-in/code", code=code)).status == 422


async def test_a_link_undoes_once_and_for_three_days_and_opening_it_changes_nothing(rig, ada):
    await ada.enrol()
    path = await link(rig, "An authenticator was added")
    assert "My phone" in (await rig.browser().get(path)).text
    assert "My phone" in (await ada.get("/security")).text
    rig.clock.now += UNDO_S
    assert (await rig.browser().get(path)).status == 410
    rig.clock.now -= UNDO_S
    await rig.browser().post(path, password=PASSWORD)
    assert (await rig.browser().get(path)).status == 410
    assert (await rig.browser().get("/undo#" + links.new_code())).status == 410


async def test_what_was_added_anew_is_not_there_twice(rig, ada):
    await add_phone(rig, ada)
    await remove(ada, "phones")
    rig.clock.now += 60
    await add_phone(rig, ada)
    path = await link(rig, "A phone number was removed")
    assert (await rig.browser().post(path, password=PASSWORD)).path == "/sign-in"
    assert "Code from the text message" in (await ada.sign_in()).text


async def test_who_is_signed_in_to_another_account_stays_so(rig, ada):
    """The link's account is out of everything; the browser that opened it keeps its own session."""
    await ada.enrol()
    path, bob = await link(rig, "An authenticator was added"), rig.browser()
    await bob.join(OTHER)
    page = await bob.get(path)
    assert f"signed in as <strong>{OTHER}</strong>, and this is about another account" in page.text
    assert "Every session ends" not in page.text
    page = await bob.post(path, password=PASSWORD)
    assert page.path == "/undo" and f"still signed in as <strong>{OTHER}</strong>" in page.text
    assert "Clear-Site-Data" not in page.headers and "Set-Cookie" not in page.headers
    assert (await bob.get("/profile")).path == "/profile" and OTHER in (await bob.get("/security/log")).text
    assert (await ada.get("/routers")).path == "/sign-in"
    assert "My phone" not in (await (await again(ada)).get("/security")).text
    page = await bob.post_raw("/sign-out", {"csrf": page.csrf})  # what the page leads on to
    assert page.path == "/sign-in" and 'href="/forgotten"' in page.text
    assert (await bob.get("/routers")).path == "/sign-in"


async def again(browser):
    await browser.enter()
    return browser


async def test_whose_own_change_it_is_signs_out_in_the_browser_that_undoes_it(rig, ada):
    await ada.enrol()
    path = await link(rig, "An authenticator was added")
    assert "Every session ends" in (await ada.get(path)).text
    page = await ada.post(path, password=PASSWORD)
    assert page.path == "/sign-in" and "every session has ended" in page.text
    assert page.headers.get("Set-Cookie") is None and (await ada.get("/routers")).path == "/sign-in"


async def test_to_prove_who_they_are_others_are_told_to_sign_in_to_the_right_account(rig, ada):
    """Their own proof, however fresh, counts for nothing there."""
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(password_hash=""))
        await session.execute(update(Session).values(proved_at=rig.clock()))
    await add(ada, SoftPasskey(ORIGIN))
    path, bob = await link(rig, "A passkey was added"), rig.browser()
    await bob.join(OTHER)
    await bob.prove()
    for page in (await bob.get(path), await bob.post(path)):
        assert page.status in (403, 422) and "Sign out, sign in to that account" in page.text
        assert 'href="/security/prove"' not in page.text
    assert "My phone" in (await ada.get("/security")).text
    assert (await bob.get("/profile")).path == "/profile"


async def test_guesses_of_the_password_are_bounded(rig, ada):
    await ada.enrol()
    path = await link(rig, "An authenticator was added")
    statuses = [(await rig.browser().post(path, password=f"guess {index}")).status for index in range(12)]
    assert statuses == [422] * 10 + [429] * 2


def test_steps_survive_their_packing():
    steps = [undo.Step(undo.RESTORE, "passkeys", {"id": "a", "public_key": b"\0\xff", "doubted_at": None})]
    assert undo.unpacked(undo.packed(steps)) == steps
