"""`cloud serve --passkeys-for`: nothing else is open before two passkeys are there and it is on."""

import re

import pytest
from sqlalchemy import select, update

from host_tools.cloud.accounts.passkeys_rule import EVERYBODY, NOBODY, RULES, STAFF, is_due, not_due
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.accounts.waiting import DELETION, RESET
from host_tools.cloud.pages.first_passkeys import OPEN, led_first
from host_tools.cloud.pages.routes import ACCOUNT, MACHINE, ROUTES
from host_tools.cloud.settings import passkeys_for
from host_tools.cloud.store.models import Account
from host_tools.errors import ToolError
from tests.fakes.soft_passkey import SoftPasskey
from tests.host_tools.cloud_rig import PASSWORD, Rig
from tests.host_tools.oidc_rig import device_token
from tests.host_tools.test_cloud_api import status_of, token_of
from tests.host_tools.test_cloud_guards import address
from tests.host_tools.test_cloud_passkeys import ORIGIN, add, enter
from tests.host_tools.test_cloud_passkeys_only import (
    EMAIL,
    ON,
    PAGE,
    column,
    prove,
    renewed,
    switch,
    switched_on,
    tokens_and_device,
)
from tests.host_tools.test_cloud_undo import link


async def closed(browser):
    """Every page and form but those that the rule takes, and those that undo or stop."""
    csrf = (await browser.get(PAGE)).csrf
    for row in ROUTES:
        if row.path in OPEN or row.who == MACHINE or row.files:
            continue
        path = address(row)
        if row.method == "GET":
            page = await browser.get(path)
        else:
            page = await browser.post_raw(path, {"csrf": csrf, "password": PASSWORD})
        assert page.status == 404 if row.lasting else page.path == PAGE, row


async def wait_for(rig, kind, reason="", email=EMAIL):
    holder = (await rig.parts.administration.find(email)).id
    await rig.parts.waiting.ask(holder, kind, reason, Visit("", "", "", rig.clock()))


async def waits_of(rig, email=EMAIL):
    holder = (await rig.parts.administration.find(email)).id
    return [row.kind for row in await rig.parts.waiting.of(holder)]


class TestRule:
    @pytest.mark.parametrize("rule", RULES)
    @pytest.mark.parametrize("role", ["", "support"])
    @pytest.mark.parametrize("since", [None, 1.0])
    async def test_python_and_the_database_agree_on_who_is_due(self, rig, ada, rule, role, since):
        due = since is None and (rule == EVERYBODY or (rule == STAFF and role != ""))
        async with rig.parts.database.write() as session:
            account = await session.scalar(select(Account))
            account.role, account.passkeys_only_at = role, since
            assert is_due(rule, account) == due
            await session.flush()
            found = await session.scalar(select(Account.id).where(*not_due(rule)))
            assert (found is None) == due

    def test_every_page_but_those_that_it_takes_leads_there(self):
        left_alone = {row.path for row in ROUTES if led_first(row.path, False, row.handler) is row.handler}
        assert left_alone == OPEN
        shut = {route.path for route in ROUTES if route.who == ACCOUNT} - OPEN
        assert {"/routers", "/security", "/security/choose", "/profile/data", "/oidc/resume"} <= shut
        undoing = {path for path in OPEN if path.startswith(("/undo", "/waiting"))}
        assert undoing == {"/undo", "/undo/{token}", "/waiting", "/waiting/{token}", "/waiting/stop"}

    async def test_everybody_is_led_to_it_and_in_once_it_is_on(self, tmp_path):
        async with Rig(tmp_path, passkeys_for=EVERYBODY) as rig:
            ada = rig.browser()
            assert (await ada.join()).path == PAGE
            for path in ("/routers", "/security", "/profile/data", "/help", "/forgotten", "/oidc/authorize"):
                assert (await ada.get(path)).path == PAGE, path
            form = await ada.get(PAGE)
            for path in ("/profile/data/export", "/security/tokens", "/routers/register", f"{PAGE}/off"):
                assert (await ada.post_raw(path, {"csrf": form.csrf, "password": PASSWORD})).path == PAGE
            assert (await ada.get("/notices/live")).status == 404
            keys = [(await add(ada, SoftPasskey(ORIGIN)))[0] for _ in range(2)]
            assert (await ada.get("/security")).path == PAGE  # they are not enough
            page = await switch(ada)
            assert page.path == "/routers" and "only your passkeys sign in" in page.text
            assert (await enter(rig.browser(), keys[0])).path == "/routers"
            assert (await rig.browser().sign_in()).status == 422
            assert "/undo/" not in (await rig.mails(EMAIL))[0].body

    async def test_a_change_is_undone_from_it_and_nothing_else_is_open_after(self, tmp_path):
        """Else nobody stops a thief whose browser the owner is signed in with, too."""
        async with Rig(tmp_path, passkeys_for=EVERYBODY) as rig:
            ada, thief = rig.browser(), rig.browser()
            await ada.join()
            await thief.enter()
            await add(thief, SoftPasskey(ORIGIN), "The thief's")
            path = await link(rig, "A passkey was added")
            assert (await ada.get(path.replace("#", "/"))).path == "/undo"  # as mails had it before
            page = await ada.get(path)
            assert page.path == "/undo" and "The thief&#39;s" in page.text
            assert (await ada.post(path, password="wrong")).status == 422
            page = await ada.post(path, password=PASSWORD)
            assert page.path == "/sign-in" and "undone" in page.text
            for browser in (ada, thief):
                assert (await browser.get("/routers")).path == "/sign-in"
            assert (await ada.enter()).path == PAGE
            assert "<strong>2</strong> more passkeys" in (await ada.get(PAGE)).text
            await closed(ada)
            page = await ada.get(path)
            assert page.status == 410 and 'href="/forgotten"' not in page.text  # that one is closed
            assert (await ada.post_raw("/sign-out", {"csrf": page.csrf})).path == "/sign-in"

    async def test_what_waits_is_shown_on_its_page_and_stopped_there_or_by_the_mail(self, tmp_path):
        async with Rig(tmp_path, passkeys_for=EVERYBODY) as rig:
            ada, bob = rig.browser(), rig.browser()
            await ada.join()
            await bob.join("bob@example.org")
            for kind in (RESET, DELETION):
                await wait_for(rig, kind, "Somebody called")
            await wait_for(rig, RESET, email="bob@example.org")
            page = await ada.get(PAGE)
            assert "Two-factor will be reset" in page.text and "will be deleted" in page.text
            page = await ada.post_raw("/waiting/stop", {"csrf": page.csrf, "kind": DELETION})
            assert page.path == PAGE and "It is stopped" in page.text
            assert "Two-factor will be reset" in page.text and "will be deleted" not in page.text
            [mail] = [m for m in await rig.mails(EMAIL) if m.subject == "Two-factor is to be reset"]
            path = re.search(r"https://[^/]+(/waiting#\S+)", mail.body)[1]
            assert (await ada.get(path.replace("#", "/"))).path == "/waiting"
            assert "Somebody called" in (await ada.get(path)).text
            page = await ada.post(path)
            assert "Nothing happens" in page.text and 'href="/forgotten"' not in page.text
            assert await waits_of(rig) == [] and (await ada.get(path)).status == 410
            for kind in (RESET, DELETION, "", "x"):  # of nobody else, whatever is named
                assert (await ada.post("/waiting/stop", form_page=PAGE, kind=kind)).path == PAGE
            assert await waits_of(rig, "bob@example.org") == [RESET]
            await closed(ada)

    async def test_who_undoes_or_stops_for_another_account_is_led_as_before(self, tmp_path):
        async with Rig(tmp_path, passkeys_for=EVERYBODY) as rig:
            ada, bob = rig.browser(), rig.browser()
            await ada.join()
            await add(ada, SoftPasskey(ORIGIN))
            await wait_for(rig, RESET)
            await bob.join("bob@example.org")
            page = await bob.post(await link(rig, "A passkey was added"), password=PASSWORD)
            assert "still signed in as <strong>bob@" in page.text
            assert (await bob.get("/routers")).path == PAGE
            [mail] = [m for m in await rig.mails(EMAIL) if m.subject == "Two-factor is to be reset"]
            await bob.post(re.search(r"https://[^/]+(/waiting#\S+)", mail.body)[1])
            assert await waits_of(rig) == [] and (await bob.get("/routers")).path == PAGE

    async def test_an_undo_that_switches_it_off_leaves_nothing_else_open(self, tmp_path):
        """It was on, by its person's own choice, before the operator's rule was: then it is due again."""
        async with Rig(tmp_path) as rig:
            ada = rig.browser()
            await ada.join()
            keys = await switched_on(ada)
            path = await link(rig, ON)
        async with Rig(tmp_path, passkeys_for=EVERYBODY) as rig:
            ada = rig.browser()
            assert (await ada.post(path, password=PASSWORD)).path == "/sign-in"
            assert await column(rig) is None
            await enter(ada, keys[0])
            assert (await ada.get("/routers")).path == (await ada.get("/security")).path == PAGE

    async def test_it_cannot_be_switched_off_by_its_person(self, tmp_path):
        async with Rig(tmp_path, passkeys_for=EVERYBODY) as rig:
            ada = rig.browser()
            await ada.join()
            keys = [(await add(ada, SoftPasskey(ORIGIN)))[0] for _ in range(2)]
            paths = [
                re.search(r"https://[^/]+(/undo#\S+)", mail.body)[1]
                for mail in await rig.mails(EMAIL)
                if mail.subject == "A passkey was added"
            ]
            await switch(ada)
            await prove(ada, keys[0])
            page = await ada.get(PAGE)
            assert "Switch it off" not in page.text and "has decided that only passkeys" in page.text
            page = await ada.post_raw(f"{PAGE}/off", {"csrf": page.csrf})
            assert page.status == 422 and await column(rig)
            assert len(paths) == 2
            for path in paths:  # nor by what was changed before it
                assert (await rig.browser().get(path)).status == 410

    async def test_what_applications_and_devices_hold_opens_nothing_while_it_is_due(self, tmp_path):
        async with Rig(tmp_path, passkeys_for=STAFF) as rig:
            ada = rig.browser()
            await ada.join()
            app, tokens, begun = await tokens_and_device(rig, ada)
            async with rig.parts.database.write() as session:
                await session.execute(update(Account).values(role="support"))
            assert (await app.userinfo(tokens["access_token"]))[0] == 401 and not await renewed(app, tokens)
            assert await device_token(app, begun) == "expired_token"

    async def test_staff_are_whoever_has_a_role_from_the_moment_they_have_it(self, tmp_path):
        async with Rig(tmp_path, passkeys_for=STAFF) as rig:
            ada = rig.browser()
            await ada.join()
            token = await token_of(ada)
            assert (await ada.get("/routers")).path == "/routers" and await status_of(rig, token) == 200
            async with rig.parts.database.read() as session:
                account_id = await session.scalar(select(Account.id))
            visit = Visit("", "", "gatelodge cloud (grace)", rig.clock())
            await rig.parts.administration.set_role(account_id, "support", visit)
            assert (await ada.get("/routers")).path == PAGE and await status_of(rig, token) == 401
            assert (await ada.get("/desk")).path == PAGE

    def test_a_cloud_without_a_name_cannot_have_it(self):
        with pytest.raises(ToolError, match="needs a name"):
            passkeys_for(STAFF, "https://192.0.2.1:8444")
        assert passkeys_for(NOBODY, "https://192.0.2.1") == NOBODY
        assert passkeys_for(EVERYBODY, "https://account.example.org") == EVERYBODY
