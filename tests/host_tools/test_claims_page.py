"""What a request claims, and is not believed: cookies, hosts, origins, spellings, odd bodies. One daemon."""

import pytest

from tests.host_tools.admin_page_rig import AdminPage
from tests.host_tools.attack_rig import FORM, OTHER, Browser, Owner, connect


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    page = AdminPage(tmp_path_factory.mktemp("claimed"))
    found = Owner(page)
    assert found.finish_setup() == 200
    yield found
    page.stop()
    said = (page.folder / "log.txt").read_text()
    assert " error " not in said, said[said.find(" error ") - 200 :]


COOKIES = (
    ("__Host-session={token}", 200),
    ("a=b; __Host-session={token}; c=d", 200),
    ("__Host-session={token}; __Host-session=0", 401),
    ("__host-session={token}", 401),
    ("session={token}", 401),
    ("__Secure-session={token}", 401),
    ('__Host-session="{token}"', 401),
    ("=__Host-session={token}", 401),
    ("\u00a0__Host-session={token}", 401),
    ("\u2003__Host-session={token}", 401),
    ("$Version=1,__Host-session={token}", 401),
    ("__Host-session={token}0", 401),
    ("__Host-session=" + "{token}" * 20, 401),
    ("__Host-language=<script>; __Host-session={token}", 200),
    ("__Host-language=/../../etc; __Host-session={token}", 200),
    ("a=b;" * 70 + "__Host-session={token}", 400),
    ("x=" + "y" * 4000 + "; __Host-session={token}", 431),
)


@pytest.mark.parametrize(("cookies", "status"), COOKIES)
def test_a_cookie_counts_under_its_exact_name_alone(owner, cookies, status):
    text = cookies.replace("{token}", owner.cookies["__Host-session"])
    assert Browser(owner.page).ask("GET", "/api/session", Cookie=text.encode())[0] == status


# Of who would have a browser take this router for another site, and the other way round.
HOSTS = (
    ("127.0.0.1", 200),
    ("127.0.0.1:8443", 200),
    ("[::1]", 200),
    ("[fe80::1]:8443", 200),
    ("gatelodge.home", 200),
    ("GATELODGE.HOME:1", 200),
    ("gatelodge.home.", 421),
    ("gatelodge.home.evil.example", 421),
    ("evil-gatelodge.home", 421),
    ("evil.example", 421),
    ("evil.example:443", 421),
    ("127.0.0.1.evil.example", 421),
    ("127.0.0.1.", 421),
    ("127.1", 421),
    ("2130706433", 421),
    ("0x7f.0.0.1", 421),
    ("127.0.0.1:", 421),
    ("127.0.0.1:port", 421),
    ("127.0.0.1@evil.example", 421),
    ("[::1].evil.example", 421),
    ("[::1", 421),
    (":443", 421),
    ("", 421),
)
ORIGINS = (
    ({"Origin": "https://127.0.0.1"}, 200),
    ({"Origin": "https://127.0.0.1", "Sec_Fetch_Site": "same-origin"}, 200),
    ({"Sec_Fetch_Site": "none"}, 403),
    ({"Sec_Fetch_Site": "same-site"}, 403),
    ({"Sec_Fetch_Site": "cross-site"}, 403),
    ({"Origin": "https://127.0.0.1", "Sec_Fetch_Site": "cross-site"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": ""}, 403),
    ({"Origin": "http://127.0.0.1"}, 403),
    ({"Origin": "https://127.0.0.1:8443"}, 403),
    ({"Origin": "https://127.0.0.1.evil.example"}, 403),
    ({"Origin": "https://127.0.0.1@evil.example"}, 403),
    ({"Origin": "https://gatelodge.home"}, 403),
    ({"Origin": "https://localhost"}, 403),
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "https://127.0.0.1 https://evil.example"}, 403),
)


@pytest.mark.parametrize(("host", "status"), HOSTS)
def test_no_name_but_the_routers_own_is_answered(owner, host, status):
    assert owner.ask("GET", "/api/session", Host=host)[0] == status


@pytest.mark.parametrize(("claims", "status"), ORIGINS)
def test_a_change_from_anywhere_else_is_refused(owner, claims, status):
    claims = {"Host": "127.0.0.1", "X_CSRF_Token": owner.csrf, **FORM, **claims}
    assert owner.ask("POST", "/api/system/name", '{"name": "Weir"}', **claims)[0] == status


PATHS = (
    "//system",
    "/system/",
    "/./system",
    "/about/../system",
    "/%73ystem",
    "/%2e%2e/system",
    "/system%00",
    "/system;x=1",
    "/SYSTEM",
    "/system%20",
    "/system\\",
    "/assets/../store",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/<script>alert(1)</script>",
    "/api//session",
    "/api/session/",
    "/api/security/../session",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_one_path_and_no_other_spelling_of_it(owner, path):
    for browser in (owner, Browser(owner.page)):
        status, answer = browser.ask("GET", path)
        assert status == 404 and "alert(1)" not in str(answer), answer


REQUEST_LINES = (
    b"GET https://127.0.0.1/signin HTTP/1.1",
    b"GET http://evil.example/signin HTTP/1.1",
    b"GET 127.0.0.1:443 HTTP/1.1",
    b"CONNECT 127.0.0.1:443 HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"GET \\signin HTTP/1.1",
    b"GET /signin",
    b"GET\t/signin\tHTTP/1.1",
    b"GET  /signin HTTP/1.1",
    b"get /signin HTTP/1.1",
)
HEADS = (
    b"Host: 127.0.0.1\r\nHost: evil.example",
    b"Host: 127.0.0.1\r\n folded: yes",
    b"Host: 127.0.0.1\r\nX: a\r\n\tb",
    b"Host: 127.0.0.1\r\nContent-Length: 5\r\nContent-Length: 5",
    b"Host: 127.0.0.1\r\nContent-Length: +5",
    b"Host: 127.0.0.1\r\nTransfer-Encoding:\x0bchunked",
    b"Host: 127.0.0.1\r\nTransfer-Encoding: identity",
    b"Host: 127.0.0.1\r\nContent_Length: 5\r\n: empty",
)
SMUGGLED = b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [line + b"\r\nHost: 127.0.0.1" for line in REQUEST_LINES]
    + [b"GET /signin HTTP/1.1\r\n" + head for head in HEADS],
)
def test_behind_a_head_that_could_be_read_in_two_ways_nothing_is_read(owner, head):
    connection = connect(owner.page, OTHER)
    connection.connect()
    connection.sock.sendall(head + b"\r\n\r\n" + SMUGGLED)
    came = b""
    while data := connection.sock.recv(65536):
        came += data
    assert came[:10] in (b"HTTP/1.1 4", b"HTTP/1.1 5") and came.count(b"HTTP/1.1 ") == 1, came
    connection.close()


BODIES = (
    "[" * 2000,
    '{"a":' * 300,
    "null",
    '"password"',
    "[]",
    '{"password": null}',
    '{"password": {"password": "x"}}',
    '{"password": ["x"], "password": "y"}',
    '{"password": "x", "__proto__": "y"}',
    '{"password": ' + "9" * 1000 + "}",
    '{"password": 1e999}',
    '{"password": "\\u0000"}',
    '{"password": "\\ud800"}',
    '{"password": "\\ud83d\\ud800"}',
    '{"password": "' + "\\u202e" * 200 + '"}',
)
DOORS = ("sign-in/password", "sign-in/code", "sign-in/two-codes", "sign-in/button", "prove", "setup/finish")


@pytest.mark.parametrize("path", DOORS)
def test_no_body_however_odd_is_a_fault_of_ours(owner, path):
    stranger = Browser(owner.page, "127.0.0.9")
    found = [stranger.ask("POST", "/api/" + path, body, **FORM) for body in BODIES]
    assert all(400 <= status < 500 for status, _ in found), found


def test_what_a_browser_calls_itself_is_told_in_our_words_alone(owner):
    eve = Browser(owner.page)
    agent = "<script>alert(1)</script>\u202e Firefox/1 Windows <img src=x>"
    eve.ask("POST", "/api/sign-in/password", '{"password": "a guess"}', **FORM, User_Agent=agent.encode())
    page = owner.ask("GET", "/security")[1]
    assert "Firefox on Windows" in page and "alert(1)" not in page and "\u202e" not in page
