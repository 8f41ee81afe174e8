"""The smallest heap that a board may have, 1.5 MB: the whole of the daemon works in it, on the board `host`,
while a stranger holds every connection that there is, at its worst."""

import contextlib
import http.client
import itertools
import json

import pytest
from gatelodge.contract.board import LEAST_HEAP_KB
from gatelodge.core.heap import MOST

from tests.bench import owner
from tests.host_tools.host_board_rig import newer_bundle
from tests.host_tools.stranger_rig import HALF_RESTORE, Flood, connect
from tests.system.program import Program
from tests.system.rig import PATIENCE_S, House, until

PAGES = ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about")
LANGUAGES = ("en", "ru", "de")
HELD = 3 * MOST
BACKUP_PASSWORD = "nine quiet herons by the weir"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    directory = tmp_path_factory.mktemp("small")
    with House(directory, "--heap-kb", str(LEAST_HEAP_KB), board="host") as house, stranger(house):
        yield house


@contextlib.contextmanager
def stranger(house):
    """Holds all of the admin page, and all of plain HTTP, for the time of a `with` block."""
    ports = [int(house.current[key].rpartition(":")[2]) for key in ("admin_url", "http_url")]
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            plain = stack.enter_context(connect(ports[1]))
            plain.sendall(HALF_RESTORE[:8000])
        yield stack.enter_context(Flood(ports[0], HELD, HALF_RESTORE))


@pytest.fixture(scope="module")
def signed_in(house):
    """Who has set the router up, and signed in."""
    ada = Program(house)
    ada.set_up()
    ada.sign_in()
    return ada


@pytest.fixture
def ada(signed_in):
    """The same, who has to find a new connection among the stranger's."""
    signed_in.close_connections()
    return signed_in


@pytest.fixture(autouse=True)
def the_same_daemon(house):
    """No test costs the daemon a start, or a sentence about its memory."""
    before = house.pid_of("daemon")
    yield
    assert house.pid_of("daemon") == before
    assert "MemoryError" not in house.router_log()


def test_every_page_is_served_in_several_languages(ada):
    for language in LANGUAGES:
        ada.cookies["__Host-language"] = language
        answers = [ada.ask("GET", path) for path in PAGES]
        assert [status for status, _, _ in answers] == [200] * len(PAGES)
        assert all(f'<html lang="{language}"' in text for _, _, text in answers)


def test_the_description_of_the_api_arrives_whole(ada):
    described = json.loads(ada.get("/api/openapi.json"))
    assert {"/api/session", "/api/log", "/api/system/backup"} <= set(described["paths"])


def test_the_link_to_the_cloud_is_up(ada):
    until(lambda: ada.cloud_state() == "online", "the link did not come up")


def test_a_page_lives(house, ada):
    at = ada.connection
    connection = http.client.HTTPSConnection(at.host, at.port, timeout=PATIENCE_S, context=house.trust)
    with contextlib.closing(connection):
        connection.request("GET", "/live?page=overview", headers={"Cookie": ada.cookie_header})
        lines = iter(connection.getresponse().readline, b"")
        events = [line for line in itertools.islice(lines, 9) if line.startswith(b"event")]
    assert events == [b"event: history\n", b"event: update\n", b"event: update\n"]


def test_settings_are_saved_to_a_file_and_come_back_from_it(ada):
    ada.prove_again_if_needed()
    words = {"password": BACKUP_PASSWORD, "again": BACKUP_PASSWORD}
    status, made = ada.send("/api/system/backup", **words, secrets="no")
    assert status == 200
    form = {"password": BACKUP_PASSWORD, "backup": made["file"], "act": "restore"}
    assert ada.send("/api/system/restore", **form)[0] == 200


def test_an_update_is_received_checked_and_unpacked(ada, tmp_path):
    ada.prove_again_if_needed()
    status, answer = ada.install(newer_bundle(tmp_path)[1].read_bytes())
    assert status == 200, answer
    assert ada.read("/api/system/firmware")[1]["update"]["state"] == "waiting"


def test_the_log_is_had_as_a_file(ada):
    assert " web: the admin page listens " in ada.get("/system/log.txt").decode()


def test_one_more_sign_in_ends_no_other(house, ada):
    again = Program(house, ada)
    again.sign_in()
    assert again.is_in and ada.is_in
    assert owner.SESSION in again.cookies
