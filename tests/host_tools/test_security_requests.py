"""What changes on the security page need: by request, under MicroPython with its real server and store."""

import json

import pytest

from tests.host_tools.admin_page_rig import PASSWORD, AdminPage
from tests.host_tools.test_admin_page_requests import Session

ID = {"id": "00000000"}
NEW_PASSWORD = "seven herons left the weir"
CHANGES = {
    "password": {"old_password": PASSWORD, "password": NEW_PASSWORD},
    "authenticator/begin": {},
    "authenticator/add": {"secret": "A", "code": "123456", "name": ""},
    "authenticator/rename": {"name": "x", **ID},
    "authenticator/remove": ID,
    "authenticator/restore": ID,
    "recovery-codes": {},
    "session/end": ID,
    "sessions/end": {},
    "browser/end": ID,
    "not-me": {},
    "token/create": {"name": "", "lifetime": "90", "scopes": "log:read"},
    "token/revoke": ID,
}
SWITCH_OFF = {"password": PASSWORD, "code": "000000"}


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    """An owner whose last code was given more than five minutes ago."""
    page = AdminPage(tmp_path_factory.mktemp("owned"))
    session = Session(page)
    page.tell("later 301")
    yield session
    page.stop()


def change(owned, path, body, **headers):
    """(status, the error in the answer)."""
    known = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token, **headers}
    status, _, answer = owned.page.ask("POST", "/api/security/" + path, body, **known)
    return status, json.loads(answer).get("error")


@pytest.mark.parametrize("path", CHANGES)
def test_every_change_asks_for_proof_first(owned, path):
    status, error = change(owned, path, CHANGES[path])
    assert (status, error["offer"]) == (422, "prove")


@pytest.mark.parametrize("path", [*CHANGES, "two-factor/off"])
def test_no_change_is_made_without_the_sessions_own_token_or_by_get(owned, path):
    body = CHANGES.get(path, SWITCH_OFF)
    assert change(owned, path, body, X_CSRF_Token="")[0] == 403
    assert change(owned, path, body, Cookie="__Host-session=guess")[0] == 401
    assert owned.get("/api/security/" + path)[0] == 405


def test_switching_off_brings_its_own_proof_of_both_factors(owned):
    status, error = change(owned, "two-factor/off", SWITCH_OFF)
    assert (status, error["field"], error["offer"]) == (422, "code", "recovery")
    status, error = change(owned, "two-factor/off", {**SWITCH_OFF, "password": "not this one"})
    assert (status, error["field"]) == (422, "password")


def test_no_page_holds_a_secret(owned):
    kept = (owned.page.folder / "store").read_text(errors="replace")
    assert '"secret":' in kept.replace(" ", "")
    secret = kept.split('"secret":')[1].split('"')[1]
    for path in ("/security", "/api/security/history", "/api/security/dialogs"):
        status, _, body = owned.get(path)
        assert status == 200
        assert secret not in body


def test_a_damaged_history_keeps_nobody_out(tmp_path):
    page = AdminPage(tmp_path)
    try:
        Session(page)
        page.tell("damage")
        assert page.ask("POST", "/api/sign-in/password", {"password": "not this one"})[0] == 422
        page.tell("damage")
        page.tell("later 60")
        assert page.ask("POST", "/api/sign-in/password", {"password": PASSWORD})[0] == 200
        assert "the count of the history is damaged" in (page.folder / "log.txt").read_text()
    finally:
        page.stop()
