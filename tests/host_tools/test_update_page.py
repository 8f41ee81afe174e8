"""An update in Chromium: a bundle is chosen, refused or installed, and the router starts again."""

import time

from playwright.sync_api import expect

from tests.fakes import bundles
from tests.host_tools.admin_page_rig import set_up
from tests.host_tools.conftest import PHONE


def choose(tab, path, data):
    path.write_bytes(data)
    tab.get_by_label("Signed bundle").set_input_files(path)


def test_a_bundle_is_refused_at_its_field_then_another_is_installed_and_started(tab, router, tmp_path):
    totp, _, _ = set_up(tab, router)
    tab.goto(router.url + "/system")
    card = tab.locator("[data-live-state=firmware]")
    expect(card).to_contain_text("0.1.0")
    router.tell("later 301")  # a code is asked for, and the file is sent after it
    card.get_by_role("button", name="Install an update").click()
    choose(tab, tmp_path / "older.tar", bundles.signed(version="0.0.9"))
    tab.get_by_role("button", name="Check and install").press("Enter")
    tab.locator("#proof").press_sequentially(totp.at(time.time() + 30))
    expect(tab.locator("#bundle-error")).to_have_text(
        "Version 0.0.9 is older than 0.1.0, which runs. Tick the box below to install it all the same."
    )
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    choose(tab, tmp_path / "newer.tar", bundles.signed(version="0.2.0"))
    expect(tab.locator("#bundle-error")).to_be_empty()
    tab.get_by_role("button", name="Check and install").click()
    expect(tab.get_by_text("Version 0.2.0 is installed. Restart into it.")).to_be_visible()
    card.get_by_role("button", name="Restart into version 0.2.0").click()
    expect(tab.get_by_role("status").first).to_contain_text("The router starts version 0.2.0.")
    router.process.wait(20)
    router.start()
    expect(tab.get_by_text("The router restarted, which ends every session.")).to_be_visible()
