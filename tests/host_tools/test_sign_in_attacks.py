"""Signing in, attacked over real sockets: races, a loss of power, headers that claim to be somebody else."""

import json
import threading
import time

import pyotp
import pytest

from tests.host_tools.admin_page_rig import DEADLINE_S, PASSWORD, SERVICE_CODE, cookie_of

BROWSERS = 6
STEP_S = 30
ROUNDS = 3
WAIT_S = 60  # after the wrong tries of a round


class Door:
    """A router that was set up, and what its owner then has: authenticator and recovery codes."""

    def __init__(self, page):
        self.page = page
        _, headers, _ = page.ask("POST", "/api/setup/service-code", {"service_code": SERVICE_CODE})
        cookie = cookie_of(headers, "__Host-setup")
        secret = json.loads(page.ask("POST", "/api/setup/authenticator", {}, Cookie=cookie)[2])["secret"]
        self.totp = pyotp.TOTP(secret.replace(" ", ""))
        self.step = int(time.time()) // STEP_S
        form = {"password": PASSWORD, "secret": secret, "code": self.totp.at(self.step * STEP_S), "name": ""}
        status, _, answer = page.ask("POST", "/api/setup/finish", form, Cookie=cookie)
        assert status == 200, answer
        self.recovery_codes = json.loads(answer)["recovery_codes"]

    def new_code(self):
        """One that was never used, and is within the tolerance."""
        self.step = max(self.step + 1, int(time.time()) // STEP_S)
        return self.totp.at(self.step * STEP_S)

    def password(self, password=PASSWORD, **headers):
        """(status, the cookie of the sign-in under way)."""
        status, headers, _ = self.page.ask("POST", "/api/sign-in/password", {"password": password}, **headers)
        return status, cookie_of(headers, "__Host-signin")

    def second(self, kind, field, code, ticket):
        """The status that the second factor gets."""
        return self.page.ask("POST", "/api/sign-in/" + kind, {field: code}, Cookie=ticket)[0]

    def race(self, kind, field, code):
        """The statuses of browsers that all give the same code at the same moment."""
        tickets = [self.password()[1] for _ in range(BROWSERS)]
        start, found = threading.Barrier(BROWSERS), []

        def run(ticket):
            start.wait(DEADLINE_S)
            found.append(self.second(kind, field, code, ticket))

        threads = [threading.Thread(target=run, args=(ticket,)) for ticket in tickets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        return found


@pytest.fixture
def door(router):
    return Door(router)


def test_of_browsers_that_race_with_one_code_one_gets_in(door):
    found = door.race("code", "code", door.new_code())
    assert (len(found), found.count(200)) == (BROWSERS, 1), found


def test_of_browsers_that_race_with_one_recovery_code_one_gets_in(door):
    for code in door.recovery_codes[:ROUNDS]:
        found = door.race("recovery", "recovery_code", code)
        assert (len(found), found.count(200)) == (BROWSERS, 1), found
        door.page.tell(f"later {WAIT_S}")


def test_what_was_used_stays_used_when_the_power_is_lost_right_after(door):
    code, recovery_code = door.new_code(), door.recovery_codes[0]
    assert door.second("code", "code", code, door.password()[1]) == 200
    assert door.second("recovery", "recovery_code", recovery_code, door.password()[1]) == 200
    door.page.process.kill()
    door.page.process.wait(DEADLINE_S)
    door.page.start()
    assert door.second("code", "code", code, door.password()[1]) in (422, 429)
    assert door.second("recovery", "recovery_code", recovery_code, door.password()[1]) == 422


def test_no_header_buys_a_new_budget(door):
    found = []
    for number in range(6):
        claimed = f"10.9.0.{number}"
        spoofed = {"X_Forwarded_For": claimed, "Forwarded": "for=" + claimed, "X_Real_IP": claimed}
        found.append(door.password("not this one", **spoofed)[0])
    assert found == [422] * 5 + [429]
