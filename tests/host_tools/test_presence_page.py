"""A factor that was failed too often, in Chromium: what the sign-in page says, and what the button opens."""

from playwright.sync_api import expect

from tests.host_tools.admin_page_rig import PASSWORD, cookie_of, set_up, sign_out


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


def wait_for_the_button(tab, router):
    try_password(tab, router, PASSWORD)
    tab.get_by_text("Don't have a code?").click()
    tab.get_by_role("button", name="Sign in with the router's button").press("Enter")
    expect(tab.get_by_text("Press the button on the router now.")).to_be_visible()


def test_a_press_of_the_button_signs_in_in_place_of_a_code(tab, router):
    set_up(tab, router)
    sign_out(tab)
    wait_for_the_button(tab, router)
    router.tell("press")
    tab.locator("[data-chart] svg").wait_for()
    tab.goto(router.url + "/security")
    expect(tab.locator("#entries tr").first).to_contain_text("by the router's button")


def test_when_two_wait_the_press_lets_in_neither(tab, router):
    set_up(tab, router)
    sign_out(tab)
    wait_for_the_button(tab, router)
    _, headers, _ = router.ask("POST", "/api/sign-in/password", {"password": PASSWORD})
    other = cookie_of(headers, "__Host-signin")
    assert "wait" in router.ask("POST", "/api/sign-in/button", {}, Cookie=other)[2]
    router.tell("press")
    expect(tab.get_by_role("alert").filter(has_text="Another browser waits")).to_be_visible()
    status, _, body = router.ask("POST", "/api/sign-in/button", {}, Cookie=other)
    assert (status, "Another browser" in body) == (422, True)
