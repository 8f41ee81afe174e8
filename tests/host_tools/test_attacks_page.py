"""The admin page as hostile people drive it, with several browsers at once: one daemon, over real sockets.

What is malformed is in test_bad_input.py, what a request claims in test_claims_page.py, and who races for one
code in test_sign_in_attacks.py.
"""

import contextlib
import re
import time

import pyotp
import pytest
from gatelodge.core.sessions import GRACE_S
from gatelodge.web.live import MAX_OPEN

from tests.fakes import bundles
from tests.host_tools.admin_page_rig import DEADLINE_S, PASSWORD, SERVICE_CODE, AdminPage
from tests.host_tools.attack_rig import OTHER, Browser, Owner, Stream, at_once, connect
from tests.system.rig import until

STEP_S = 30
BUNDLE = "/api/system/firmware/bundle"


@pytest.fixture(scope="module")
def wizards(tmp_path_factory):
    """Two browsers that were in the wizard, and how each ended."""
    page = AdminPage(tmp_path_factory.mktemp("attacked"))
    both = Owner(page), Owner(page)
    found = at_once(*[each.finish_setup for each in both])
    yield sorted(zip(found, both, strict=True), key=lambda pair: pair[0])
    page.stop()
    said = (page.folder / "log.txt").read_text()
    assert " error " not in said, said[said.find(" error ") - 200 :]


@pytest.fixture(scope="module")
def owner(wizards):
    return wizards[0][1]


def test_of_two_browsers_in_the_wizard_at_once_one_becomes_the_owner(wizards, owner):
    assert [status for status, _ in wizards] == [200, 409]
    late = wizards[1][1]
    assert owner.is_in and not late.is_in
    assert late.post("/api/setup/finish", password=PASSWORD, secret="", code="", name="")[0] == 409


# --- sign-ins whose steps are mixed. Each returns what was answered to the last step


def the_code_alone(owner, eve):
    return eve.recover(owner.codes[-1])


def a_ticket_of_another_computer(owner, eve):
    eve.begin()
    return eve.copy().recover(owner.codes[-1])


def a_ticket_that_was_used(owner, eve):
    eve.begin()
    late = eve.copy(eve.address)
    assert eve.recover(owner.codes.pop())[0] == 200
    return late.recover(owner.codes[-1])


def a_session_for_a_ticket(owner, eve):
    eve.cookies["__Host-signin"] = owner.cookies["__Host-session"]
    return eve.recover(owner.codes[-1])


def a_ticket_of_the_wizard(owner, eve):
    eve.post("/api/setup/service-code", service_code=SERVICE_CODE)
    eve.cookies["__Host-signin"] = eve.cookies.get("__Host-setup", "")
    return eve.recover(owner.codes[-1])


def a_ticket_from_before_a_changed_factor(owner, eve):
    eve.begin()
    owner.renew()
    return eve.recover(owner.codes[-1])


def a_ticket_that_is_over(owner, eve):
    eve.begin()
    owner.page.tell("later 300")
    owner.csrf  # noqa: B018 - which is no action
    owner.ask("GET", "/about")  # and this is one: the session stays
    return eve.recover(owner.codes[-1])


MIXED = (
    the_code_alone,
    a_ticket_of_another_computer,
    a_ticket_that_was_used,
    a_session_for_a_ticket,
    a_ticket_of_the_wizard,
    a_ticket_from_before_a_changed_factor,
    a_ticket_that_is_over,
)


@pytest.mark.parametrize("mixed", MIXED)
def test_steps_that_do_not_belong_together_let_nobody_in(owner, mixed):
    eve = Browser(owner.page)
    status, answer = mixed(owner, eve)
    assert (status, answer["error"]["offer"]) == (422, "start")
    assert owner.is_in


# --- two browsers at once


def test_the_csrf_token_of_another_session_changes_nothing(owner):
    other = owner.another()
    assert owner.post("/api/system/name", csrf=other.csrf, name="Eve's")[0] == 403
    assert owner.post("/api/system/name", csrf=owner.csrf, name="Weir")[0] == 200


def test_of_two_that_remove_the_last_two_authenticators_at_once_one_does(owner):
    owner.renew()
    tablet = pyotp.TOTP(owner.post("/api/security/authenticator/begin")[1]["secret"].replace(" ", ""))
    form = {"secret": tablet.secret, "code": tablet.now(), "name": "Tablet"}
    assert owner.post("/api/security/authenticator/add", **form)[0] == 200
    other = owner.another()
    ids = re.findall('data-id="([0-9a-f]{8})" data-name="(?:Phone|Tablet)"', owner.ask("GET", "/security")[1])
    path, tokens = "/api/security/authenticator/remove", (owner.csrf, other.csrf)
    found = at_once(
        lambda: owner.post(path, csrf=tokens[0], id=ids[0])[0],
        lambda: other.post(path, csrf=tokens[1], id=ids[1])[0],
    )
    assert sorted(found) == [200, 401]
    assert [owner.is_in, other.is_in] == [status == 200 for status in found]
    if other.is_in:  # whoever was quicker goes on
        owner.cookies = other.cookies
    else:
        owner.totp = tablet
    assert owner.ask("GET", "/security")[1].count("data-name=") == 1


def test_who_holds_a_session_and_no_factor_gives_the_router_to_no_account(owner):
    owner.renew()
    owner.page.tell("claim")
    owner.page.tell("later 301")
    answer = {"claim_id": "c1", "answer": "approve"}
    assert owner.post("/api/claim", **answer)[1]["error"]["offer"] == "prove"
    assert owner.post("/api/claim", **{**answer, "answer": "refuse"})[0] == 200
    owner.page.tell("claim")
    owner.prove()
    token = owner.csrf
    found = at_once(
        lambda: owner.post("/api/claim", csrf=token, **answer)[0],
        lambda: owner.post("/api/claim", csrf=token, **answer)[0],
        lambda: owner.post("/api/cloud/release", csrf=token)[0],
    )
    assert sorted(found[:2]) == [200, 422]
    if found[2] == 422:  # it belonged to no account yet
        assert owner.post("/api/cloud/release")[0] == 200
    assert owner.post("/api/cloud/release")[0] == 422


def test_sign_ins_that_race_a_new_password_all_begin_again(owner):
    owner.renew()
    racing = [Browser(owner.page) for _ in range(4)]
    token, new = owner.csrf, "seven herons left the weir"
    change = {"old_password": PASSWORD, "password": new}
    acts = [lambda: owner.post("/api/security/password", csrf=token, **change)[0]]
    acts += [lambda browser=browser: browser.begin(csrf="")[0] for browser in racing]
    assert at_once(*acts)[0] == 200
    assert [browser.recover(owner.codes[-1])[0] for browser in racing] == [422] * 4
    back = {"old_password": new, "password": PASSWORD}
    assert owner.post("/api/security/password", **back)[0] == 200


def test_a_stolen_trust_skips_no_password_and_ends_with_all_its_sessions(owner):
    """The cookie that skips the code, at another computer: before and after it was revoked."""
    owner.renew()
    home = Browser(owner.page)
    home.begin()
    code = owner.totp.at(int(time.time()) + STEP_S)
    path = "/api/sign-in/code"
    assert home.post(path, csrf="", code=code, trust="yes")[0] == 200, "the phone's code was refused"
    thief = Browser(owner.page, OTHER, {"__Host-trust": home.cookies["__Host-trust"]})
    as_session = Browser(owner.page, OTHER, {"__Host-session": home.cookies["__Host-trust"]})
    assert not thief.is_in and not as_session.is_in
    assert thief.begin("not this one")[0] == 422
    assert thief.begin()[1]["go"] == "/" and thief.is_in  # README, "Who skips the code"
    assert owner.post("/api/security/browser/end", id=owner.listed("browser/end"))[0] == 200
    assert [owner.is_in, home.is_in, thief.is_in] == [True, False, False]
    assert thief.begin()[1]["go"] == "/signin/code" and not thief.is_in


def test_strangers_with_the_password_push_no_sign_in_of_the_owner_out(owner):
    owner.renew()
    home = Browser(owner.page)
    home.begin()
    for number in range(40):
        assert Browser(owner.page, f"127.0.1.{number % 20 + 1}").begin()[0] == 200
    assert home.recover(owner.codes.pop())[0] == 200


# --- the live stream


def sign_out(owner, browser):
    browser.post("/api/sign-out")


def revoke(owner, browser):
    owner.post("/api/security/session/end", id=browser.public_id())


def lie_idle(owner, browser):
    owner.page.tell("later 300")
    owner.ask("GET", "/about")
    owner.page.tell("later 300")


@pytest.mark.parametrize("end", [sign_out, revoke, lie_idle])
def test_a_stream_ends_with_its_session_and_no_other_does(owner, end):
    owner.renew()
    browser = owner.another()
    ours, theirs = Stream(owner), Stream(browser)
    ours.next_update()
    end(owner, browser)
    assert b"event: ended" in theirs.rest()
    ours.next_update()
    for stream in (ours, theirs):
        stream.close()


def test_a_stream_stays_when_another_window_proves_again(owner):
    owner.renew()
    window = owner.copy(owner.address)  # with the token before
    stream = Stream(owner)
    owner.prove()
    assert owner.cookies != window.cookies and window.is_in
    owner.page.tell(f"later {GRACE_S}")
    assert not window.is_in
    stream.next_update()
    stream.next_update()
    stream.close()


def test_streams_are_few_and_those_that_are_gone_make_room(owner):
    streams = [Stream(owner) for _ in range(MAX_OPEN)]
    assert [stream.status for stream in streams] == [200] * MAX_OPEN
    assert is_full(owner) and owner.is_in
    for stream in streams:
        stream.close()
    until(lambda: not is_full(owner), "streams that were closed still count")


def is_full(owner):
    stream = Stream(owner)
    stream.close()
    return stream.status == 503


# --- what takes long: the one who sent it is put out meanwhile


def half_sent(browser, data):
    """An upload of which the router has the first half."""
    connection = connect(browser.page, browser.address)
    connection.putrequest("POST", BUNDLE)
    sent = {"Cookie": browser.jar, "X-CSRF-Token": browser.csrf, "Content-Length": str(len(data))}
    for name, value in {**sent, "Content-Type": "application/octet-stream"}.items():
        connection.putheader(name, value)
    connection.endheaders(data[: len(data) // 2])
    until((browser.page.folder / "flash/upload.tar").exists, "the upload did not begin")
    return connection


def test_an_upload_ends_with_the_session_that_sent_it(owner):
    owner.renew()
    thief, data = owner.another(), bundles.signed(version="0.3.0")
    connection = half_sent(thief, data)
    busy = owner.post("/api/system/firmware/ask", bundle="1000")[1]["error"]["text"]
    assert "Another update" in busy
    assert owner.post("/api/security/sessions/end")[0] == 200
    connection.send(data[len(data) // 2 :])
    answer = connection.getresponse()
    assert (answer.status, "ended" in answer.read().decode()) == (422, True)
    assert not (owner.page.folder / "flash/slots/b/manifest.json").exists()
    assert owner.post("/api/system/firmware/ask", bundle="1000")[0] == 200


def test_a_reset_in_the_middle_of_an_upload_leaves_a_router_of_nobody_with_the_firmware_it_had(tmp_path):
    page = AdminPage(tmp_path)
    owner, data = Owner(page), bundles.signed(version="0.3.0")
    assert owner.finish_setup() == 200
    connection = half_sent(owner, data)
    assert owner.post("/api/system/reset")[0] == 200
    with contextlib.suppress(OSError):  # the daemon ends within a second, with or without an answer
        connection.send(data[len(data) // 2 :])
        assert connection.getresponse().status == 422
    page.process.wait(DEADLINE_S)
    page.process.stdout.close()
    page.start()
    assert owner.ask("GET", "/api/status")[1]["set_up"] is False
    assert not (tmp_path / "flash/boot.json").exists() and not (tmp_path / "flash/slots/b").exists()
    page.stop()


def test_an_upload_that_finds_the_flash_full_is_told_and_leaves_nothing(owner):
    owner.renew()
    incoming = owner.page.folder / "flash/upload.tar"
    incoming.symlink_to("/dev/full")
    kind = {"Content_Type": "application/octet-stream", "X_CSRF_Token": owner.csrf}
    status, answer = owner.ask("POST", BUNDLE, bundles.signed(version="0.3.0"), **kind)
    assert (status, "no room" in answer["error"]["text"]) == (422, True)
    assert not incoming.is_symlink() and owner.is_in
    for _ in range(2):  # the same file again is the same again
        assert owner.ask("POST", BUNDLE, bundles.signed(version="0.3.0"), **kind)[0] == 200


def test_a_token_that_is_revoked_while_its_request_arrives_opens_nothing(owner):
    owner.renew()
    form = {"name": "A script", "scopes": "status:read", "lifetime": "30"}
    token = owner.post("/api/security/token/create", **form)[1]["token"]
    connection = connect(owner.page, OTHER)
    connection.connect()
    head = f"GET /api/router HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    connection.sock.sendall(head.encode())
    assert owner.post("/api/security/token/revoke", id=owner.listed("token/revoke"))[0] == 200
    connection.sock.sendall(b"\r\n")
    assert connection.sock.recv(100).startswith(b"HTTP/1.1 401 ")
    connection.close()


def test_neither_more_addresses_nor_a_restart_buy_another_guess(owner):
    """Ten strangers, one guess each: from then on all strangers wait, and the owner does not."""
    stranger = Browser(owner.page, "127.0.3.1")
    assert stranger.begin()[0] == 200  # which forgets whatever strangers did before
    for number in range(10):
        assert Browser(owner.page, f"127.0.2.{number + 1}").begin(f"guess {number}")[0] == 422
    assert stranger.begin("the next")[0] == 429
    owner.page.process.kill()
    owner.page.process.wait(DEADLINE_S)
    owner.page.start()
    assert stranger.begin("the next")[0] == 429
    assert owner.begin()[0] == 200 and owner.recover(owner.codes.pop())[0] == 200
    owner.page.tell("later 60")
    assert stranger.begin("the next")[0] == 422
