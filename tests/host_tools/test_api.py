"""The API: its description, and what a personal token opens and does not. By request, under MicroPython."""

import hashlib
import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.host_tools.admin_page_rig import PASSWORD, AdminPage
from tests.host_tools.test_admin_page_requests import Session

READ = ("router", "devices", "internet", "traffic", "cloud", "history", "log")
# Below /api/, and the pages' own: markup, meters, and a mixture that the scopes would cut apart.
UNDESCRIBED = {
    "/api/overview",
    "/api/security/dialogs",
    "/api/security/history",
    "/api/security/strength",
    "/api/setup/strength",
}


class Owned(Session):
    """An owner with a session in which a code was given just now."""

    def change(self, path, body, **headers):
        """(status, answer) of a POST as the pages' script sends it."""
        known = {"Cookie": self.cookie, "X_CSRF_Token": self.csrf_token, **headers}
        status, _, answer = self.page.ask("POST", path, body, **known)
        return status, json.loads(answer)

    def token(self, *scopes, lifetime="90"):
        form = {"name": "A script", "scopes": " ".join(scopes), "lifetime": lifetime}
        return self.change("/api/security/token/create", form)[1]["token"]

    def revoke(self, token):
        """By the id that the security page has for it."""
        token_id = hashlib.sha256(token.encode()).hexdigest()[:8]
        assert f'name="id" value="{token_id}"' in self.get("/security")[2]
        assert self.change("/api/security/token/revoke", {"id": token_id})[0] == 200

    def by(self, token, method, path, body=None, **headers):
        """(status, headers, answer) of a request with a token and no cookie."""
        status, came, answer = self.page.ask(method, path, body, Authorization="Bearer " + token, **headers)
        return status, came, json.loads(answer) if answer.startswith("{") else answer


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    page = AdminPage(tmp_path_factory.mktemp("owned"))
    yield Owned(page)
    page.stop()


@pytest.fixture
def lone(tmp_path):
    """An owner for one test, which ends something."""
    page = AdminPage(tmp_path)
    yield Owned(page)
    page.stop()


@pytest.fixture(scope="module")
def described(owned):
    return json.loads(owned.get("/api/openapi.json")[2])


def operations(described):
    return [
        (method.upper(), path, operation)
        for path, item in described["paths"].items()
        for method, operation in item.items()
    ]


# --- the description


def test_the_description_is_openapi_3_1(described):
    assert described["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []


def test_what_is_described_is_there_and_what_is_not_is_the_pages_own(owned, described):
    for method, path, _ in operations(described):
        other = "POST" if method == "GET" else "GET"
        assert owned.page.ask(other, path, {} if other == "POST" else None)[0] == 405, path
    for path in UNDESCRIBED:
        assert path not in described["paths"]
        assert 404 not in {owned.page.ask(method, path)[0] for method in ("GET", "POST")}, path


def test_every_operation_has_a_name_of_its_own_and_says_who_may(described):
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(names)) == len(names)
    for _, path, operation in operations(described):
        assert operation["description"] and operation["summary"], path


def test_a_scope_is_named_where_a_token_will_do_and_nowhere_else(owned, described):
    token = owned.token("log:read")
    for method, path, operation in operations(described):
        takes = [way["token"] for way in operation["security"] if "token" in way]
        if not operation["security"]:
            continue
        status = owned.by(token, method, path, {} if method == "POST" else None)[0]
        assert status == (200 if takes in ([[]], [["log:read"]]) else 403), path


def test_a_field_is_judged_as_it_is_described(owned, described):
    operation = described["paths"]["/api/claim"]["post"]
    fields = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert fields["answer"] == {"type": "string", "enum": ["approve", "refuse"]}
    assert owned.change("/api/claim", {"claim_id": "c1", "answer": "perhaps"})[0] == 400
    assert owned.change("/api/claim", {"claim_id": "c" * 65, "answer": "refuse"})[0] == 422
    assert owned.get("/api/log?level=loud")[0] == 400
    assert owned.get("/api/log?find=" + "x" * 65)[0] == 400


def test_strangers_and_bad_tokens_do_not_get_the_description(owned):
    assert owned.page.ask("GET", "/api/openapi.json")[0] == 401
    assert owned.by("glr_" + "0" * 72, "GET", "/api/openapi.json")[0] == 401


# --- what a token opens


@pytest.mark.parametrize("name", READ)
def test_a_token_reads_what_its_scope_says_without_a_cookie(owned, described, name):
    way = described["paths"]["/api/" + name]["get"]["security"]
    scope = next(way["token"] for way in way if "token" in way)[0]
    token = owned.token(scope)
    status, headers, answer = owned.by(token, "GET", "/api/" + name)
    owned.revoke(token)
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    shape = described["paths"]["/api/" + name]["get"]["responses"]["200"]["content"]["application/json"]
    members = described["components"]["schemas"][shape["schema"]["$ref"].split("/")[-1]]["properties"]
    assert set(answer) == set(members)


def test_a_token_of_another_scope_is_refused_as_rfc_6750_says(owned):
    token = owned.token("devices:read")
    status, headers, answer = owned.by(token, "GET", "/api/log")
    assert status == 403
    assert 'error="insufficient_scope", scope="log:read"' in headers["WWW-Authenticate"]
    assert "was not made for that" in answer["error"]["text"]


def test_what_is_no_token_is_refused_as_rfc_6750_says(owned):
    right = owned.token("log:read")
    for token in ("", "x", "glr_" + "0" * 72, right[:-1] + ("0" if right[-1] != "0" else "1"), right.upper()):
        status, headers, _ = owned.by(token, "GET", "/api/log")
        assert status == 401, token
        assert headers["WWW-Authenticate"].startswith("Bearer "), token
        assert token in ("",) or 'error="invalid_token"' in headers["WWW-Authenticate"], token
    assert owned.page.ask("GET", "/api/log")[1]["WWW-Authenticate"] == 'Bearer realm="Gatelodge"'


def test_a_revoked_token_opens_nothing_from_the_next_request_on(owned):
    token = owned.token("log:read")
    assert owned.by(token, "GET", "/api/log")[0] == 200
    owned.revoke(token)
    assert owned.by(token, "GET", "/api/log")[0] == 401


def test_no_token_changes_who_gets_in_or_makes_a_token(owned, described):
    every = owned.token(*(scope for scope in all_scopes(described)))
    for path, body in (
        ("/api/security/token/create", {"name": "", "scopes": "log:read", "lifetime": "none"}),
        ("/api/security/password", {"old_password": PASSWORD, "password": "seven herons left the weir"}),
        ("/api/security/recovery-codes", {}),
        ("/api/security/two-factor/off", {"password": PASSWORD, "code": "000000"}),
        ("/api/system/reset", {}),
        ("/api/system/power-off", {}),
        ("/api/cloud/release", {}),
        ("/api/service-code", {}),
        ("/api/prove", {"proof": "000000"}),
        ("/api/sign-out", {}),
    ):
        assert owned.by(every, "POST", path, body)[0] == 403, path
    for path in ("/", "/security", "/system/log.txt", "/live", "/api/session", "/api/overview"):
        assert owned.by(every, "GET", path)[0] == 403, path


def all_scopes(described):
    return {
        scope
        for _, _, operation in operations(described)
        for way in operation["security"]
        for scope in way.get("token", ())
    }


def test_a_bad_token_is_not_made_good_by_a_cookie(owned):
    cookie = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token}
    assert owned.by("glr_" + "0" * 72, "GET", "/api/log", **cookie)[0] == 401
    other = owned.token("devices:read")
    assert owned.by(other, "GET", "/api/log", **cookie)[0] == 403
    assert owned.by(other, "POST", "/api/security/not-me", {}, **cookie)[0] == 403


def test_a_cookie_without_its_csrf_token_changes_nothing_whatever_else_is_sent(owned):
    for scheme in ("", "Basic b3duZXI6eA==", "Bearer", "Digest x"):
        headers = {"Authorization": scheme} if scheme else {}
        body = {"name": "", "scopes": "log:read", "lifetime": "90"}
        status = owned.page.ask("POST", "/api/security/token/create", body, Cookie=owned.cookie, **headers)[0]
        assert status == 403, scheme


def test_a_token_in_the_address_or_the_body_is_not_looked_at(owned):
    token = owned.token("router:restart")
    assert owned.page.ask("GET", "/api/log?access_token=" + token)[0] == 401
    assert owned.page.ask("POST", "/api/claim", {"access_token": token})[0] == 401


def test_another_sites_page_cannot_use_a_token_that_it_was_given(owned):
    token = owned.token("router:restart")
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
        assert owned.by(token, "POST", "/api/system/restart", **headers)[0] == 403
    status, headers, _ = owned.page.ask("OPTIONS", "/api/log", Origin="https://evil.example")
    assert (status, headers["Access-Control-Allow-Origin"]) == (403, None)


def test_a_token_is_no_session(owned):
    token = owned.token("status:read")
    status, headers, answer = owned.by(token, "GET", "/api/status")
    assert (status, answer["signed_in"]) == (200, False)
    assert headers.get_all("Set-Cookie") is None
    assert owned.by(token, "GET", "/api/router")[1].get_all("Set-Cookie") is None


# --- how long


def test_making_one_asks_for_a_code_and_a_sentence_says_what_is_wrong(lone):
    assert lone.change("/api/security/token/create", form(scopes=""))[1]["error"]["field"] == "form"
    assert lone.change("/api/security/token/create", form(lifetime="7"))[0] == 400
    lone.page.tell("later 301")
    status, answer = lone.change("/api/security/token/create", form())
    assert (status, answer["error"]["offer"]) == (422, "prove")


def form(scopes="log:read", lifetime="90"):
    return {"name": "A script", "scopes": scopes, "lifetime": lifetime}


def test_a_token_restarts_the_router_without_a_code_and_the_log_says_which(lone):
    token = lone.token("router:restart")
    lone.page.tell("later 301")  # no code was given for a while
    assert lone.by(token, "POST", "/api/system/restart")[0] == 200
    lone.page.process.wait(10)
    assert "restart" in (said := (lone.page.folder / "log.txt").read_text()) and "A script" in said
    assert token not in said


def test_it_outlives_the_session_and_a_restart_and_puts_off_the_end_of_neither(lone):
    token = lone.token("log:read")
    for _ in range(11):
        lone.page.tell("later 60")
        assert lone.by(token, "GET", "/api/log", Cookie=lone.cookie)[0] == 200
    assert lone.get("/api/log")[0] == 401
    lone.page.stop()
    lone.page.start()
    assert lone.by(token, "GET", "/api/log")[0] == 200
    assert token not in (lone.page.folder / "store").read_text(errors="replace")


def test_a_new_password_ends_every_token(lone):
    token = lone.token("log:read", lifetime="none")
    body = {"old_password": PASSWORD, "password": "seven herons left the weir"}
    status, answer = lone.change("/api/security/password", body)
    assert status == 200 and "every API token has ended" in answer["say"]
    assert lone.by(token, "GET", "/api/log")[0] == 401


def test_this_was_not_me_ends_every_token(lone):
    token = lone.token("log:read")
    assert lone.change("/api/security/not-me", {})[0] == 200
    assert lone.by(token, "GET", "/api/log")[0] == 401


def test_a_program_that_signs_in_finds_its_csrf_token_by_the_api(lone):
    answer = json.loads(lone.get("/api/session")[2])
    assert (answer["csrf_token"], answer["is_proved"]) == (lone.csrf_token, True)
    assert lone.page.ask("GET", "/api/session")[0] == 401
