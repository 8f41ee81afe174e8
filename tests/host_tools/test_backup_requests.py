"""Backup and restore by request, under MicroPython with its real server and store, and by an attacker."""

import base64
import json

import pytest
from gatelodge.core import backup

from tests.host_tools.admin_page_rig import PASSWORD, AdminPage
from tests.host_tools.test_admin_page_requests import Session

SEALED_BY = "nine slow barges pass"
MAKE = {"password": SEALED_BY, "again": SEALED_BY}
OPEN = {"backup": "", "password": SEALED_BY, "act": "restore"}
CHANGES = {"backup": MAKE, "restore": OPEN, "name": {"name": "Attic"}}


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    page = AdminPage(tmp_path_factory.mktemp("owned"))
    yield Session(page)
    page.stop()


@pytest.fixture
def alone(tmp_path):
    """A router of its own, for what ends sessions or proofs."""
    page = AdminPage(tmp_path)
    yield Session(page)
    page.stop()


def send(owned, path, body, **headers):
    """(status, answer)."""
    known = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token, **headers}
    status, _, answer = owned.page.ask("POST", "/api/system/" + path, body, **known)
    return status, json.loads(answer)


def make(owned, **more):
    status, answer = send(owned, "backup", {**MAKE, **more})
    assert status == 200, answer
    return base64.b64decode(answer["file"])


def opened(owned, act, file, password=SEALED_BY):
    encoded = base64.b64encode(file).decode()
    return send(owned, "restore", {"backup": encoded, "password": password, "act": act})


def name_of(owned):
    return owned.get("/system")[2].split('id="router-name"')[1].split('value="')[1].split('"')[0]


def store_of(owned):
    return (owned.page.folder / "store").read_bytes()


def test_the_file_is_named_after_router_and_day_and_holds_no_readable_secret(owned):
    status, answer = send(owned, "backup", {**MAKE, "secrets": "yes"})
    assert status == 200
    assert answer["name"].startswith("gatelodge-GL26A0000042-20") and answer["name"].endswith(".backup")
    file = base64.b64decode(answer["file"])
    content = json.loads(backup.unseal(file, SEALED_BY))
    secret = content["values"]["authenticators"][0]["secret"]
    assert secret.encode() not in file and b"GL26A0000042" not in file


def test_without_being_asked_the_file_holds_no_secret(owned):
    content = json.loads(backup.unseal(make(owned), SEALED_BY))
    assert set(content["values"]) <= {"router.name"}


def test_a_setting_comes_back(owned):
    assert send(owned, "name", {"name": "Attic <1>"})[0] == 200
    file = make(owned)
    send(owned, "name", {"name": "Cellar"})
    status, answer = opened(owned, "look", file)
    assert status == 200 and "Attic &lt;1&gt;" in answer["inside"] and "0.1.0" in answer["inside"]
    assert name_of(owned) == "Cellar"
    assert opened(owned, "restore", file)[1]["again"]
    assert name_of(owned) == "Attic &lt;1&gt;"


def test_what_is_not_genuine_is_refused_at_its_field_and_changes_nothing(owned):
    file = make(owned, secrets="yes")
    before = store_of(owned)
    flipped = file[:50] + bytes([file[50] ^ 1]) + file[51:]
    for damaged, password, field in (
        (file, "nine slow barges passed", "password"),
        (flipped, SEALED_BY, "password"),
        (file[:-1], SEALED_BY, "password"),
        (file + b"\0", SEALED_BY, "password"),
        (b"", SEALED_BY, "backup"),
        (b"GIF89a" + bytes(100), SEALED_BY, "backup"),
        (file + bytes(backup.MOST_BYTES + 1 - len(file)), SEALED_BY, "backup"),
        (file.replace(b"GLBACKU1", b"GLBACKU2"), SEALED_BY, "backup"),
    ):
        for act in ("look", "restore"):
            status, answer = opened(owned, act, damaged, password)
            assert (status, answer["error"]["field"]) == (422, field), answer
    assert store_of(owned) == before


def test_what_is_no_base64_is_no_backup(owned):
    status, answer = send(owned, "restore", {**OPEN, "backup": "***"})
    assert (status, answer["error"]["field"]) == (422, "backup")


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(owned):
    assert send(owned, "restore", {**OPEN, "backup": "A" * 12000})[0] == 413


def test_two_passwords_that_differ_and_weak_ones_seal_nothing(owned):
    assert send(owned, "backup", {**MAKE, "again": "another"})[1]["error"]["field"] == "again"
    weak = {"password": "password1", "again": "password1"}
    assert send(owned, "backup", weak)[1]["error"]["field"] == "password"


@pytest.mark.parametrize("path", CHANGES)
def test_nothing_is_done_without_the_sessions_own_token_or_by_get(owned, path):
    assert send(owned, path, CHANGES[path], X_CSRF_Token="")[0] == 403
    assert send(owned, path, CHANGES[path], Cookie="__Host-session=guess")[0] == 401
    assert send(owned, path, CHANGES[path], Origin="https://elsewhere.example")[0] == 403
    assert owned.get("/api/system/" + path)[0] == 405


def test_both_ask_for_a_code_again_after_five_minutes(alone):
    file = make(alone)
    alone.page.tell("later 301")
    for path, body in (("backup", MAKE), ("restore", {**OPEN, "backup": base64.b64encode(file).decode()})):
        status, answer = send(alone, path, body)
        assert (status, answer["error"]["offer"]) == (422, "prove")


def test_restored_secrets_end_every_session_and_are_told_in_the_log(alone):
    file = make(alone, secrets="yes")
    status, answer = opened(alone, "restore", file)
    assert (status, answer["go"]) == (200, "/signin")
    assert alone.get("/system")[0] == 303
    assert send(alone, "name", {"name": "Attic"})[0] == 401
    assert alone.page.ask("POST", "/api/sign-in/password", {"password": PASSWORD})[0] == 200
    log = (alone.page.folder / "log.txt").read_text()
    assert "a backup of GL26A0000042 was restored" in log and SEALED_BY not in log
