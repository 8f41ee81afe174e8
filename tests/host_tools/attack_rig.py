"""Browsers without a script, each a cookie jar at an address: of the router's owner, and of who is not."""

import http.client
import json
import re
import ssl
import threading

import pyotp

from tests.host_tools.admin_page_rig import DEADLINE_S, PASSWORD, SERVICE_CODE

OTHER = "127.0.0.7"  # another computer, as far as the router can tell
FORM = {"Content_Type": "application/json"}


def connect(page, address):
    context = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
    place = {"context": context, "source_address": (address, 0)}
    return http.client.HTTPSConnection("127.0.0.1", page.port, timeout=DEADLINE_S, **place)


class Browser:
    """A cookie jar at an address."""

    def __init__(self, page, address="127.0.0.1", cookies=()):
        self.page, self.address, self.cookies = page, address, dict(cookies)

    def copy(self, address=OTHER):
        """Whoever stole all of its cookies."""
        return Browser(self.page, address, self.cookies)

    @property
    def jar(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method, path, body=None, **headers):
        """(status, answer): parsed where it is JSON."""
        connection = connect(self.page, self.address)
        named = {"Cookie": self.jar, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, path, body, named)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, value, ended = re.match("([^=]+)=([^;]*).*?(Max-Age=0)?$", line).groups()
            self.cookies.pop(name, None)
            if not ended:
                self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return answer.status, json.loads(text) if text.startswith("{") else text

    def post(self, path, csrf=None, **fields):
        """As the pages' script sends it, with the session's own token where none is given."""
        known = {"X_CSRF_Token": self.csrf if csrf is None else csrf, **FORM}
        return self.ask("POST", path, json.dumps(fields), **known)

    @property
    def csrf(self):
        status, told = self.ask("GET", "/api/session")
        return told["csrf_token"] if status == 200 else ""

    @property
    def is_in(self):
        return self.ask("GET", "/api/session")[0] == 200

    def begin(self, password=PASSWORD, **fields):
        return self.post("/api/sign-in/password", password=password, **fields)

    def recover(self, code):
        return self.post("/api/sign-in/recovery", recovery_code=code)

    def public_id(self):
        return self.ask("GET", "/api/session")[1]["id"]


class Owner(Browser):
    """Of the router, by the wizard. Signs others in by recovery codes: those never wait for a clock."""

    def __init__(self, page):
        super().__init__(page)
        self.begin_setup()

    def begin_setup(self):
        self.post("/api/setup/service-code", service_code=SERVICE_CODE)
        self.secret = self.post("/api/setup/authenticator")[1]["secret"]
        self.totp = pyotp.TOTP(self.secret.replace(" ", ""))

    def finish_setup(self):
        form = {"password": PASSWORD, "secret": self.secret, "code": self.totp.now(), "name": "Phone"}
        status, answer = self.post("/api/setup/finish", **form)
        self.codes = answer.get("recovery_codes", [])
        return status

    def another(self, address="127.0.0.1"):
        """A second browser that is signed in, and has just proved who it is."""
        if not self.codes:
            self.renew()
        browser = Browser(self.page, address)
        assert browser.begin()[0] == 200
        assert browser.recover(self.codes.pop())[0] == 200
        return browser

    def listed(self, act):
        """The id of the first row of the security page that has the button."""
        form = act + '"[^>]*><input type="hidden" name="id" value="([0-9a-f]{8})"'
        return re.search(form, self.ask("GET", "/security")[1]).group(1)

    def prove(self):
        assert self.post("/api/prove", proof=self.codes.pop())[0] == 200

    def renew(self):
        """Ten new recovery codes, which ends all other sessions."""
        if not self.ask("GET", "/api/session")[1]["is_proved"]:
            self.prove()
        self.codes = self.post("/api/security/recovery-codes")[1]["recovery_codes"]


def at_once(*acts):
    """What the acts return that begin at the same moment."""
    start, found = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        start.wait(DEADLINE_S)
        found[number] = act()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    return found


class Stream:
    """`/live` of a browser, of which nothing is read until somebody asks for it."""

    def __init__(self, browser, **headers):
        self._connection = connect(browser.page, browser.address)
        self._connection.request("GET", "/live", headers={"Cookie": browser.jar, **headers})
        self._answer = self._connection.getresponse()
        self.status = self._answer.status

    def next_update(self):
        while line := self._answer.fp.readline():
            if line.startswith(b"event: update"):
                return
        raise AssertionError("the stream has ended")

    def rest(self):
        """Until the router ends it."""
        return self._answer.read()

    def close(self):
        self._connection.close()
        self._answer.close()
