"""What changes on the router's own page reaches its owner's mail, who undoes it there: who is in cannot."""

import re

from playwright.sync_api import expect

from tests.system.people import Holder, Owner, fresh_tab
from tests.system.rig import until

UNDONE = "Changes were undone at your router"
RENEWED = "New recovery codes were made at your router"


def test_a_factor_that_is_changed_at_the_router_is_told_to_the_account_once_which_undoes_it(browser, house):
    with fresh_tab(browser) as at_home, fresh_tab(browser) as anywhere:
        owner, ada = Owner(at_home, house).set_up(), Holder(anywhere, house, "Ada").sign_up()
        until(house.times_online, "the cloud did not welcome the router")
        ada.ask_for(house.current["service_code"])
        owner.number_of_claim()
        owner.approve()
        ada.sees_that_it_is_theirs()
        make_new_codes(owner)
        (mail,) = until(lambda: mails_to(ada, RENEWED), "no mail came")
        assert house.current["serial_number"] in mail
        assert "Chrome on Linux" in mail
        expect(owner.tab.locator("#entries tr").first).to_contain_text("Made new recovery codes")
        undo(ada, re.search(r"https://\S+/security/routers/\S+", mail)[0])
        owner.sign_in()  # everybody is out
        owner.tab.goto(owner.url + "/security")
        entries = owner.tab.locator("#entries tr", has_text="Changes were undone from the account")
        expect(entries).to_have_count(1)
        assert until(lambda: mails_to(ada, UNDONE), "no mail came of the undo")


def undo(holder, link):
    holder.add_authenticator()  # which proves who it is, in full and for five minutes
    holder.tab.goto(link)
    holder.tab.get_by_role("button", name="Undo them").click()
    expect(holder.tab.get_by_role("heading", name="The changes are undone")).to_be_visible()


def mails_to(holder, subject):
    holder.tab.goto(holder.outbox_url)
    mine = holder.tab.locator("article", has_text=holder.email)
    return mine.filter(has_text=subject).all_inner_texts()


def make_new_codes(owner):
    owner.tab.goto(owner.url + "/security")
    owner.tab.get_by_role("button", name="Make new codes").click()
    owner.tab.get_by_role("dialog").get_by_role("button", name="Make new codes").click()
    codes = owner.tab.locator("[data-codes] li")
    codes.first.wait_for()
    assert not set(codes.all_inner_texts()) & set(owner.recovery_codes)
    owner.tab.get_by_label("safe place").check()
    owner.tab.get_by_role("button", name="Done").click()
