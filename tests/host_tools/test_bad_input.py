"""The admin page under bad input: under MicroPython, with its real server, TLS and sign-in.

Each storm says which status is honest. After it, and during it, the owner's page is there, and the process
holds no more descriptors and no more memory than it did before.
"""

import contextlib
import resource
import time

import pytest
from gatelodge.core.heap import MOST

from tests.host_tools.admin_page_rig import AdminPage
from tests.host_tools.stranger_rig import Process, Stranger, connect, end_sending, secured
from tests.host_tools.test_admin_page_requests import Kept, Session

HOST = b"Host: 127.0.0.1\r\n"
KIND = b"Content-Type: application/json\r\n"
POST = b"POST /api/sign-in/password HTTP/1.1\r\n" + HOST
SHORT_POST = POST + KIND + b'Content-Length: 15\r\n\r\n{"password":""}'
GET = b"GET /signin HTTP/1.1\r\n" + HOST + b"\r\n"
LAST_GET = b"GET /signin HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
CONNECTIONS = 1000  # many times the places there are
MORE_KB = 512  # what the second of two same storms may add: less than a KB for each of its connections


def get_with(fields):
    return b"GET /signin HTTP/1.1\r\n" + HOST + fields + b"\r\n"


def post_with(fields, body=b""):
    return POST + KIND + b"Connection: close\r\n" + fields + b"\r\n" + body


# (what is wrong, what is sent, status)
WRONG = (
    ("10,000 header fields", get_with(b"X: bad\r\n" * 10000), 431),
    ("many header fields that are within the size", get_with(b"X: b\r\n" * 100), 431),
    ("an endless address", b"GET /" + b"a" * 100000, 414),
    ("a body of 1 GB", post_with(b"Content-Length: 1000000000\r\n", b"x" * 100), 413),
    ("a body of 100 MB", post_with(b"Content-Length: 100000000\r\n", b"x" * 20000), 413),
    ("a length without end", post_with(b"Content-Length: " + b"9" * 1000 + b"\r\n"), 413),
    ("a negative length", post_with(b"Content-Length: -1\r\n"), 400),
    ("a length in hexadecimal", post_with(b"Content-Length: 0x10\r\n", b"x" * 16), 400),
    ("two lengths", post_with(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}}"), 400),
    ("two lengths in one field", post_with(b"Content-Length: 2, 3\r\n", b"{}}"), 400),
    ("no length", post_with(b""), 411),
    ("chunks", post_with(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}\r\n0\r\n\r\n"), 501),
    ("chunks that are none", post_with(b"Transfer-Encoding: chunked\r\n", b"zz\r\n\0\r\n-1\r\n" * 9), 501),
    ("chunks and a length", post_with(b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", b"{}"), 501),
    ("an encoding hidden by a space", post_with(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), 400),
    ("an encoding hidden by a tab", post_with(b"\x0bTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    ("a NUL in the address", b"GET /\0signin HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a NUL in a field", get_with(b"Cookie: a=\0\r\n"), 400),
    ("nothing but NULs", bytes(9000), 414),
    ("an address that is not UTF-8", b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a query that is not UTF-8", b"GET /signin?\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("an escape that is none", b"GET /signin?a=%zz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a field that is not UTF-8", get_with(b"Cookie: \xc3\x28\r\n"), 400),
    ("a body that is not UTF-8", post_with(b"Content-Length: 2\r\n", b"\xff\xfe"), 400),
    ("a body of NULs", post_with(b"Content-Length: 8\r\n", bytes(8)), 400),
    ("a number for a name", post_with(b"Content-Length: 23\r\n", b'{1:"a","password":"no"}'), 400),
    ("deep nesting", post_with(b"Content-Length: 300\r\n", b"[" * 300), 400),
    ("bare line feeds", b"GET /signin HTTP/1.1\nHost: 127.0.0.1\n\n\r\n\r\n", 400),
    ("no HTTP", b"\x16\x03\x01 hello\r\n\r\n", 400),
    ("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
)

# Sent where TLS is expected.
NO_TLS = (
    ("plain HTTP", GET),
    ("a record that is none", b"\x16\x03\x01\xff\xff" + b"\xaa" * 2000),
    ("an alert at once", b"\x15\x03\x03\x00\x02\x02\x28"),
    ("NULs", bytes(4000)),
    ("a hello cut short", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 40),
    ("nothing", b""),
)


def statuses(came):
    return [int(part[:3]) for part in came.split(b"HTTP/1.1 ")[1:]]


def ask(page, data):
    return statuses(Stranger(page.port).finish(data))


def first_status(connection, data):
    """The status of the one answer, which is read to its end; the connection stays open."""
    connection.sendall(data)
    came = b""
    while not came.endswith(b"</html>\n"):
        part = connection.recv(65536)
        assert part, "the admin page hung up in the middle of an answer"
        came += part
    return statuses(came)[0]


def raw_answer(port, data):
    """What comes to bytes that are no TLS, until the other side hangs up or we have."""
    came = b""
    with connect(port) as sock:
        try:
            sock.sendall(data)
            end_sending(sock)
            while part := sock.recv(65536):
                came += part
        except ConnectionError:
            pass
    return came


@pytest.fixture(scope="module")
def owner(tmp_path_factory):
    page = AdminPage(tmp_path_factory.mktemp("stormy"))
    session = Session(page)
    yield session
    page.stop()


@pytest.fixture
def page(owner):
    """After each test the owner's page is there, and no connection is left over."""
    before = Process(owner.page.process.pid).descriptors()
    yield owner.page
    assert is_there(owner)
    assert Process(owner.page.process.pid).descriptors_after(before) <= before


def is_there(owner):
    status, _, body = owner.get("/")
    return status == 200 and "data-csrf=" in body


def wrong_requests(page):
    return [(name, ask(page, sent)) for name, sent, _ in WRONG]


def requests_cut_short(page):
    return [Stranger(page.port).finish(SHORT_POST[:k], hangs_up=True) for k in range(len(SHORT_POST))]


def no_tls(page):
    return [raw_answer(page.port, sent) for _, sent in NO_TLS]


@pytest.fixture(scope="module", autouse=True)
def _room_for_descriptors():
    """As many as this test's own process needs: some systems begin with fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, CONNECTIONS + 500)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_many(page):
    """That many connections which never say anything, all open on this side.

    A pause after each few spares the kernel from asking again a second later: its queue is short.
    """
    connections = []
    for number in range(CONNECTIONS):
        connections.append(connect(page.port))
        if number % 8 == 0:
            time.sleep(0.02)
    return connections


def close_all(connections):
    for connection in connections:
        connection.close()


def storm(page):
    wrong_requests(page)
    requests_cut_short(page)
    no_tls(page)
    ask(page, GET * 49 + LAST_GET)
    close_all(open_many(page))


def test_each_wrong_request_is_told_what_is_wrong_and_nothing_more(page):
    assert wrong_requests(page) == [(name, [status]) for name, _, status in WRONG]


def test_a_request_cut_anywhere_is_not_answered_at_all(page):
    assert requests_cut_short(page) == [b""] * len(SHORT_POST)


def test_the_request_that_was_cut_is_one_that_is_answered_when_whole(page):
    assert statuses(Stranger(page.port).finish(SHORT_POST, hangs_up=True)) == [422]


def test_a_request_that_arrives_byte_by_byte_is_the_same_request(page):
    stranger = Stranger(page.port)
    for at in range(len(LAST_GET) - 1):
        stranger.send(LAST_GET[at : at + 1])
    assert statuses(stranger.finish(LAST_GET[-1:])) == [200]


def test_fifty_requests_sent_together_are_answered_one_after_the_other(page):
    assert ask(page, GET * 49 + LAST_GET) == [200] * 50


def test_what_follows_a_wrong_request_is_not_read_as_another(page):
    assert ask(page, GET + post_with(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n") + GET) == [200, 501]


def test_what_is_no_tls_gets_no_page(page):
    for (name, _), came in zip(NO_TLS, no_tls(page), strict=True):
        assert b"HTTP" not in came and len(came) < 100, name


def test_the_owner_is_served_while_a_stranger_holds_hundreds_of_connections(page, owner):
    connections = open_many(page)
    try:
        assert is_there(owner)
        assert ask(page, LAST_GET) == [200]  # whoever is later at the stranger's is not shut out either
    finally:
        close_all(connections)


def test_a_connection_of_who_is_signed_in_is_ended_for_no_number_of_strangers(page, owner):
    """Each from an address of its own, so that none of them is a crowd."""
    with contextlib.closing(Kept(owner, is_new=False).connection) as ours:
        ours.request("GET", "/api/session", headers={"Cookie": owner.cookie})
        ours.getresponse().read()
        held = ours.sock
        strangers = [connect(page.port, f"127.0.1.{number}") for number in range(1, 3 * MOST)]
        try:
            assert is_there(owner)  # by then all of them have been taken
            ours.request("GET", "/api/session", headers={"Cookie": owner.cookie})
            assert ours.getresponse().status == 200 and ours.sock is held
        finally:
            close_all(strangers)


def test_a_thousand_connections_are_answered_one_as_the_other_and_hold_no_more_than_a_hundred(page, owner):
    process, connections, answers = Process(page.process.pid), [], []
    try:
        for number in range(CONNECTIONS):
            connections.append(secured(page.port))
            answers.append(first_status(connections[-1], GET))
            if number == 100:
                held_by_a_hundred = process.resident_kb()
        assert is_there(owner)
        assert answers == [200] * CONNECTIONS
        assert process.resident_kb() <= held_by_a_hundred + MORE_KB
    finally:
        close_all(connections)


def test_the_owner_is_served_between_half_requests_of_a_stranger(page, owner):
    half = [Stranger(page.port) for _ in range(30)]
    for stranger in half[-10:]:
        stranger.send(SHORT_POST[:-1])
    assert is_there(owner)
    answers = [stranger.finish(hangs_up=True) for stranger in half]
    assert answers == [b""] * len(half)


def test_a_second_storm_leaves_no_more_behind_than_the_first(page, owner):
    process = Process(page.process.pid)
    before = process.descriptors()
    storm(page)
    assert is_there(owner)
    assert process.descriptors_after(before) <= before
    after_first = process.resident_kb()
    storm(page)
    assert is_there(owner)
    assert process.descriptors_after(before) <= before
    assert process.resident_kb() <= after_first + MORE_KB


def test_no_bad_input_is_a_fault_of_ours(page, owner):
    wrong_requests(page)
    told = (page.folder / "log.txt").read_text()
    assert "Traceback" not in told
    assert " failed" not in "\n".join(line for line in told.splitlines() if " error " in line)
