"""What people do at their screens: the router's owner on its admin page, an account's holder in the portal.

Both use Chromium as a person would, and a Phone for the codes. What they have to wait for, they wait for.
"""

import contextlib
import io
import re
import time

import pyotp
import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.system.rig import PATIENCE_S, until

PASSWORD = "a lantern above the river gate"
PATIENCE_MS = PATIENCE_S * 1000
STEP_S = 30  # of one-time codes
TYPING_S = 10  # from reading a code on the phone until somebody has judged it, on a busy computer

# Chromium tells of refused forms, lost connections and what a sign-out clears: tests ask for all of them.
ASKED_FOR = ("Failed to load resource", "Clear-Site-Data header")
APPROVED = "Approved. The cloud account will show this router."

expect.set_options(timeout=PATIENCE_MS)


@contextlib.contextmanager
def fresh_tab(browser):
    """A tab of a fresh browser. Whatever its console or a page's policy complains of fails the test."""
    context = browser.new_context(ignore_https_errors=True, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    complaints = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda message: complaints.append(message.text))
    try:
        yield context.new_page()
    finally:
        context.close()
    assert [text for text in complaints if not text.startswith(ASKED_FOR)] == []


class Phone:
    """An authenticator app that has scanned a QR code."""

    def __init__(self, picture):
        """`picture`: the locator of the QR code on the page."""
        scanned = zxingcpp.read_barcode(Image.open(io.BytesIO(picture.screenshot())))
        self._totp = pyotp.parse_uri(scanned.text)
        self._last_step = -1

    def next_code(self):
        """A code that was not used yet. It is of the present step, or of the next one: a router lets a clock
        be one step ahead, and the cloud knows the last code (`late_code`). It is read early in a step, for a
        router that has learned that the clock is ahead takes none of the step before."""
        until(self._is_time, "no time for a code", 2 * STEP_S)
        self._last_step = max(self._last_step + 1, step_now())
        return self._totp.at(self._last_step * STEP_S)

    def late_code(self):
        """Of the step before the present one: the cloud takes it where an authenticator is added, and the
        present one stays for the sign-in that follows."""
        until(self._is_time, "no time for a code", 2 * STEP_S)
        self._last_step = step_now() - 1
        return self._totp.at(self._last_step * STEP_S)

    def next_two(self):
        """Two codes in a row that were not used yet, the second of them of the next step."""
        return self.next_code(), self._next()

    def _next(self):
        self._last_step += 1
        return self._totp.at(self._last_step * STEP_S)

    def _is_time(self):
        left_s = STEP_S - time.time() % STEP_S
        return self._last_step <= step_now() and left_s > TYPING_S


def step_now():
    return int(time.time()) // STEP_S


class Owner:
    """The owner of a house's router, with the admin page in a tab."""

    def __init__(self, tab, house):
        self.tab = tab
        self.url = house.current["admin_url"]
        self._service_code = house.current["service_code"]
        self.phone = None
        self.recovery_codes = []
        self.last_code = ""

    def set_up(self):
        """Through the wizard, to the overview."""
        self.tab.goto(self.url)
        self.tab.get_by_label("Service code").fill(self._service_code.lower())
        self.tab.keyboard.press("Enter")
        self.tab.get_by_label("New password").fill(PASSWORD)
        self.tab.keyboard.press("Enter")
        self.tab.locator("[data-qr] svg").wait_for()
        self.phone = Phone(self.tab.locator("[data-qr] svg"))
        self.enter_code(self.phone.next_code())
        codes = self.tab.locator("[data-codes] li")
        codes.first.wait_for()
        self.recovery_codes = codes.all_inner_texts()
        self.tab.get_by_label("safe place").check()
        self.tab.get_by_role("button", name="Open the overview").click()
        self.sees_overview()
        return self

    def sign_out(self):
        self.tab.get_by_role("button", name="Sign out").click()
        expect(self.tab.get_by_text("You are signed out.")).to_be_visible()

    def enter_password(self):
        self.tab.goto(self.url + "/signin")
        self.tab.get_by_label("Password").fill(PASSWORD)
        self.tab.keyboard.press("Enter")
        self.tab.locator("#code").wait_for()

    def enter_two_codes(self, first, second):
        self.last_code = second
        self.tab.get_by_label("Code shown now").press_sequentially(first)
        self.tab.get_by_label("Next code").press_sequentially(second)

    def enter_code(self, code):
        self.last_code = code
        self.tab.get_by_label("Six-digit code").press_sequentially(code)

    def sign_in(self):
        self.enter_password()
        self.enter_code(self.phone.next_code())
        self.sees_overview()

    def number_of_claim(self):
        """The six digits of who asks for the router, as the overview shows them."""
        return self.tab.locator(".claim .number").inner_text()

    def approve(self):
        self.tab.get_by_role("button", name="Approve").click()
        told = self.tab.get_by_role("status")
        proof = self.tab.locator("#prove[open]").get_by_label("Six-digit code")
        expect(told.filter(has_text=APPROVED).or_(proof)).to_be_visible()
        if proof.is_visible():  # the last code was given more than five minutes ago
            proof.fill(self.phone.next_code())
        expect(told).to_have_text(APPROVED)

    def sees_overview(self):
        expect(self.tab.locator("[data-chart] svg")).to_be_visible()

    def sees(self, key, text):
        """One of the overview's live values, by its name there."""
        expect(self.tab.locator(f"[data-live='{key}']")).to_have_text(text)


class Holder:
    """The holder of a cloud account, with its pages and the portal's in a tab."""

    def __init__(self, tab, house, first_name):
        self.tab = tab
        self.url = house.current["cloud_url"]
        self.portal = house.current["portal_url"]
        self.outbox_url = house.current["outbox_url"]
        self.first_name = first_name
        self.email = first_name.lower() + "@example.org"
        self.phone = None

    def sign_up(self):
        self.tab.goto(self.url + "/sign-up")
        for label, text in (("First name", self.first_name), ("Last name", "Bell"), ("E-mail", self.email)):
            self.tab.get_by_label(label).fill(text)
        self.tab.get_by_label("Password", exact=True).fill(PASSWORD)
        self.tab.get_by_label("Country").select_option("BE")
        self.tab.get_by_label("terms of use").check()
        self.tab.get_by_role("button", name="Create account").click()
        self.tab.get_by_label("6-digit code").fill(self._code_by_mail())
        self.tab.get_by_role("button", name="Confirm e-mail").click()
        self.tab.get_by_role("link", name="Not now").click()
        expect(self.tab.get_by_text("Register your first router")).to_be_visible()
        return self

    def _code_by_mail(self):
        mails = self.tab.context.new_page()
        found = until(lambda: self._newest_code(mails), f"no mail came to {self.email}")
        mails.close()
        return found[1]

    def _newest_code(self, mails):
        mails.goto(self.outbox_url)
        texts = mails.locator("article", has_text=self.email).all_inner_texts()
        return re.search(r"Your code is (\d{6})", "\n".join(texts))

    def add_authenticator(self):
        self.tab.goto(self.url + "/security/authenticators/add")
        self.phone = Phone(self.tab.locator("svg.qr"))
        self.tab.get_by_label("Your password").fill(PASSWORD)
        self.tab.get_by_label("Code the app shows now").fill(self.phone.late_code())
        self.tab.get_by_role("button", name="Verify and save").click()
        expect(self.tab.locator("#codes li")).to_have_count(10)

    def sign_out(self):
        self.tab.get_by_role("button", name="Sign out").click()
        expect(self.tab.get_by_text("You are signed out.")).to_be_visible()

    def enter_password(self):
        self.tab.goto(self.url + "/sign-in")
        self.tab.get_by_label("E-mail").fill(self.email)
        self.tab.get_by_label("Password", exact=True).fill(PASSWORD)
        self.tab.get_by_role("button", name="Sign in", exact=True).click()

    def enter_code(self, code):
        self.tab.get_by_label("Code from your authenticator app").fill(code)
        self.tab.get_by_role("button", name="Sign in", exact=True).click()
        self.tab.wait_for_url(self.portal + "/routers")  # the account leads on there by itself

    def ask_for(self, service_code):
        """Ask to register a router. The number that the portal shows, and the router's page should."""
        self.tab.goto(self.portal + "/routers/register")
        self.tab.get_by_label("Service code").fill(service_code)
        self.tab.get_by_role("button", name="Register router").click()
        return self.tab.locator(".number strong").inner_text()

    def sees_that_it_is_theirs(self):
        expect(self.tab.get_by_role("heading", name="The router is yours")).to_be_visible()

    def open_router(self):
        """From "My routers" to the page of the only one."""
        self.tab.goto(self.portal + "/routers")
        self.tab.locator("[data-router] a").click()
        self.tab.locator("h1.fact").wait_for()

    def sees_router(self, state):
        """On the page of one router: Online or Offline."""
        expect(self.tab.locator("[data-field=state_word]")).to_have_text(state)
