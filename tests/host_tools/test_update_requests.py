"""Updates by request, under MicroPython with its real server, store and flash, and by an attacker."""

import http.client
import json
import socket
import ssl
import time

import pyotp
import pytest
from gatelodge.contract import bundle

from tests.fakes import bundles
from tests.host_tools import admin_page_rig
from tests.host_tools.admin_page_rig import AdminPage, cookie_of
from tests.host_tools.test_admin_page_requests import Session
from tests.system.rig import until

PATH = "/api/system/firmware"
NEWER = bundles.signed(version="0.2.0")


class Owner(Session):
    secret = ""

    def post(self, path, body):
        answer = super().post(path, body)
        self.secret = answer.get("secret", self.secret).replace(" ", "")
        return answer

    def sign_in(self):
        """With the code that follows: the last one was used."""
        sent = self.page.ask("POST", "/api/sign-in/password", {"password": admin_page_rig.PASSWORD})
        known = {"Cookie": cookie_of(sent[1], "__Host-signin")}
        code = pyotp.TOTP(self.secret).at(time.time() + 30)
        sent = self.page.ask("POST", "/api/sign-in/code", {"code": code}, **known)
        assert sent[0] == 200, sent[2]
        self.cookie = cookie_of(sent[1], "__Host-session")


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    page = AdminPage(tmp_path_factory.mktemp("owned"))
    yield Owner(page)
    page.stop()


@pytest.fixture
def alone(tmp_path):
    """A router of its own, for what ends proofs or the process."""
    page = AdminPage(tmp_path)
    yield Owner(page)
    page.stop()


def connect(owned):
    context = ssl._create_unverified_context()  # noqa: S323 - its certificate was made a moment ago
    at = "127.0.0.1", owned.page.port
    return http.client.HTTPSConnection(*at, timeout=admin_page_rig.DEADLINE_S, context=context)


def send(owned, data, older="no", **headers):
    """(status, answer) of an upload."""
    named = {"Cookie": owned.cookie, "X-CSRF-Token": owned.csrf_token}
    named["Content-Type"] = "application/octet-stream"
    named.update({name.replace("_", "-"): value for name, value in headers.items()})
    connection = connect(owned)
    connection.request("POST", f"{PATH}/bundle?older={older}", data, named)
    answer = connection.getresponse()
    told = answer.status, json.loads(answer.read())
    connection.close()
    return told


def post(owned, path, **body):
    known = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token}
    status, _, answer = owned.page.ask("POST", PATH + path, body, **known)
    return status, json.loads(answer)


def told(owned):
    return json.loads(owned.get(PATH)[2])


def flash(owned):
    """{path: content} of every file on it."""
    root = owned.page.folder / "flash"
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def begun(owned, sent, length=None):
    """An upload of which so many bytes were sent, after our word where there are any: its TLS socket."""
    context = ssl._create_unverified_context()  # noqa: S323
    line = context.wrap_socket(socket.create_connection(("127.0.0.1", owned.page.port)))
    line.settimeout(admin_page_rig.DEADLINE_S)
    head = f"POST {PATH}/bundle?older=no HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {owned.cookie}\r\n"
    head += f"X-CSRF-Token: {owned.csrf_token}\r\nContent-Type: application/octet-stream\r\n"
    head += f"Content-Length: {length or len(NEWER)}\r\nExpect: 100-continue\r\n\r\n"
    line.sendall(head.encode())
    if sent:
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(NEWER[:sent])
    return line


def flipped(data, part):
    changed = bytearray(data)
    changed[data.find(part)] ^= 1
    return bytes(changed)


UNSIGNED = bundles.archive([(bundle.MANIFEST, bundles.manifest({}))])
REFUSED = {
    "of another key": (bundles.signed(version="0.2.0", key=bundles.OTHER_KEY), "not signed by the maker"),
    "without a signature": (UNSIGNED, "not signed by the maker"),
    "with a changed manifest": (NEWER.replace(b"0.2.0", b"0.3.0"), "not signed by the maker"),
    "with a flipped bit": (flipped(NEWER, b"first"), "damaged or cut off"),
    "cut in a file": (NEWER[:-3000], "damaged or cut off"),
    "cut between two files": (NEWER[: -len(NEWER) % 512 - 2048], "damaged or cut off"),
    "empty": (b"", "no firmware for Gatelodge"),
    "a photograph": (b"\xff\xd8\xff\xe0" * 5000, "no firmware for Gatelodge"),
    "of another kind of router": (bundles.signed(version="0.2.0", mpy_version=5), "another kind of router"),
    "older": (bundles.signed(version="0.0.9"), "Version 0.0.9 is older than 0.1.0, which runs."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_meant_for_this_router_is_refused_and_leaves_nothing_behind(owned, name):
    data, words = REFUSED[name]
    before = flash(owned)
    status, answer = send(owned, data)
    assert (status, answer["error"]["field"]) == (422, "bundle"), answer
    assert words in answer["error"]["text"]
    assert flash(owned) == before


def test_an_older_one_is_installed_where_that_is_wanted(alone):
    assert send(alone, bundles.signed(version="0.0.9"), older="yes")[0] == 200
    assert told(alone)["other"] == "0.0.9"


def test_a_signed_one_fills_the_other_slot_and_waits_for_its_start(owned):
    status, answer = send(owned, NEWER)
    assert (status, answer["say"]) == (200, "Version 0.2.0 is installed. Restart into it.")
    files = flash(owned)
    record = json.loads(files.pop("boot.json"))
    assert (record["confirmed"], record["trial"]) == ("a", "b")
    assert set(files) == {"slots/b/" + name for name in [*bundles.FILES, bundle.MANIFEST, bundle.SIGNATURE]}
    assert all(files["slots/b/" + name] == bundles.FILES[name] for name in bundles.FILES)
    found = told(owned)
    assert (found["running"], found["other"], found["update"]["state"]) == ("0.1.0", "0.2.0", "waiting")
    assert "Restart into version 0.2.0" in owned.get("/system")[2]
    newest = json.loads(owned.get("/api/history")[2])["entries"][0]
    assert (newest["result"], newest["method"]) == ("firmware installed", "0.2.0")


def test_the_guards_stand_before_the_first_byte(alone):
    """Who may not is told so at once: a client that waits for our word never gets it."""
    alone.page.tell("later 301")
    with begun(alone, 0) as line:
        answer = line.recv(4096)
    assert answer.startswith(b"HTTP/1.1 422") and b'"offer":"prove"' in answer
    assert send(alone, NEWER, Cookie="")[0] == 401
    assert send(alone, NEWER, X_CSRF_Token="wrong")[0] == 403
    assert send(alone, NEWER, Origin="https://evil.example")[0] == 403
    assert flash(alone) == {}


def test_a_file_larger_than_the_heap_is_read_to_its_end_before_it_is_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(admin_page_rig, "HEAP_KB", 2048)
    page = AdminPage(tmp_path)
    try:
        small = Owner(page)
        status, answer = send(small, NEWER[:-1024] + bytes(4 * 2**20))
        assert status == 200, answer
        assert "memory" not in (tmp_path / "log.txt").read_text()
    finally:
        page.stop()


def test_no_token_may_do_it(owned):
    form = {"name": "A program", "scopes": "router:restart", "lifetime": "none"}
    known = {"Cookie": owned.cookie, "X_CSRF_Token": owned.csrf_token}
    token = json.loads(owned.page.ask("POST", "/api/security/token/create", form, **known)[2])["token"]
    assert send(owned, NEWER, Authorization="Bearer " + token)[0] == 403


def test_what_is_too_large_or_of_another_kind_is_refused(owned):
    with begun(owned, 0, 5 * 2**20 + 1) as line:
        assert line.recv(4096).startswith(b"HTTP/1.1 413")
    assert send(owned, NEWER, Content_Type="application/json")[0] == 415
    assert post(owned, "/ask", bundle=str(6 * 2**20))[1]["error"]["field"] == "bundle"


def test_one_that_is_cut_off_leaves_nothing_behind_and_others_wait_meanwhile(owned):
    before = flash(owned)
    with begun(owned, 2048):
        until(lambda: "upload.tar" in flash(owned), "nothing of the upload has arrived")
        for answer in (send(owned, NEWER), post(owned, "/ask", bundle="9")):
            assert answer[0] == 422 and "Another update" in answer[1]["error"]["text"]
        assert owned.get("/system")[0] == 200
    until(lambda: flash(owned) == before, "something of the upload has stayed")
    assert post(owned, "/ask", bundle="9") == (200, {"upload": PATH + "/bundle?older=no"})


def test_what_does_not_start_is_told_and_not_offered_again(alone):
    """This router goes on in slot a, as the loader has it when slot b does not confirm itself."""
    assert send(alone, NEWER)[0] == 200
    assert post(alone, "/start")[1]["down"]
    alone.page.process.wait(admin_page_rig.DEADLINE_S)
    alone.page.start()
    alone.sign_in()
    found = told(alone)
    assert (found["update"]["state"], found["can_switch"]) == ("failed", False)
    assert "Version 0.2.0 did not start. Version 0.1.0 runs, as before." in alone.get("/system")[2]
    newest = [each["result"] for each in json.loads(alone.get("/api/history")[2])["entries"]]
    assert "firmware failed" in newest
