"""The cloud's service as a process on one core, and a person with an account there."""

import http.client
import http.cookies
import json
import os
import re
import ssl
import sys
import time
import urllib.parse

from host_tools.release.places import ROOT
from tests.bench import processes

CORE, LOAD_CORE = "0", "1"  # the service has one to itself; what loads it runs on the other
START_TIMEOUT_S = 60
TIMEOUT_S = 30
EMAIL, PASSWORD = "ada@example.org", "walnut tree by the gate"
BUSY_EMAIL = "bea@example.org"  # who signs in all the time: an account has so many sessions and no more
PERSON = {"first_name": "Ada", "last_name": "Bell", "country": "BE", "password": PASSWORD, "terms": "yes"}
CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')
CODE = re.compile(r"Your code is (\d{6})")
SESSION = "__Host-cloud-session"


def pinned(core, argv):
    return ["taskset", "-c", core, *argv]


class Service:
    """`gatelodge cloud serve --development` with a data directory of its own."""

    def __init__(self, lab):
        self.data = os.path.join(lab.directory, "cloud")
        self.port = processes.free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        serve = [sys.executable, "-m", "host_tools.cli", "cloud", "serve", "--data", self.data]
        serve += ["--port", str(self.port), "--device-port", str(processes.free_port()), "--development"]
        path = os.pathsep.join((str(ROOT), str(ROOT / "firmware")))
        environment = {**os.environ, "PYTHONPATH": path}
        log = lab.log_file("cloud")
        self.process = lab.start(pinned(CORE, serve), env=environment, stderr=log, stdout=log, cwd=ROOT)
        processes.wait_for_port(self.port, START_TIMEOUT_S, self.process)

    @property
    def authority(self):
        return os.path.join(self.data, "cloud-ca.pem")

    @property
    def trust(self):
        return ssl.create_default_context(cafile=self.authority)

    @property
    def database(self):
        return os.path.join(self.data, "cloud.db")


class Person:
    """One browser on one connection; forms are sent with the token of their page."""

    def __init__(self, service):
        self._service = service
        self._line = http.client.HTTPSConnection(
            "127.0.0.1", service.port, timeout=TIMEOUT_S, context=service.trust
        )
        self.cookies = {}

    @property
    def cookie_header(self):
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, method, path, body=None):
        """(status, text)."""
        headers = {"Cookie": self.cookie_header} if self.cookies else {}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie", ()):
            self.cookies |= {name: one.value for name, one in http.cookies.SimpleCookie(line).items()}
        return answer.status, text

    def token(self, page):
        return CSRF.search(self.ask("GET", page)[1])[1]

    def form(self, page, **fields):
        """The body of a form, as this browser sends it."""
        return urllib.parse.urlencode({"csrf": self.token(page), **fields})

    def join(self, email=EMAIL):
        """An account whose only browser, this one, is trusted and signed in."""
        self.ask("POST", "/sign-up", self.form("/sign-up", email=email, **PERSON))
        self.ask("POST", "/confirm", self.form("/confirm", code=self._mailed_code(email)))
        if SESSION not in self.cookies:
            raise LookupError("the sign-up led to no session")

    def _mailed_code(self, email):
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            mails = json.loads(self.ask("GET", "/outbox.json")[1])
            found = [
                code for mail in mails for code in CODE.findall(mail["body"]) if mail["recipient"] == email
            ]
            if found:
                return found[0]
            time.sleep(0.1)
        raise TimeoutError("no mail came")
