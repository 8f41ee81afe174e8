"""What one person writes and another one reads: names, requests, files, what a browser says that it is."""

import re

import pytest

from tests.host_tools.cloud_rig import code_in
from tests.host_tools.test_cloud_admin import rig  # noqa: F401 - its folder is a cloud's, for the verbs
from tests.host_tools.test_cloud_desk import ask, at_desk, staff

HOSTILE = "<img src=x onerror=alert(1)>'\"{{7*7}}"
SHOWN = "&lt;img src=x onerror=alert(1)&gt;"
EVE = "eve@example.org"
# Each is taken, for it is plain text or begins as a picture does: nobody's browser must make more of it.
POLYGLOTS = (
    ("gif.html", b"GIF89a<script>alert(1)</script>", "gif.html.txt"),
    ("x.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "x.svg.txt"),
    ("p.pdf", b"%PDF-1.7\n<html><script>alert(1)</script>", "p.pdf"),
)


async def join_as_hostile(rig):  # noqa: F811
    eve = rig.browser(**{"User-Agent": HOSTILE})
    await eve.sign_up(EVE, first_name='"><script>x</script>', last_name=HOSTILE)
    await eve.post("/confirm", code=code_in((await rig.mails(EVE))[0]))
    return eve


async def test_nothing_that_a_person_wrote_runs_at_the_desk_or_in_the_account(rig):  # noqa: F811
    eve, grace = await join_as_hostile(rig), await staff(rig)
    files = [(name, content) for name, content, _ in POLYGLOTS]
    path = (await ask(rig, eve, files, subject=HOSTILE, text=HOSTILE)).path
    pages = dict.fromkeys(("/desk", at_desk(path)), grace)
    pages |= dict.fromkeys((path, "/help", "/security/sessions", "/security/log", "/profile"), eve)
    for place, browser in pages.items():
        page = (await browser.get(place)).text
        assert "<img" not in page and "<script>" not in page and "{{49" not in page, place
    assert SHOWN in (await grace.get(at_desk(path))).text


async def test_a_file_that_is_two_things_is_only_ever_saved(rig):  # noqa: F811
    eve, grace = await join_as_hostile(rig), await staff(rig)
    path = (await ask(rig, eve, [(name, content) for name, content, _ in POLYGLOTS])).path
    desk = (await grace.get(at_desk(path))).text
    places = re.findall(r'href="(/desk/\w+/files/\w+)"', desk)
    for (_, content, kept), place in zip(POLYGLOTS, places, strict=True):
        for headers in ({}, {"Range": "bytes=6-", "Accept": "text/html"}):
            async with grace._session.get(rig.server.make_url(place), headers=headers) as answer:
                assert (answer.status, await answer.read()) == (200, content)
                assert answer.headers["Content-Type"] == "application/octet-stream"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{kept}"')


METHODS = ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND")
TYPES = ("text/plain", "application/json", "text/plain; application/x-www-form-urlencoded", "")


async def test_no_other_method_and_no_other_kind_of_form_acts(rig, ada):  # noqa: F811
    """What another site's form can send, and what proxies and frameworks take for a POST."""
    form = await ada.get("/profile")
    for method in METHODS:
        async with ada._session.request(method, rig.server.make_url("/sign-out")) as answer:
            assert answer.status in (403, 405), method
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        assert (await ada.get("/sign-out?_method=POST", headers={name: "POST"})).status == 405, name
    for kind in TYPES:
        page = await ada.post_raw("/sign-out", f"csrf={form.csrf}", {"Content-Type": kind})
        assert page.status == 403, kind
    many = "&".join(f"field{number}=" for number in range(10_000))
    assert (await ada.post_raw("/sign-out", f"csrf={form.csrf}&{many}")).status in (403, 413)
    assert (await ada.get("/profile")).path == "/profile"


DEEP = ("[" * 8000, '{"a":' * 1500, "9" * 8000, '{"id":"\\ud800","rawId":NaN,"response":{"a":1e999}}')


@pytest.mark.parametrize("path, form, name", [
    ("/sign-in/passkey", "/sign-in", "credential"), ("/sign-in/code/passkey", "/sign-in", "credential"),
])  # fmt: skip
async def test_json_that_is_deep_or_huge_is_refused(rig, path, form, name):  # noqa: F811
    browser = rig.browser()
    for text in DEEP:
        assert (await browser.post(path, form_page=form, **{name: text})).status == 422
