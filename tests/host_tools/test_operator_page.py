"""The operator's page in Chromium, and whom its server refuses."""

import http.client
import json
import re

import pytest
from playwright.sync_api import expect, sync_playwright

from host_tools.factory.events import PortGone
from host_tools.factory.operator import feed as feeds
from tests.host_tools import axe_rig
from tests.host_tools import bench_page_rig as told

expect.set_options(timeout=30_000)
TABLET = {"width": 768, "height": 1024}


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def rig():
    with told.BenchPageRig() as rig:
        yield rig


@pytest.fixture
def tab(chromium, rig):
    context = chromium.new_context(viewport=TABLET, has_touch=True, reduced_motion="reduce")
    tab = context.new_page()
    tab.faults = []
    tab.on("console", lambda message: tab.faults.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: tab.faults.append(str(error)))
    tab.goto(rig.url)
    yield tab
    context.close()


def tile(tab, port):
    return tab.locator(".tile").filter(has=tab.get_by_role("heading", name=port, exact=True))


def ask(rig, method, path, headers=None, body=b""):
    connection = http.client.HTTPConnection("127.0.0.1", rig.port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(4096) if path != "/events" else b"", answer.headers
    finally:
        connection.close()


# --- the page ---


def test_an_empty_bench_says_what_to_connect(tab):
    expect(tab.get_by_text("No board is connected")).to_be_visible()
    expect(tab.get_by_role("button", name="Stop all")).to_be_disabled()


def test_eight_ports_show_their_states_in_words_and_signs(tab, rig):
    rig.tell(*told.eight())
    for port, word in (("ttyUSB0", "Ready"), ("ttyUSB1", "GO"), ("ttyUSB2", "NO-GO"), ("ttyUSB3", "Stopped")):
        expect(tile(tab, port).locator(".word")).to_have_text(word)
        expect(tile(tab, port).locator(".sign g:visible")).to_have_count(1)
    expect(tile(tab, "ttyUSB4").locator(".detail")).to_have_text("434 of 700 KB, 11.2 KB/s, 24 s left")
    expect(tile(tab, "ttyUSB6").locator(".next")).to_contain_text("Check its power")
    expect(tab.locator("#totals")).to_have_text(
        re.compile(r"GO\s*2\s*NO-GO\s*3\s*Yield\s*40 %\s*Working\s*2")
    )
    assert tab.faults == []


def test_a_finger_starts_and_stops(tab, rig):
    rig.tell(told.seen("left"))
    tab.get_by_role("button", name="Start left").tap()
    rig.tell(*told.begun("left"))
    tab.get_by_role("button", name="Stop left").tap()
    expect(tab.get_by_role("button", name="Stop all")).to_be_enabled()
    tab.get_by_role("button", name="Stop all").tap()
    rig.tell(PortGone("left"), *told.stopped("left"))
    expect(tile(tab, "left").locator(".word")).to_have_text("Stopped")
    assert rig.line.asked == [("start", "left"), ("abort", "left"), ("abort", None)]


def test_what_cannot_be_done_is_said(tab, rig):
    rig.line.answer = False
    rig.tell(told.seen("left"))
    tab.get_by_role("button", name="Start left").click()
    expect(tab.get_by_role("alert")).to_have_text("No board is waiting here. Connect one.")


def test_a_lost_bench_is_told_and_found_again_with_what_happened_meanwhile(tab, rig):
    rig.tell(told.seen("left"))
    expect(tile(tab, "left")).to_be_visible()
    tab.evaluate(
        """() => new MutationObserver(() => window.wasLost ||= !document.getElementById("lost").hidden)
        .observe(document.getElementById("lost"), {attributes: true})"""
    )
    rig.drop_readers()
    rig.tell(PortGone("left"), told.seen("right"))
    expect(tile(tab, "right")).to_be_visible()
    expect(tile(tab, "left")).to_have_count(0)
    expect(tab.locator("#lost")).to_be_hidden()
    assert tab.evaluate("window.wasLost")


def test_sound_is_off_until_it_is_wanted_and_stays_as_it_was_left(tab, rig):
    tab.evaluate(
        """() => { window.tones = 0; const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (at) { window.tones += 1; start.call(this, at); }; }"""
    )
    rig.tell(told.seen("left"), *told.begun("left"))
    expect(tile(tab, "left").locator(".word")).to_have_text("Working")
    rig.tell(*told.went_well("left", "GL2648000001"))
    expect(tile(tab, "left").locator(".word")).to_have_text("GO")
    assert tab.evaluate("window.tones") == 0
    tab.get_by_role("button", name="Sound is off").click()
    rig.tell(*told.begun("left"))
    expect(tile(tab, "left").locator(".word")).to_have_text("Working")
    rig.tell(*told.went_wrong("left", "GL2648000002"))
    expect(tile(tab, "left").locator(".word")).to_have_text("NO-GO")
    assert tab.evaluate("window.tones") == 3
    tab.reload()
    expect(tab.get_by_role("button", name="Sound is on")).to_have_attribute("aria-pressed", "true")


def test_a_verdict_is_said_to_a_screen_reader(tab, rig):
    rig.tell(told.seen("left"), *told.begun("left"))
    expect(tile(tab, "left").locator(".word")).to_have_text("Working")
    rig.tell(*told.went_wrong("left", "GL2648000002"))
    expect(tab.locator("#heard")).to_have_text("left: NO-GO. Set it aside for repair, it is not locked.")


def test_the_focus_stays_on_a_tile_that_changes(tab, rig):
    rig.tell(told.seen("left"))
    tab.get_by_role("button", name="Start left").focus()
    rig.tell(*told.begun("left"))
    expect(tab.get_by_role("button", name="Stop left")).to_be_focused()


def test_text_of_a_board_is_text(tab, rig):
    rig.tell(told.seen("<img src=x onerror=alert(1)>"))
    expect(tab.get_by_role("heading", name="<img src=x onerror=alert(1)>")).to_be_visible()
    assert tab.locator("main img").count() == 0


@pytest.mark.parametrize("happened", ["nothing", "everything"])
def test_axe_finds_nothing_and_tab_reaches_all(tab, rig, happened):
    if happened == "everything":
        rig.tell(*told.eight())
        expect(tab.locator(".tile:not(.skeleton)")).to_have_count(8)
    else:
        expect(tab.locator("#empty")).to_be_visible()
    assert axe_rig.faults(tab) == []
    assert axe_rig.missed(tab) == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_what_is_pressed_is_large_enough_for_a_finger(tab, rig, width):
    rig.tell(*told.eight())
    expect(tab.locator(".tile:not(.skeleton)")).to_have_count(8)
    tab.set_viewport_size({"width": width, "height": 900})
    for button in tab.get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44, button


# --- the server ---


def test_another_name_for_this_computer_is_refused(rig):
    for host in ("evil.example", f"evil.example:{rig.port}", "127.0.0.1", f"localhost:{rig.port}"):
        status, text, _ = ask(rig, "GET", "/", {"Host": host})
        assert (status, b"another name" in text) == (403, True), host


@pytest.mark.parametrize("path", ["/events", "/bench.js", "/tokens.css"])
def test_another_site_reads_nothing_and_holds_no_stream(rig, path):
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        assert ask(rig, "GET", path, headers)[0] == 403, headers
    assert ask(rig, "GET", path, {"Sec-Fetch-Site": "same-origin"})[0] == 200
    assert ask(rig, "GET", "/", {"Sec-Fetch-Site": "cross-site"})[0] == 200  # a link may lead here


@pytest.mark.parametrize("path", ["/start", "/abort"])
def test_an_action_comes_from_our_page_or_is_refused(rig, path):
    json_type, body = {"Content-Type": "application/json"}, b'{"port": "left"}'
    for headers in (
        json_type,
        {**json_type, "Origin": "http://evil.example"},
        {**json_type, "Origin": "null"},
        {**json_type, "Origin": f"https://127.0.0.1:{rig.port}"},
        {"Content-Type": "text/plain", "Origin": rig.url},
    ):
        assert ask(rig, "POST", path, headers, body)[0] == 403, headers
    assert rig.line.asked == []
    assert ask(rig, "POST", path, {**json_type, "Origin": rig.url}, body)[0] == 204


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"port": 7}', b'{"port": "' + b"x" * 1025 + b'"}', b"\xff"]
)
def test_a_wrong_body_is_a_bad_request(rig, body):
    headers = {"Content-Type": "application/json", "Origin": rig.url}
    assert ask(rig, "POST", "/start", headers, body)[0] == 400
    assert rig.line.asked == []


def test_a_body_without_end_is_refused(rig):
    headers = {"Content-Type": "application/json", "Origin": rig.url}
    assert ask(rig, "POST", "/start", headers, json.dumps({"port": "x" * 9000}).encode())[0] == 413


def test_every_answer_has_the_strict_policy(rig):
    for method, path in (
        ("GET", "/"),
        ("GET", "/bench.js"),
        ("GET", "/events"),
        ("GET", "/none"),
        ("POST", "/"),
    ):
        _, _, headers = ask(rig, method, path)
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_too_many_is_told_so(rig, monkeypatch):
    monkeypatch.setattr(feeds, "MOST_READERS", 0)
    assert ask(rig, "GET", "/events")[0] == 503


def test_the_page_asks_nobody_else(tab, rig):
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.reload()
    expect(tab.locator("#empty")).to_be_visible()
    assert asked and all(url.startswith(rig.url) for url in asked)
