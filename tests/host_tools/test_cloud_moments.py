"""What happens to an account while something else of it is under way: hashing takes its time."""

import pytest
from sqlalchemy import delete, func, select, update

from host_tools.cloud.accounts.passwords import Hasher
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import DELETION, KINDS_OF_CHANGE
from host_tools.cloud.pages.guards import SESSION_COOKIE
from host_tools.cloud.store.models import Account, Event, Router, Session
from host_tools.cloud.store.passkey_models import Passkey
from tests.host_tools.cloud_rig import PASSWORD, code_in
from tests.host_tools.test_cloud_passkeys import add, enter
from tests.host_tools.test_cloud_resets import ask

EMAIL = "ada@example.org"
NEXT_PASSWORD = "a lantern at the ford"


async def delete_account(rig):
    """As if its two weeks were over."""
    account = await rig.parts.administration.find(EMAIL)
    asked = Visit("", "", "", rig.clock() - KINDS_OF_CHANGE[DELETION].wait_s)
    await rig.parts.waiting.ask(account.id, DELETION, "", asked)
    assert await rig.parts.waiting.carry_out() == 1


def while_hashing(monkeypatch, rig, deed):
    """Once, the next time that a password is looked at, and before it is said to be right."""
    matches, deeds = rig.parts.hasher.matches, [deed]

    async def slow(*asked):
        right = await matches(*asked)
        while deeds:
            await deeds.pop()()
        return right

    monkeypatch.setattr(rig.parts.hasher, "matches", slow)


async def sessions(rig):
    async with rig.parts.database.read() as session:
        return list(await session.scalars(select(Session)))


async def test_who_signs_in_while_the_account_is_deleted_is_refused(rig, ada, monkeypatch):
    while_hashing(monkeypatch, rig, lambda: delete_account(rig))
    page = await rig.browser().sign_in()
    assert (page.status, page.path) == (422, "/sign-in")
    assert await sessions(rig) == []


@pytest.mark.parametrize("path, form, fields", [
    ("/profile/data/delete", "/profile/data", {"sure": "yes"}),
    ("/security/password", "/security/password", {"new_password": NEXT_PASSWORD}),
    ("/profile/email", "/profile", {"email": "ada@example.net"}),
    ("/security/prove/password", "/security/prove", {}),
])  # fmt: skip
async def test_a_form_of_an_account_that_is_deleted_leads_to_the_sign_in(
    rig, ada, monkeypatch, caplog, path, form, fields
):
    while_hashing(monkeypatch, rig, lambda: delete_account(rig))
    page = await ada.post(path, form_page=form, password=PASSWORD, **fields)
    assert (page.status, page.path) == (200, "/sign-in")
    assert "Traceback" not in caplog.text
    async with rig.parts.database.read() as session:
        assert await session.scalar(select(Account)) is None


async def test_a_password_that_is_changed_meanwhile_lets_nobody_in(rig, ada, monkeypatch):
    """Else a thief who signs in at that moment would outlive the change that ends every session."""
    thief = rig.browser()
    form = await thief.get("/sign-in")

    async def change():
        page = await ada.post("/security/password", password=PASSWORD, new_password=NEXT_PASSWORD)
        assert page.path == "/security"

    while_hashing(monkeypatch, rig, change)
    page = await thief.post_raw("/sign-in", {"csrf": form.csrf, "email": EMAIL, "password": PASSWORD})
    assert (page.status, page.path) == (422, "/sign-in")
    assert len(await sessions(rig)) == 1
    assert (await rig.browser().sign_in(EMAIL, NEXT_PASSWORD)).path == "/sign-in/code"


async def test_a_password_proves_nothing_once_only_passkeys_sign_in(rig, ada, monkeypatch):
    await add(ada)
    rig.clock.now += 600  # what that has proved is over

    async def switch_on():
        async with rig.parts.database.write() as session:
            await session.execute(update(Account).values(passkeys_only_at=rig.clock()))

    while_hashing(monkeypatch, rig, switch_on)
    page = await ada.post("/security/prove/password", form_page="/security/prove", password=PASSWORD)
    assert page.status == 422
    assert [session.proved_at for session in await sessions(rig)] == [rig.clock() - 600]


def before_its_session(monkeypatch, rig, deed):
    """After a first step that was right, and before what follows it."""
    begin = rig.parts.second_step.begin

    async def slow(*asked, **more):
        monkeypatch.setattr(rig.parts.second_step, "begin", begin)
        await deed()
        return await begin(*asked, **more)

    monkeypatch.setattr(rig.parts.second_step, "begin", slow)


async def test_a_passkey_that_is_dropped_meanwhile_lets_nobody_in(rig, ada, monkeypatch):
    async def drop():
        async with rig.parts.database.write() as session:
            await session.execute(delete(Passkey))

    key, _ = await add(ada)
    before_its_session(monkeypatch, rig, drop)
    page = await enter(thief := rig.browser(), key)
    assert (page.status, page.path) == (422, "/sign-in/passkey")
    assert (await thief.get("/routers")).path == "/sign-in" and len(await sessions(rig)) == 1


async def test_a_reset_that_another_password_overtakes_lets_nobody_in(rig, ada, monkeypatch):
    async def change():
        async with rig.parts.database.write() as session:
            await session.execute(update(Account).values(password_hash="another"))

    code = code_in(await ask(rig, other := rig.browser()))
    await other.post("/forgotten/code", code=code)
    before_its_session(monkeypatch, rig, change)
    page = await other.post("/forgotten/password", new_password=NEXT_PASSWORD)
    assert page.status == 410 and await sessions(rig) == []


async def test_a_wrong_password_is_noted_at_a_moment_that_is_drawn_and_at_a_stop(rig, ada):
    """Else the next answer would tell by its delay whether there was an account to note it for."""

    async def noted():
        async with rig.parts.database.read() as session:
            wrong = select(func.count()).where(Event.kind == "password_wrong")
            return await session.scalar(wrong)

    rig.parts.entry.soon_s = 3600
    for email in (EMAIL, "nobody@example.org", "nobody@example.org"):
        await rig.browser().sign_in(email, "not the password")
    assert await noted() == 0
    await rig.parts.tasks.close()
    assert await noted() == 1


async def test_a_form_of_a_session_that_is_ended_leads_to_the_sign_in_and_puts_nobody_out(
    rig, ada, monkeypatch, caplog
):
    await (thief := rig.browser()).enter()
    form = await thief.get("/security/password")

    async def end():
        await ada.post("/security/sessions/end-others", form_page="/security/sessions", password=PASSWORD)

    while_hashing(monkeypatch, rig, end)
    fields = {"csrf": form.csrf, "password": PASSWORD, "new_password": NEXT_PASSWORD}
    assert (await thief.post_raw("/security/password", fields)).path == "/sign-in"
    assert "Traceback" not in caplog.text
    assert (await ada.get("/security")).path == "/security"
    assert (await rig.browser().sign_in(EMAIL, PASSWORD)).path == "/sign-in/code"


async def test_a_hash_at_todays_cost_brings_no_old_password_back(rig, ada, monkeypatch):
    fresh = Hasher(memory_kib=16, passes=1)
    hashing = rig.parts.hasher.hash

    async def slow(password):
        monkeypatch.setattr(rig.parts.hasher, "hash", hashing)
        await ada.post("/security/password", password=PASSWORD, new_password=NEXT_PASSWORD)
        return await fresh.hash(password)

    form = await (thief := rig.browser()).get("/sign-in")
    monkeypatch.setattr(rig.parts.hasher, "hash", slow)
    monkeypatch.setattr(rig.parts.hasher, "outdated", lambda _: True)
    await thief.post_raw("/sign-in", {"csrf": form.csrf, "email": EMAIL, "password": PASSWORD})
    monkeypatch.undo()
    fresh.close()
    assert (await rig.browser().sign_in()).status == 422
    assert (await rig.browser().sign_in(EMAIL, NEXT_PASSWORD)).path == "/sign-in/code"


async def test_a_router_that_is_approved_after_the_deletion_is_nobodys(rig, ada):
    code = await rig.make_router("GL-0001")
    await rig.hub.connect("GL-0001")
    await ada.post("/routers/register", service_code=code)
    await rig.until(lambda: "GL-0001" in rig.hub.claims)
    await delete_account(rig)
    await rig.hub.answer("GL-0001", True)
    assert rig.hub.owners.get("GL-0001") is None
    async with rig.parts.database.read() as session:
        assert (await session.get_one(Router, "GL-0001")).owner_id is None


async def test_a_deleted_accounts_cookies_open_nothing_of_its_successor(rig, ada):
    """Whoever signs up with the address again has another account; the old browser is a stranger to it."""
    await delete_account(rig)
    await rig.browser().join(EMAIL)
    assert (await ada.get("/profile")).path == "/sign-in"
    assert SESSION_COOKIE in {each.key for each in ada._session.cookie_jar}
    assert (await ada.sign_in()).path == "/sign-in/code"  # not trusted
