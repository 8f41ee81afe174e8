"""A router's owner, who does over HTTPS what the pages' script does in a browser."""

import http.client
import http.cookies
import json
import time
import urllib.parse

import pyotp

PASSWORD = "a lantern above the river gate"
TIMEOUT_S = 30
STEP_S = 30  # of one-time codes
SESSION = "__Host-session"
TRUST = "__Host-trust"


class RefusedError(Exception):
    pass


class Owner:
    """One person, one browser, one authenticator. current: the run's current.json; trust: an SSL context."""

    def __init__(self, current, trust):
        parts = urllib.parse.urlsplit(current["admin_url"])
        self.origin = f"https://{parts.netloc}"
        self.service_code = current["service_code"]
        self.cookies = {}
        self.secret = ""
        self.last_step = -1
        self.last_code = ""
        self.recovery_codes = []
        at = parts.hostname, parts.port
        self.connection = http.client.HTTPSConnection(*at, timeout=TIMEOUT_S, context=trust)

    # Requests

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, **fields):
        return json.loads(self._ask("POST", path, json.dumps(fields).encode()))

    def _ask(self, method, path, body=None):
        """The answer's body. RefusedError when it is not an answer of the 2xx kind."""
        headers = {"Cookie": self.cookie_header}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Origin": self.origin}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        self._keep_cookies(answer)
        if not 200 <= answer.status < 300:
            raise RefusedError(f"{method} {path} was answered with {answer.status}: {content[:200]!r}")
        return content

    def _keep_cookies(self, answer):
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in http.cookies.SimpleCookie(line).items():
                self.cookies[name] = morsel.value

    @property
    def cookie_header(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value)

    def close_connections(self):
        self.connection.close()  # the next request opens it again

    # What an owner does

    def set_up(self):
        """The wizard. Its code is that of the step before, so that the next two are left for signing in."""
        self.post("/api/setup/service-code", service_code=self.service_code)
        self.post("/api/setup/password", password=PASSWORD)
        secret = self.post("/api/setup/authenticator")["secret"]
        self.secret = secret.replace(" ", "")
        code = self._code(step_now() - 1)
        proof = {"password": PASSWORD, "secret": secret, "code": code}
        self.recovery_codes = self.post("/api/setup/finish", **proof, name="The bench")["recovery_codes"]

    def _code(self, step):
        self.last_step = step
        self.last_code = pyotp.TOTP(self.secret).at(step * STEP_S)
        return self.last_code

    def next_code(self):
        """A code that was not used yet, of this step or the next one. Waits when both were."""
        step = max(self.last_step + 1, step_now())
        while step > step_now() + 1:
            time.sleep(0.2)
        return self._code(step)

    def sign_in(self, trust=""):
        """(seconds for the password, seconds for code and session). trust: "yes" for no code next time."""
        code = self.next_code()
        began = time.perf_counter()
        self.post("/api/sign-in/password", password=PASSWORD)
        between = time.perf_counter()
        self.post("/api/sign-in/code", code=code, **({"trust": trust} if trust else {}))
        return between - began, time.perf_counter() - between

    def cloud_state(self):
        """What the router says of its link: connecting, online or offline."""
        return json.loads(self.get("/api/overview"))["cloud"]["state"]


def step_now():
    return int(time.time()) // STEP_S
