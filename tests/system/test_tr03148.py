"""BSI TR-03148, Secure Broadband Router, by the requirements of its test specification TR-03148-P 1.2.

One test for each requirement of the modules A, B, D, G, I and K that can be tried from outside, named after
it. The others, and what of these is not met, are in firmware/README.md under "Held to standards".
"""

import asyncio
import contextlib
import json
import re
import socket
import ssl
import time

import pytest
from cryptography import x509

from host_tools.emulator import qemu
from host_tools.emulator.house import House as OwnHouse
from host_tools.emulator.house import Options
from host_tools.progress import Progress
from host_tools.release import board_image, bundle
from host_tools.release.places import ROOT
from tests.bench.processes import free_port
from tests.host_tools.host_board_rig import NEWER, broken_bundle, newer_bundle
from tests.system.program import PASSWORD, Program
from tests.system.rig import PATIENCE_S, REFERENCE, House, until

NEW_PASSWORD = "seven herons left the weir"
ADMIN, HTTP = 443, 80
# Besides ours: what home routers are known to have had open. 7547 is TR-069's.
PORTS = (ADMIN, HTTP, 21, 22, 23, 53, 139, 445, 1900, 5000, 7547, 8080, 8443, 8888, 9100, 49152)
SILENCE_S = 2
# Of TR-02102-2 sections 3.3.1 and 3.4.4, those of AES in Galois/counter mode.
TLS_1_2 = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}
TLS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}


@pytest.fixture(scope="module")
def program(house):
    """The owner's, signed in. The router has the time by then."""
    until(house.times_online, "the cloud did not welcome the router")
    program = Program(house)
    program.set_up()
    return program


@pytest.fixture(scope="module")
def another(tmp_path_factory):
    """current.json of another router of the same maker, provisioned by the same bench."""
    with House(tmp_path_factory.mktemp("another"), board="host") as house:
        yield house.current, public_key(house.current)


def public_key(current):
    """Of the admin page's certificate."""
    at = "127.0.0.1", int(current["admin_url"].rsplit(":", 1)[1])
    return (
        x509.load_pem_x509_certificate(ssl.get_server_certificate(at).encode()).public_key().public_numbers()
    )


# --- A, B: which services there are, and for whom


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """{"wan": ports, "lan": ports}: those of PORTS on which a router answers that nobody owns yet."""
    doors = {side: {port: free_port() for port in PORTS} for side in ("wan", "lan")}
    plain = qemu.command

    def with_doors(*arguments):
        line = plain(*arguments)
        for side, guest in (("wan", "10.0.2.15"), ("lan", "192.168.1.1")):
            at = next(at for at, word in enumerate(line) if word.startswith("user,id=" + side))
            for port, here in doors[side].items():
                line[at] += f",hostfwd=tcp:127.0.0.1:{here}-{guest}:{port}"
        return line

    async def look():
        options = Options(run_dir=tmp_path_factory.mktemp("sides") / "run", auto_ports=True)
        async with OwnHouse(options, Progress(as_json=True)):
            return {side: await asyncio.to_thread(answering, doors[side]) for side in doors}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qemu, "command", with_doors)
        return asyncio.run(look())


def answering(doors):
    """The ports behind which somebody holds the line or says something. QEMU itself takes every connection,
    and ends it at once when the router refuses."""
    return {port for port, here in doors.items() if holds(here)}


def holds(port):
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as line:
        line.settimeout(SILENCE_S)
        try:
            return line.recv(1) != b""
        except ConnectionResetError:
            return False
        except TimeoutError:
            return True


def test_tr_a_3_only_a_minimal_selection_of_services_is_on_the_lan(services):
    assert services["lan"] == {ADMIN, HTTP}


def test_tr_a_4_and_b_5_every_service_is_documented_with_its_port(services):
    documented = set(re.findall(r"^\| TCP (\d+) \|", (ROOT / "firmware/README.md").read_text(), re.MULTILINE))
    assert {str(port) for port in services["lan"] | services["wan"]} == documented
    web = board_image.load_board(REFERENCE)["web"]
    assert documented == {str(web["https_port"]), str(web["http_port"])}


def test_tr_b_2_and_b_8_no_service_is_there_for_the_internet(services):
    assert services["wan"] == set()


def test_tr_d_4_and_k_1_before_set_up_only_the_private_network_reaches_the_configuration(services):
    assert ADMIN in services["lan"] and ADMIN not in services["wan"]


def test_tr_a_12_d_20_and_k_3_no_key_or_secret_is_shared_by_two_routers(house, another):
    current, key = another
    assert key != public_key(house.current)
    assert current["service_code"] != house.current["service_code"]


# --- D: the way to the configuration


def test_tr_d_2_nothing_of_the_configuration_is_there_without_the_password(house, program):
    stranger = Program(house)
    paths = json.loads(program.ask("GET", "/api/openapi.json")[2])["paths"]
    for path, item in paths.items():
        for method, operation in item.items():
            if operation["security"]:
                body = {} if method == "post" else None
                assert stranger.ask(method.upper(), path, body)[0] == 401, path
    for path in ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about", "/system/log.txt"):
        status, headers, _ = stranger.ask("GET", path)
        assert (status, headers["Location"]) == (303, "/signin"), path


def test_tr_d_3_the_whole_web_interface_is_inside_tls_as_tr_02102_2_recommends(house):
    assert negotiated(house, "DEFAULT", ssl.TLSVersion.TLSv1_3) in TLS_1_3
    known = ssl.create_default_context()
    known.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    asked = {suite["name"] for suite in known.get_ciphers() if suite["protocol"] != "TLSv1.3"}
    assert {suite for suite in asked if negotiated(house, suite)} == TLS_1_2
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert negotiated(house, "ALL", old) is None, old


def negotiated(house, suites, newest=ssl.TLSVersion.TLSv1_2):
    """The suite that the router takes of those, from a client that knows nothing newer, or None."""
    port = int(house.current["admin_url"].rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=house.current["ca_file"])
    context.set_ciphers(suites + ":@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = newest
    line = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    with contextlib.closing(line):
        try:
            with context.wrap_socket(line, server_hostname="localhost") as secured:
                return secured.cipher()[0]
        except (ssl.SSLError, ConnectionResetError):
            return None


def test_tr_d_3_plain_http_answers_nothing_but_the_way_to_https(house):
    host, port = house.current["http_url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as line:
        line.sendall(b"GET /security HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: line.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 308 ") and answer.endswith(b"\r\n\r\n")


def test_tr_d_8_settings_and_the_log_are_given_out_to_who_is_signed_in_only(house, program):
    assert Program(house).ask("GET", "/system/log.txt")[0] == 303
    assert program.ask("GET", "/system/log.txt")[0] == 200


# --- D: passwords


def test_tr_d_9_d_16_and_d_17_there_is_no_preset_password_and_the_labels_secret_is_random(house, another):
    code = house.current["service_code"].replace("-", "")
    assert len(code) >= 8 and re.search("[A-Z]", code) and re.search("[0-9]", code)
    serial_number, model = house.current["serial_number"], board_image.load_board(REFERENCE)["model"]
    for known in (serial_number, model, *re.findall("[0-9A-Z]{4,}", (serial_number + " " + model).upper())):
        assert known.replace("-", "").upper() not in code
    assert code != another[0]["service_code"].replace("-", "")


def test_tr_d_10_the_password_is_changed_after_entering_the_one_before(program):
    program.prove()
    path = "/api/security/password"
    status, answer = program.send(path, old_password="not the one before", password=NEW_PASSWORD)
    assert (status, answer["error"]["field"]) == (422, "old_password")
    assert program.send(path, old_password=PASSWORD, password=NEW_PASSWORD)[0] == 200
    assert program.send(path, old_password=NEW_PASSWORD, password=PASSWORD)[0] == 200


def test_tr_d_14_the_strength_that_is_shown_rises_with_length_and_variety(program):
    def strength(text):
        return program.send("/api/security/strength", password=text)[1]["strength"]

    told = [strength(text) for text in ("kzqw", "kzqwvhnt", "kzqwvhnt7!", "kzqw vhnt 7! Bolder marsh ember")]
    assert told == sorted(told) and told[0] < told[-1] == 4
    assert strength("aaaaaaaaaaaa") < strength("kzqwvhntrpmx")


@pytest.mark.parametrize("weak", ["short", "password", "12345678", "qwertyuiop", "the label"])
def test_tr_d_15_no_weak_password_is_taken(house, program, weak):
    weak = house.current["service_code"] if weak == "the label" else weak
    program.prove_again_if_needed()
    fields = {"old_password": PASSWORD, "password": weak}
    status, answer = program.send("/api/security/password", **fields)
    assert (status, answer["error"]["field"]) == (422, "password")


# --- D: sessions and accounts


def test_tr_d_12_and_d_18_a_session_ends_by_itself_whatever_a_page_asks_meanwhile(program):
    program.ask("GET", "/")  # somebody acts
    began = program.read("/api/session")[1]["ends_in_s"]
    assert 590 <= began <= 600
    end = time.monotonic() + 3
    while time.monotonic() < end:
        program.read("/api/router")  # a page asks by itself
    assert program.read("/api/session")[1]["ends_in_s"] <= began - 3


def test_tr_d_12_and_d_18_a_change_needs_the_sessions_csrf_token_and_our_own_origin(program):
    token = program.read("/api/session")[1]["csrf_token"]
    right = {"X_CSRF_Token": token, "Origin": program.origin}
    for wrong in ({"X_CSRF_Token": ""}, {"X_CSRF_Token": "0" * 32}, {"Origin": "https://evil.example"}):
        assert program.ask("POST", "/api/cloud/uninvite", {}, **{**right, **wrong})[0] == 403, wrong
    assert program.ask("POST", "/api/cloud/uninvite", {}, **right)[0] == 200


def test_tr_d_12_and_d_18_the_sessions_cookie_is_out_of_reach_of_scripts_and_other_sites(house, program):
    other = Program(house, program)
    other.post("/api/sign-in/password", password=PASSWORD)
    answer = other.ask("POST", "/api/sign-in/code", {"code": other.next_code()}, Origin=other.origin)
    program.last_step = other.last_step
    line = next(line for line in answer[1].get_all("Set-Cookie") if line.startswith("__Host-session="))
    assert all(word in line for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
    assert other.cookies["__Host-session"] != program.cookies["__Host-session"]


def test_tr_d_13_and_d_19_the_owners_account_is_the_only_one_and_the_console_has_none(house, program):
    stranger = Program(house)
    for name in ("admin", "root", "support", "user"):
        assert stranger.ask("POST", "/api/sign-in/password", {"user": name, "password": name})[0] == 400, name
    assert house.is_locked()


# --- D: information


def test_tr_d_21_what_matters_for_security_stands_in_one_place(program):
    page = program.ask("GET", "/security")[2]
    for part in ("authenticators", "password", "recovery", "browsers", "tokens", "sessions", "history"):
        assert f'id="{part}"' in page, part


def test_tr_d_23_the_version_of_the_firmware_is_shown(program):
    assert bundle.version() in program.ask("GET", "/about")[2]
    assert program.read("/api/router")[1]["firmware"] == bundle.version()


# --- E: firmware


def start_and_return(house, program):
    """Start what waits, and sign in again where the newer firmware runs in slot b."""
    runs = f" daemon: firmware {NEWER} in slot b"
    before = house.router_log().count(runs)
    assert program.send("/api/system/firmware/start")[1]["down"]
    until(lambda: house.router_log().count(runs) > before, "the newer firmware does not run")
    house.wait_for_admin_page()
    program.close_connections()
    sign_in_by_recovery_code(program)
    return program.read("/api/system/firmware")[1]


def sign_in_by_recovery_code(program):
    program.post("/api/sign-in/password", password=PASSWORD)
    program.post("/api/sign-in/recovery", recovery_code=program.recovery_codes.pop())


def test_tr_e_an_update_by_file_is_installed_only_if_the_maker_has_signed_it(house, program, tmp_path):
    new = newer_bundle(tmp_path)[1].read_bytes()
    sign_in_by_recovery_code(program)
    status, answer = program.install(new.replace(NEWER.encode(), b"98.0.0", 1))
    assert (status, answer["error"]["field"]) == (422, "bundle")
    assert "not signed by the maker" in answer["error"]["text"]
    assert program.read("/api/system/firmware")[1]["other"] is None
    assert program.install(new)[0] == 200
    told = start_and_return(house, program)
    assert (told["running"], told["other"], told["update"]["state"]) == (NEWER, bundle.version(), "done")
    assert NEWER in program.ask("GET", "/about")[2]


def test_tr_e_firmware_that_does_not_start_is_left_and_the_one_before_runs_on(house, program):
    assert program.install(broken_bundle("99.1.0"))[0] == 200
    told = start_and_return(house, program)
    assert "a broken update" in house.router_log()
    assert (told["running"], told["update"]["state"], told["can_switch"]) == (NEWER, "failed", False)
    assert "Version 99.1.0 did not start." in program.ask("GET", "/system")[2]
    assert "firmware failed" in [each["result"] for each in history(program)]


def test_tr_d_27_and_k_4_whether_anybody_reaches_it_from_outside_is_shown_first(program):
    page = program.ask("GET", "/")[2]
    assert "Who can reach this router" in page and "Nobody from outside." in page
    assert program.read("/api/cloud")[1]["owner"] is None


def test_tr_d_28_the_last_sign_ins_are_shown_with_time_address_and_hardware_address(program):
    page = program.ask("GET", "/security")[2]
    entry = next(each for each in history(program) if each["result"] in ("signed in", "set up"))
    assert abs(entry["at"] - time.time()) < 900
    assert re.fullmatch(r"192\.168\.1\.\d+", entry["address"])
    assert re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", entry["mac"])
    assert entry["address"] in page and entry["mac"] in page


def history(program):
    return program.read("/api/history")[1]["entries"]


def test_tr_d_30_connected_devices_are_shown_with_addresses_interface_and_since_when(program):
    device = program.read("/api/devices")[1]["devices"][0]
    assert device["addresses"][0].startswith("192.168.1.")
    assert re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", device["mac"])
    assert (device["interface"], device["state"]) == ("eth1", "here")
    assert device["first_seen_s"] >= 0
    page = program.ask("GET", "/devices")[2]
    assert device["mac"] in page and device["addresses"][0] in page


# --- G: the part of it that is the admin page's


def test_tr_g_2_a_name_that_was_rebound_to_the_router_is_refused(program):
    assert program.ask("GET", "/api/status", Host="rebound.example")[0] == 421


# --- last: what makes the router wait, and what makes it nobody's


def test_tr_d_11_and_d_31_guesses_at_the_password_are_slowed_down_and_shown(house, program):
    guesser = Program(house)
    statuses = []
    for _ in range(8):
        status, answer = guesser.send("/api/sign-in/password", password="a guess")
        statuses.append(status)
    assert statuses[:3] == [422, 422, 422] and statuses[-1] == 429
    assert answer["error"]["wait_s"] > 0
    assert guesser.send("/api/sign-in/password", password=PASSWORD)[0] == 429  # nor is a right guess told
    entry = next(each for each in history(program) if each["result"] == "wrong password")
    assert entry["address"] and entry["mac"] and entry["at"]


def test_tr_i_1_a_factory_reset_deletes_what_was_the_owners(house, program):
    token = program.token("status:read", lifetime="none")
    old = program.cookie_header
    starts = house.router_log().count(" daemon: firmware ")
    program.prove_again_if_needed()
    assert program.send("/api/system/reset")[0] == 200
    until(lambda: house.router_log().count(" daemon: firmware ") > starts, "the daemon did not start again")
    house.wait_for_admin_page()
    program.close_connections()
    program.cookies.clear()
    assert program.read("/api/status")[1]["set_up"] is False
    assert program.ask("GET", "/security", Cookie=old)[0] == 303
    assert program.ask("GET", "/api/router", Authorization="Bearer " + token)[0] == 409
    successor = Program(house)
    successor.set_up()
    assert [each["result"] for each in history(successor)] == ["set up"]
    assert program.ask("GET", "/api/router", Authorization="Bearer " + token)[0] == 401
