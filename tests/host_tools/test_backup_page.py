"""Backup and restore in Chromium: a setting kept, changed and brought back; files that are not genuine."""

from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import set_up
from tests.host_tools.conftest import PHONE

SEALED_BY = "nine slow barges pass"


def name_the_router(tab, name):
    tab.get_by_label("Name of this router").fill(name)
    tab.get_by_role("button", name="Save the name").click()
    expect(tab.get_by_text("The name is saved.")).to_be_visible()


def make_backup(tab, with_secrets=False):
    """The path of the file that the browser saved. By keyboard alone."""
    tab.get_by_role("button", name="Make a backup").focus()
    tab.keyboard.press("Enter")
    tab.locator("#backup-password").fill(SEALED_BY)
    tab.get_by_label("The same password again").fill(SEALED_BY)
    if with_secrets:
        tab.get_by_label("Also this router's secrets").focus()
        tab.keyboard.press("Space")
    with tab.expect_download() as download:
        tab.locator("#backup-password").press("Enter")
    expect(tab.get_by_text("The backup is made.")).to_be_visible()
    expect(tab.locator("#backup")).to_be_hidden()
    assert download.value.suggested_filename.startswith("gatelodge-GL26A0000042-")
    return download.value.path()


def look_inside(tab, path, password=SEALED_BY):
    tab.get_by_role("button", name="Restore a backup").click()
    tab.get_by_label("File").set_input_files(path)
    tab.get_by_label("Password of the backup").fill(password)
    tab.keyboard.press("Enter")


def test_a_setting_is_kept_changed_and_brought_back(tab, router):
    set_up(tab, router)
    tab.goto(router.url + "/system")
    name_the_router(tab, "Attic")
    file = make_backup(tab)
    name_the_router(tab, "Cellar")
    look_inside(tab, file)
    inside = tab.locator("[data-inside]")
    expect(inside).to_contain_text("GL26A0000042")
    expect(inside).to_contain_text("Attic")
    expect(tab.get_by_label("Name of this router")).to_have_value("Cellar")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.get_by_role("button", name="Restore", exact=True).press("Enter")
    expect(tab.get_by_text("The backup is restored.")).to_be_visible()
    expect(tab.get_by_label("Name of this router")).to_have_value("Attic")


def test_a_changed_file_and_a_wrong_password_are_told_at_the_field(tab, router, tmp_path):
    set_up(tab, router)
    tab.goto(router.url + "/system")
    genuine = make_backup(tab).read_bytes()
    file = tmp_path / "a.backup"
    file.write_bytes(genuine[:60] + bytes([genuine[60] ^ 4]) + genuine[61:])
    look_inside(tab, file)
    password = tab.get_by_label("Password of the backup")
    expect(password).to_have_attribute("aria-invalid", "true")
    expect(tab.locator("#restore-password-error")).to_contain_text("Nothing was restored")
    expect(tab.get_by_role("button", name="Restore", exact=True)).to_be_hidden()
    file.write_bytes(b"x" * 100000)
    tab.get_by_label("File").set_input_files(file)
    password.press("Enter")
    expect(tab.locator("#backup-file-error")).to_contain_text("not a backup")


def test_another_password_after_the_look_has_to_be_looked_at_again(tab, router):
    set_up(tab, router)
    tab.goto(router.url + "/system")
    look_inside(tab, make_backup(tab))
    restore = tab.get_by_role("button", name="Restore", exact=True)
    expect(restore).to_be_visible()
    tab.get_by_label("Password of the backup").press_sequentially("x")
    expect(restore).to_be_hidden()


def test_restored_secrets_say_what_ends_and_lead_to_the_sign_in(tab, router):
    set_up(tab, router)
    tab.goto(router.url + "/system")
    look_inside(tab, make_backup(tab, with_secrets=True))
    expect(tab.locator("[data-inside]")).to_contain_text("Every session, trusted browser and API token ends")
    tab.get_by_role("button", name="Restore", exact=True).click()
    expect(tab.get_by_text("Sign in with the password and an authenticator from it.")).to_be_visible()
    expect(tab.locator("input[type=password]")).to_be_visible()
