"""What the admin page answers to requests, under MicroPython with its real server, store and sign-in."""

import contextlib
import http.client
import json
import ssl

import pyotp
import pytest

from tests.host_tools.admin_page_rig import DEADLINE_S, PASSWORD, SERVICE_CODE, AdminPage, cookie_of


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Nobody owns it, in every test of this file that asks for it."""
    page = AdminPage(tmp_path_factory.mktemp("fresh"))
    yield page
    page.stop()


class Session:
    """An owner who has been through the wizard."""

    def __init__(self, page):
        self.page = page
        _, headers, _ = page.ask("POST", "/api/setup/service-code", {"service_code": SERVICE_CODE})
        self.cookie = cookie_of(headers, "__Host-setup")
        secret = self.post("/api/setup/authenticator", {})["secret"]
        code = pyotp.TOTP(secret.replace(" ", "")).now()
        form = {"password": PASSWORD, "secret": secret, "code": code, "name": "A phone"}
        status, headers, _ = page.ask("POST", "/api/setup/finish", form, Cookie=self.cookie)
        assert status == 200
        self.set_cookies = headers.get_all("Set-Cookie")
        self.cookie = cookie_of(headers, "__Host-session")
        body = self.get("/")[2]
        self.csrf_token = body.split('data-csrf="')[1].split('"')[0]

    def get(self, path, **headers):
        return self.page.ask("GET", path, Cookie=self.cookie, **headers)

    def post(self, path, body):
        return json.loads(self.page.ask("POST", path, body, Cookie=self.cookie)[2])


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    page = AdminPage(tmp_path_factory.mktemp("owned"))
    yield Session(page)
    page.stop()


def test_a_fresh_router_leads_to_the_wizard_and_nowhere_else(fresh):
    for path in ("/", "/about", "/signin", "/signin/code"):
        status, headers, _ = fresh.ask("GET", path)
        assert (status, headers["Location"]) == (303, "/setup"), path
    assert fresh.ask("POST", "/api/sign-in/password", {"password": PASSWORD})[0] == 409


def test_a_fresh_router_tells_no_values_and_starts_no_live_updates(fresh):
    for path in ("/live", "/api/overview"):
        assert fresh.ask("GET", path)[0] == 409, path


def test_the_wizard_goes_nowhere_without_the_service_code(fresh):
    for path, body in (
        ("/api/setup/strength", {"password": PASSWORD}),
        ("/api/setup/password", {"password": PASSWORD}),
        ("/api/setup/authenticator", {}),
        ("/api/setup/finish", {"password": PASSWORD, "secret": "A", "code": "123456", "name": ""}),
    ):
        status, _, answer = fresh.ask("POST", path, body, Cookie="__Host-setup=guess")
        assert status == 422, path
        assert json.loads(answer)["error"]["offer"] == "start", path


def test_every_answer_carries_the_security_headers(fresh):
    for method, path in (("GET", "/setup"), ("GET", "/nowhere"), ("DELETE", "/"), ("GET", "/api/status")):
        headers = fresh.ask(method, path)[1]
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Cache-Control"] == "no-store", path


def test_a_name_that_is_not_the_routers_is_refused(fresh):
    assert fresh.ask("GET", "/setup", Host="rebound.evil.example")[0] == 421
    assert fresh.ask("GET", "/setup", Host="gatelodge.home")[0] == 200


def test_the_session_is_a_cookie_that_scripts_and_other_sites_cannot_use(owned):
    session = next(line for line in owned.set_cookies if line.startswith("__Host-session="))
    assert session.split("; ")[1:] == ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]


def test_a_change_needs_the_sessions_own_token(owned):
    for headers in ({}, {"X_CSRF_Token": "0" * len(owned.csrf_token)}):
        assert owned.page.ask("POST", "/api/service-code", {}, Cookie=owned.cookie, **headers)[0] == 403
    right = {"X_CSRF_Token": owned.csrf_token}
    status, _, answer = owned.page.ask("POST", "/api/service-code", {}, Cookie=owned.cookie, **right)
    assert (status, json.loads(answer)["show"]) == (200, SERVICE_CODE)


def test_a_change_from_another_site_is_refused_even_with_the_token(owned):
    for foreign in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        headers = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token, **foreign}
        assert owned.page.ask("POST", "/api/service-code", {}, **headers)[0] == 403, foreign


def test_nothing_that_changes_anything_answers_to_get(owned):
    for path in ("/api/sign-out", "/api/claim", "/api/service-code", "/api/setup/finish"):
        assert owned.get(path)[0] == 405, path
    assert owned.get("/api/overview")[0] == 200


def test_without_a_session_pages_lead_to_sign_in_and_data_is_refused(owned):
    status, headers, _ = owned.page.ask("GET", "/about", Cookie="__Host-session=guess")
    assert (status, headers["Location"]) == (303, "/signin")
    assert owned.page.ask("GET", "/api/overview")[0] == 401
    assert owned.page.ask("GET", "/live")[0] == 401


def test_the_wizard_is_closed_once_somebody_owns_the_router(owned):
    assert owned.page.ask("GET", "/setup")[1]["Location"] == "/"
    body = {"service_code": SERVICE_CODE}
    assert owned.page.ask("POST", "/api/setup/service-code", body)[0] == 409


def test_no_page_holds_the_service_code_before_it_is_asked_for(owned):
    for path in ("/", "/about"):
        assert SERVICE_CODE not in owned.get(path)[2]


def test_the_overview_gives_the_routers_own_values_to_scripts(owned):
    values = json.loads(owned.get("/api/overview")[2])
    assert values["facts"]["memory"]["total_kb"] == 124928
    assert [interface["role"] for interface in values["interfaces"]] == ["wan", "lan"]
    assert values["cloud"]["state"] == "online"


class Kept:
    """The owner's requests on one connection that is kept: the same again and again, or each with a query of
    its own."""

    def __init__(self, owned, is_new):
        context = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
        at = ("127.0.0.1", owned.page.port)
        self.connection = http.client.HTTPSConnection(*at, timeout=DEADLINE_S, context=context)
        self._headers, self._count, self._is_new = {"Cookie": owned.cookie}, 0, is_new

    def get(self, path):
        self._count += 1
        self.connection.request("GET", path + f"?n={self._count}" * self._is_new, headers=self._headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


@pytest.fixture(params=[False, True], ids=["the same request", "a new one each time"])
def kept(request, owned):
    kept = Kept(owned, request.param)
    with contextlib.closing(kept.connection):
        yield kept


def test_what_has_changed_is_in_the_very_next_answer_of_a_connection_that_is_kept(owned, kept):
    def after(word):
        owned.page.tell(word)
        return kept.get("/api/overview")

    for _ in range(3):
        assert kept.get("/api/overview")[1]["cloud"]["state"] == "online"
    assert after("offline")[1]["cloud"]["state"] == "offline"
    assert after("owned")[1]["cloud"]["owner"]["name"] == "Ada Lovelace"
    assert after("unset")[1]["clock"]["state"] == "unset"
    assert after("set")[1]["clock"]["state"] == "synced"
    assert after("online")[1]["cloud"]["state"] == "online"
    assert after("fail facts")[0] == 500
    assert after("heal")[0] == 200


def test_a_session_that_has_ended_is_refused_in_the_very_next_answer(tmp_path):
    page = AdminPage(tmp_path)
    try:
        owned = Session(page)
        both = [Kept(owned, is_new) for is_new in (False, True)]
        assert [kept.get("/api/session")[0] for kept in both * 3] == [200] * 6
        headers = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token}
        assert page.ask("POST", "/api/sign-out", {}, **headers)[0] == 200
        assert [kept.get("/api/session") for kept in both] == [(401, {"go": "/signin"})] * 2
        for kept in both:
            kept.connection.close()
    finally:
        page.stop()


def test_style_and_script_are_kept_for_ever_under_a_name_of_their_content(owned):
    body = owned.page.ask("GET", "/signin")[2]
    paths = [part.split('"')[0] for part in body.split('"/assets/')[1:]]
    assert len(paths) == 2
    for path in paths:
        status, headers, _ = owned.page.ask("GET", "/assets/" + path)
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
