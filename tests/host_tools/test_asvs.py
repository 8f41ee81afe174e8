"""OWASP ASVS 5.0.0, chapters 6 (authentication) and 7 (session management): by request, under MicroPython.

One test for each requirement that applies to a router's admin page and can be tried from outside, named after
it. What does not apply, what is on paper, and what is not met are in firmware/README.md under "Held to
standards".
"""

import html
import json
import re
import time

import pyotp
import pytest
from gatelodge.core import new_password, sessions, throttle
from gatelodge.core import password as passwords

from tests.host_tools.admin_page_rig import PASSWORD, SERVICE_CODE, AdminPage, cookie_of
from tests.host_tools.test_api import Owned
from tests.host_tools.test_commonest import COMMONEST

NEW_PASSWORD = "seven herons left the weir"
STEP_S = 30
PAGES = ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about")


class Person(Owned):
    """An owner who keeps the phone, the recovery codes and, where told, several browsers."""

    def __init__(self, page):
        super().__init__(page)
        self.step = int(time.time()) // STEP_S

    def post(self, path, body):
        answer = super().post(path, body)
        if "secret" in answer:
            self.totp = pyotp.TOTP(answer["secret"].replace(" ", ""))
        return answer

    def next_code(self):
        """One that was not used yet; one step ahead is taken, and a fourth within a minute waits for it."""
        self.step = max(self.step + 1, int(time.time()) // STEP_S)
        while self.step > int(time.time()) // STEP_S + 1:
            time.sleep(0.2)
        return self.totp.at(self.step * STEP_S)

    def enter_password(self, password=PASSWORD, **headers):
        """(status, answer, cookie of the sign-in under way)."""
        status, came, answer = self.page.ask(
            "POST", "/api/sign-in/password", {"password": password}, **headers
        )
        return status, json.loads(answer), cookie_of(came, "__Host-signin")

    def enter_code(self, cookie, code):
        """(status, answer, cookie of the session)."""
        return self.enter(cookie, "code", {"code": code})

    def enter(self, cookie, path, body):
        status, came, answer = self.page.ask("POST", "/api/sign-in/" + path, body, Cookie=cookie)
        return status, json.loads(answer), cookie_of(came, "__Host-session")

    def another_session(self, recovery_code=None):
        cookie = self.enter_password()[2]
        if recovery_code:
            return self.enter(cookie, "recovery", {"recovery_code": recovery_code})[2]
        return self.enter_code(cookie, self.next_code())[2]

    def new_recovery_codes(self):
        return self.change("/api/security/recovery-codes", {})[1]["recovery_codes"]

    def is_in(self, cookie):
        return self.page.ask("GET", "/api/session", Cookie=cookie)[0] == 200

    def try_password(self, password):
        """(status, error) of a change to it."""
        body = {"old_password": PASSWORD, "password": password}
        status, answer = self.change("/api/security/password", body)
        return status, answer.get("error")


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    """Ends nothing of its own, and changes nothing that the next test needs."""
    page = AdminPage(tmp_path_factory.mktemp("owner"))
    yield Person(page)
    page.stop()


@pytest.fixture
def lone(tmp_path):
    page = AdminPage(tmp_path)
    yield Person(page)
    page.stop()


# --- V6.2 passwords


def test_v6_2_1_a_password_has_at_least_eight_characters(owner):
    status, error = owner.try_password("k7#pQz2")
    assert (status, error["field"]) == (422, "password") and "at least 8" in error["text"]
    assert passwords.SHORTEST == 8


def test_v6_2_2_and_v6_2_3_it_is_changed_with_the_current_one_and_the_new_one(lone):
    status, error = lone.change("/api/security/password", {"password": NEW_PASSWORD})
    assert status == 400
    wrong = {"old_password": "not this one", "password": NEW_PASSWORD}
    assert lone.change("/api/security/password", wrong)[0] == 422
    assert lone.try_password(NEW_PASSWORD)[0] == 200
    assert lone.enter_password(PASSWORD)[0] == 422
    assert lone.enter_password(NEW_PASSWORD)[0] == 200


def test_v6_2_4_the_3000_commonest_are_refused_when_it_is_set(owner):
    """Each of them in tests/host_tools/test_commonest.py; here some, by the page."""
    assert len(COMMONEST) == 3000
    for word in COMMONEST[::500]:
        assert owner.try_password(word)[0] == 422, word


def test_v6_2_5_no_kind_of_character_is_asked_for_or_refused():
    for text in (
        "zonsopgang-fiets",
        "8362057491620",
        "ZONSOPGANGFIETS",
        "\u043a\u043e\u0440\u0430\u0431\u043b\u0438\u043a",
        "{<'\">};--",
    ):
        assert new_password.refusal(text) is None, text


def test_v6_2_6_and_v6_2_7_it_is_masked_and_managers_and_pasting_are_welcome(owner):
    pages = owner.page.ask("GET", "/signin")[2] + owner.get("/api/security/dialogs")[2].replace('\\"', '"')
    fields = re.findall(r"<input[^>]*name=.?\"(?:old_)?password[^>]*>", pages)
    assert len(fields) >= 3
    for field in fields:
        assert 'type="password"' in field and re.search('autocomplete="(current|new)-password"', field), field
    assert "onpaste" not in pages + (owner.page.ask("GET", script_of(pages))[2])
    assert 'autocomplete="username"' in pages


def script_of(page):
    return re.search(r'src="(/assets/admin\.[0-9a-f]+\.js)"', page).group(1)


def test_v6_2_8_and_v6_2_9_it_is_taken_whole_and_exactly_as_typed(lone):
    longest = ("Weir " + "k7#pQz2m Lantern ") * 8
    longest = longest[:127] + "!"
    assert lone.try_password(longest)[0] == 200
    for other in (longest[:-1], longest[:64], longest.lower(), longest + "x"):
        assert lone.enter_password(other)[0] == 422, other
    assert lone.enter_password(longest)[0] == 200


def test_v6_2_10_it_is_good_until_its_owner_changes_it(lone):
    lone.page.tell(f"later {5 * 365 * 86400}")
    status, answer, _ = lone.enter_password()
    assert (status, answer["go"]) == (200, "/signin/code")


def test_v6_2_11_what_is_printed_on_the_label_is_no_password(owner):
    for text in (
        SERVICE_CODE,
        SERVICE_CODE.lower(),
        SERVICE_CODE.replace("-", " "),
        "GL26A0000042",
        "gatelodge1",
    ):
        assert owner.try_password(text)[0] == 422, text


# --- V6.3 in general


def test_v6_3_1_guessing_is_slowed_down_and_the_owner_gets_in_after_the_wait(lone):
    statuses = [lone.enter_password("a guess")[0] for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert throttle.CLOSED_FROM == 100
    lone.page.tell("later 15")
    assert lone.enter_password()[0] == 200


def test_v6_3_2_there_is_no_default_account_and_no_default_password(tmp_path):
    page = AdminPage(tmp_path)
    try:
        for word in ("admin", "password", "", "gatelodge", SERVICE_CODE):
            assert page.ask("POST", "/api/sign-in/password", {"password": word})[0] == 409, word
    finally:
        page.stop()


def test_v6_3_3_the_password_alone_opens_nothing(owner):
    status, answer, cookie = owner.enter_password()
    assert (status, answer["go"]) == (200, "/signin/code")
    assert cookie and not owner.is_in(cookie)
    assert not owner.is_in(cookie.replace("__Host-signin", "__Host-session"))


@pytest.mark.parametrize("path", ["code", "recovery", "two-codes", "search"])
def test_v6_3_4_every_way_in_begins_with_the_password(owner, path):
    bodies = {
        "code": {"code": owner.totp.now()},
        "recovery": {"recovery_code": "00000-00000"},
        "two-codes": {"code": "123456", "next_code": "654321", "browser_time": "1"},
        "search": {},
    }
    status, came, answer = owner.page.ask("POST", "/api/sign-in/" + path, bodies[path])
    assert (status, json.loads(answer)["error"]["offer"]) == (422, "start")
    assert not cookie_of(came, "__Host-session")


def test_v6_3_5_and_v6_3_7_what_was_tried_and_changed_is_told_to_the_owner(lone):
    """On the page; by mail too once a cloud account has the router: tests/system/test_notices.py."""
    lone.enter_password("a guess")
    lone.try_password(NEW_PASSWORD)
    results = [entry["result"] for entry in json.loads(lone.get("/api/history")[2])["entries"]]
    assert results == ["password changed", "wrong password", "set up"]


# --- V6.4 life of a factor


def test_v6_4_1_the_labels_code_sets_up_once_and_never_signs_in(owner):
    for path, body in (("service-code", {"service_code": SERVICE_CODE}), ("authenticator", {})):
        assert owner.page.ask("POST", "/api/setup/" + path, body)[0] == 409, path
    assert owner.enter_password(SERVICE_CODE)[0] == 422
    assert owner.try_password(SERVICE_CODE)[0] == 422


def test_v6_4_2_there_are_no_hints_and_no_secret_questions(owner):
    page = owner.page.ask("GET", "/signin")[2].lower()
    assert "question" not in page and "reminder" not in page
    assert PASSWORD not in owner.get("/security")[2]


def test_v6_4_3_a_forgotten_password_is_no_way_around_the_second_factor(owner):
    """Nothing resets it by the network: who lost it resets the router, which is then nobody's."""
    described = json.loads(owner.get("/api/openapi.json")[2])["paths"]
    open_ways = [path for path, item in described.items() for way in item.values() if not way["security"]]
    assert not [path for path in open_ways if re.search("forgot|reset|recover(?!y)", path)]
    assert owner.page.ask("POST", "/api/system/reset", {})[0] == 401


def test_v6_4_4_who_lost_the_phone_proves_the_password_and_a_recovery_code(lone):
    code = lone.new_recovery_codes()[0]
    assert lone.enter("", "recovery", {"recovery_code": code})[0] == 422
    assert lone.is_in(lone.another_session(code))


# --- V6.5 second factors


def test_v6_5_1_a_code_and_a_recovery_code_work_once(lone):
    recovery = lone.new_recovery_codes()[0]
    code = lone.next_code()
    assert lone.enter_code(lone.enter_password()[2], code)[0] == 200
    assert "has been used" in lone.enter_code(lone.enter_password()[2], code)[1]["error"]["text"]
    assert lone.another_session(recovery)
    assert not lone.another_session(recovery)


def test_v6_5_2_recovery_codes_are_kept_as_slow_salted_hashes(lone):
    codes = lone.new_recovery_codes()
    kept = (lone.page.folder / "store").read_text(errors="replace")
    record = json.loads(re.findall(r'"recovery":(\{[^}]*\})', kept)[-1])
    assert len(record["salt"]) >= 8 and record["iterations"] >= 1 and len(record["hashes"]) == 10
    assert not [code for code in codes if code in kept or code.replace("-", "") in kept]


def test_v6_5_3_and_v6_5_4_secrets_are_random_and_long_enough(lone):
    codes = lone.new_recovery_codes()
    codes += lone.new_recovery_codes()
    assert len(set(codes)) == 20
    assert all(len(code.replace("-", "")) * 5 >= 20 for code in codes)  # bits
    secrets = {lone.change("/api/security/authenticator/begin", {})[1]["secret"], lone.totp.secret}
    assert len(secrets) == 2 and all(len(secret.replace(" ", "")) * 5 >= 128 for secret in secrets)


def test_v6_5_5_a_code_that_is_over_is_refused(owner):
    cookie = owner.enter_password()[2]
    old = owner.totp.at(int(time.time()) - 4 * STEP_S)
    assert owner.enter_code(cookie, old)[0] == 422


def test_v6_5_6_a_lost_factor_is_revoked(lone):
    secret = lone.change("/api/security/authenticator/begin", {})[1]["secret"]
    tablet = pyotp.TOTP(secret.replace(" ", ""))
    added = {"secret": secret, "code": tablet.now(), "name": "Tablet"}
    assert lone.change("/api/security/authenticator/add", added)[0] == 200
    page = html.unescape(lone.get("/security")[2])
    phone = re.search('data-id="([0-9a-f]{8})" data-name="A phone"', page).group(1)
    assert lone.change("/api/security/authenticator/remove", {"id": phone})[0] == 200
    assert lone.enter_code(lone.enter_password()[2], lone.next_code())[0] == 422
    assert lone.enter_code(lone.enter_password()[2], tablet.at(int(time.time()) + STEP_S))[0] == 200


def test_v6_5_8_the_browsers_time_judges_no_code(lone):
    lone.page.tell("unset 400")
    cookie = lone.enter_password()[2]
    assert lone.enter_code(cookie, lone.totp.now())[0] == 422  # the clock decides, and is not set
    lie = {"code": "111111", "next_code": "222222", "browser_time": str(int(time.time()) + 10**9)}
    assert lone.enter(cookie, "two-codes", lie)[2] == ""


# --- V7.2 sessions


def test_v7_2_1_and_v7_2_2_only_the_router_decides_which_token_is_one(owner):
    token = owner.cookie.split("=")[1]
    for forged in ("", "0" * 64, token[:-1], token.upper(), token[::-1], "owner", "true"):
        assert not owner.is_in("__Host-session=" + forged), forged
    assert owner.is_in(owner.cookie)


def test_v7_2_3_tokens_are_random_each_and_of_256_bits(owner):
    sessions_of_one = [owner.another_session(code) for code in owner.new_recovery_codes()[:2]]
    tokens = {cookie.split("=")[1] for cookie in [owner.cookie, *sessions_of_one]}
    assert len(tokens) == 3 and all(re.fullmatch("[0-9a-f]{64}", token) for token in tokens)
    kept = (owner.page.folder / "store").read_text(errors="replace")
    assert not [token for token in tokens if token in kept]


def test_v7_2_4_signing_in_makes_a_new_token_and_ends_the_browsers_old_one(lone):
    cookie = lone.enter_password(Cookie=lone.cookie)[2]
    new = lone.enter_code(lone.cookie + "; " + cookie, lone.next_code())[2]
    assert new != lone.cookie and lone.is_in(new)
    assert not lone.is_in(lone.cookie)


def test_v7_2_4_proving_again_makes_a_new_token_and_the_one_before_proves_nothing_and_ends(lone):
    lone.page.tell("later 301")
    before, sent = lone.cookie, {"proof": lone.next_code()}
    known = {"Cookie": before, "X_CSRF_Token": lone.csrf_token}
    status, came, _ = lone.page.ask("POST", "/api/prove", sent, **known)
    lone.cookie = cookie_of(came, "__Host-session")
    assert status == 200 and lone.cookie not in ("", before)
    assert lone.is_in(lone.cookie) and lone.is_in(before)  # what was under way in another window
    status, answer = lone.change("/api/security/not-me", {}, Cookie=before)
    assert (status, answer["error"]["offer"]) == (422, "prove")
    lone.page.tell(f"later {sessions.GRACE_S}")
    assert lone.is_in(lone.cookie) and not lone.is_in(before)
    assert lone.change("/api/security/not-me", {})[0] == 200


def test_v7_3_1_ten_minutes_without_an_action_end_it(lone):
    lone.page.tell(f"later {sessions.IDLE_S - 1}")
    assert lone.is_in(lone.cookie)  # which is no action
    lone.page.tell("later 1")
    assert not lone.is_in(lone.cookie)
    assert sessions.IDLE_S == 600


def test_v7_3_2_twelve_hours_end_it_however_much_is_done(lone):
    for _ in range(12 * 8 - 1):
        lone.page.tell("later 450")
        assert lone.get("/about")[0] == 200
    lone.page.tell("later 450")
    assert lone.get("/about")[0] == 303


def test_v7_4_1_signed_out_the_token_is_over_and_no_page_was_kept(lone):
    for path in PAGES:
        assert lone.get(path)[1]["Cache-Control"] == "no-store", path
    assert lone.change("/api/sign-out", {})[0] == 200
    assert not lone.is_in(lone.cookie)


def test_v7_4_2_a_router_that_became_nobodys_knows_no_session(lone):
    assert lone.change("/api/system/reset", {})[0] == 200
    lone.page.process.wait(10)
    lone.page.process.stdout.close()
    lone.page.start()
    assert lone.page.ask("GET", "/api/session", Cookie=lone.cookie)[0] == 409


def test_v7_4_3_a_changed_factor_ends_the_other_sessions(lone):
    other = lone.another_session()
    assert lone.try_password(NEW_PASSWORD)[0] == 200
    assert lone.is_in(lone.cookie) and not lone.is_in(other)


@pytest.mark.parametrize("path", PAGES)
def test_v7_4_4_every_page_has_the_way_out(owner, path):
    assert 'data-post="/api/sign-out"' in owner.get(path)[2]


def test_v7_4_5_and_v7_5_2_sessions_are_listed_and_ended_one_or_all(lone):
    one, two = [lone.another_session(code) for code in lone.new_recovery_codes()[:2]]
    page = lone.get("/security")[2]
    listed = re.findall(r'session/end"[^>]*><input type="hidden" name="id" value="([0-9a-f]{8})"', page)
    assert len(listed) == 2
    assert lone.change("/api/security/session/end", {"id": listed[0]})[0] == 200
    assert [lone.is_in(one), lone.is_in(two)].count(True) == 1
    assert lone.change("/api/security/sessions/end", {})[0] == 200
    assert not lone.is_in(one) and not lone.is_in(two) and lone.is_in(lone.cookie)


def test_v7_5_1_and_v7_5_3_what_is_sensitive_asks_for_a_code_again(lone):
    described = json.loads(lone.get("/api/openapi.json")[2])["paths"]
    sensitive = [
        path
        for path, item in described.items()
        if "/api/prove" in str(item.get("post", {}).get("description"))
    ]
    lone.page.tell("later 301")
    assert len(sensitive) >= 16
    for path in sensitive:
        content = described[path]["post"].get("requestBody", {}).get("content", {"application/json": {}})
        if "application/json" not in content:
            continue  # an upload: test_update_requests sends it without a proof
        fields = content["application/json"]
        body = {name: example(kind) for name, kind in fields.get("schema", {}).get("properties", {}).items()}
        status, answer = lone.change(path, body)
        assert (status, answer["error"]["offer"]) == (422, "prove"), path


def example(kind):
    return kind["enum"][0] if "enum" in kind else "x"


def test_v7_6_2_no_session_begins_without_somebody_signing_in(owner):
    for method, path in (("GET", "/"), ("GET", "/signin"), ("GET", "/signin/code"), ("GET", "/api/status")):
        assert not cookie_of(owner.page.ask(method, path)[1], "__Host-session"), path
