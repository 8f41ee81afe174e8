"""A factor that was failed too often, in Chromium: what the sign-in page says, and what the button opens."""

from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import PASSWORD, set_up, sign_out


def try_password(tab, router, text):
    tab.goto(router.url + "/signin")
    tab.get_by_label("Password").fill(text)
    tab.keyboard.press("Enter")


def test_a_closed_password_says_what_opens_it_and_the_button_does(tab, router):
    set_up(tab, router)
    sign_out(tab)
    router.tell("guess")
    try_password(tab, router, PASSWORD)
    error = tab.locator("#password-error")
    expect(error).to_contain_text("Press the button on the router, or type unlock on its serial console")
    expect(tab.get_by_role("button", name="Continue")).to_be_enabled()  # no wait opens it, a press does
    router.tell("later 1000000")
    try_password(tab, router, PASSWORD)
    expect(error).to_contain_text("Press the button")
    router.tell("press")
    try_password(tab, router, PASSWORD)
    expect(tab.locator("#code")).to_be_visible()


def test_one_press_is_one_try_of_a_client(tab, router):
    set_up(tab, router)
    sign_out(tab)
    router.tell("guess")
    router.tell("press")
    try_password(tab, router, "not the password")
    expect(tab.locator("#password-error")).to_contain_text("not the password")
    try_password(tab, router, PASSWORD)
    expect(tab.locator("#password-error")).to_contain_text("Press the button")


def test_guesses_at_the_label_never_close_the_wizard(tab, router):
    wrong = "0410-6105-0R3G-G28A-S"  # well formed, and on another label
    for number in range(110):
        status, _, body = router.ask("POST", "/api/setup/service-code", {"service_code": wrong})
        assert status in (422, 429), (number, body)
        router.tell("later 1000")
    set_up(tab, router)
