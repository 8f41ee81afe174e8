"""Attacks on the cloud as it is served, over the wire and in Chromium, by a second account and by staff.

Eve has an account of her own, and whatever Ada's pages show: ids that went astray.
"""

import re

import pytest
from yarl import URL

from host_tools.cloud.pages.routes import ACCOUNT, MACHINE, REGISTRAR, ROUTES, STAFF
from tests.host_tools.cloud_rig import PASSWORD
from tests.host_tools.live_stage import (  # noqa: F401 - stage is a fixture
    ADA,
    GRACE,
    MORE,
    SERIAL,
    asked,
    complaints,
    entered,
    only_own_heads,
    stage,
    tokens_of_forms,
    urls,
)  # fmt: skip
from tests.host_tools.test_cloud_hostile_people import HOSTILE

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENDS = (
    "/sign-out",
    "/profile/data/delete",
    "/oidc/logout/confirm",
    "/oidc/again",
)  # of the account that walks
NAMED = re.compile(r"\{([a-z_]+)[^/]*\}?(?=/|$)")


async def held(stage):  # noqa: F811
    """Ids of Ada's, as her own pages have them."""
    live, ada = stage.live, stage.ada
    path = await asked(stage, ada, files=[("note.txt", b"hers", "text/plain")])
    text = (await ada.get(live.help_url + path)).text
    await entered(live, ADA, 10)
    sessions = (await ada.get("/security/sessions")).text
    token = await ada.post(
        "/security/tokens", name="hers", days="30", password=PASSWORD, **{"account:read": "yes"}
    )
    assert "glp_" in token.text
    found = {"request": path.rsplit("/", 1)[1], "file_id": re.search(r"/files/(\w+)", text)[1]}
    found["session"] = re.search(r"/security/sessions/(\w+)/end", sessions)[1]
    found["browser"] = re.search(r"/security/browsers/(\w+)/remove", (await ada.get("/security")).text)[1]
    tokens = (await ada.get("/security/tokens")).text
    found["token"] = re.search(r"/security/tokens/(\w+)/revoke", tokens)[1]
    return found


async def test_no_id_of_another_account_opens_anything_at_any_of_the_three_sites(stage):  # noqa: F811
    live, eve, ids = stage.live, stage.eve, await held(stage)
    begins = {"/help/": "request", "/desk/": "request", "/security/sessions/": "session",
              "/security/browsers/": "browser", "/security/tokens/": "token"}  # fmt: skip
    csrf = await tokens_of_forms(live, eve)
    walked = 0
    for row in ROUTES:
        if row.who not in (ACCOUNT, STAFF, REGISTRAR) or not NAMED.search(row.path):
            continue
        mine = next(
            (ids[name] for begin, name in begins.items() if row.path.startswith(begin)), ids["request"]
        )
        known = {"serial_number": SERIAL, "file_id": ids["file_id"], "id": mine}
        path = NAMED.sub(lambda found, known=known: known.get(found[1], "0" * 30), row.path)
        place = urls(live, row)
        if row.method == "GET":
            page = await eve.get(place + path)
        else:
            page = await eve.post_raw(
                place + path, {"csrf": csrf[place], "password": PASSWORD, "text": "x", **MORE}
            )
        assert page.status == 404 or row.path.startswith(("/security/outside/", "/security/prove/")), (
            path,
            page.status,
        )
        walked += 1
    assert walked > 40
    for place, text in (("/security/tokens", "hers"), ("/security/sessions", ids["session"])):
        assert text in (await stage.ada.get(place)).text
    assert SERIAL in (await stage.ada.get(live.portal_url + "/routers")).text


async def test_no_form_takes_more_than_its_fields_and_no_route_another_method(stage):  # noqa: F811
    """A sacrificial account sends each form whatever a table has as a column."""
    live = stage.live
    mal = await live.join("mal@example.org", 5)
    csrf = await tokens_of_forms(live, mal)
    for row in ROUTES:
        path = urls(live, row) + NAMED.sub("0", row.path)
        if row.method == "POST" and row.path not in ENDS:
            page = await mal.post_raw(
                path, {"csrf": csrf[urls(live, row)], "first_name": "Mal", **MORE}, allow_redirects=False
            )
            assert page.status < 500 and URL(page.headers.get("Location", "")).host in (None, "localhost"), (
                row.path
            )
        if row.who != MACHINE and not row.lasting:
            override = {
                "X-HTTP-Method-Override": "DELETE",
                "X-Original-URL": "/desk",
                "X-Rewrite-URL": "/desk",
            }
            async with mal._session.delete(path, headers=override, allow_redirects=False) as answer:
                assert answer.status in (403, 404, 405), row.path
    assert (await mal.get("/security")).path == "/security"
    assert (await mal.get(live.help_url + "/desk")).status == 404
    assert (await mal.get("/clients")).status == 404
    assert "mal@example.org" in (await mal.get("/profile")).text


async def test_staff_are_no_more_than_their_role_and_nothing_once_it_is_taken_away(stage):  # noqa: F811
    live, grace = stage.live, stage.grace
    path = (await asked(stage, stage.ada)).replace("/help/", "/desk/")
    desk = await grace.get(live.help_url + path)
    assert desk.status == 200
    removed = await grace.post_raw(
        live.help_url + path + "/remove", {"csrf": desk.csrf, "sure": "yes", **MORE}
    )
    assert removed.status == 404
    for place in (
        live.url + "/clients",
        live.portal_url + "/routers/" + SERIAL,
        live.help_url + path.replace("desk", "help"),
    ):
        assert (await grace.get(place)).status == 404, place
    await live.give(GRACE, "none")
    for deed in ("answer", "note", "close"):  # from the page that is still open
        page = await grace.post_raw(
            live.help_url + f"{path}/{deed}", {"csrf": desk.csrf, "text": "from nobody"}
        )
        assert page.status == 404, deed
    assert (await grace.get(live.help_url + path)).status == 404
    assert "from nobody" not in (await stage.ada.get(live.help_url + path.replace("desk", "help"))).text
    await live.give(GRACE, "support")


HOSTILE_AGENT = "<svg/onload=alert(1)> Gatelodge support (Anna)"
# Each is taken, for it is plain text or begins as a picture does: nobody's browser must make more of it.
POLYGLOTS = (
    ("gif.html", b"GIF89a<script>alert(1)</script>", "text/html"),
    ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
    ("\u202egnp.exe.html", b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "image/png"),
)


async def test_nothing_that_a_stranger_writes_runs_or_loads_in_chromium(stage):  # noqa: F811
    live, grace = stage.live, stage.grace
    name = {"first_name": HOSTILE, "last_name": '"><script src=//evil.example/></script>'}
    mark = await live.join("mark@example.org", 11, headers={"User-Agent": HOSTILE_AGENT}, **name)
    written = {"subject": HOSTILE + "\r\nBcc: x@evil.example", "text": HOSTILE + "\r\n.\r\n"}
    path = await asked(stage, mark, fields=written, files=POLYGLOTS)
    await mark.post("/security/tokens", name=HOSTILE, days="30", password=PASSWORD, **{"account:read": "yes"})
    notice = {"notice_id": "n1", "account_id": stage.ada.id, "kind": "new_browser", "at": None, "dropped": 0}
    await stage.router.say("notice", **notice, address="1.2.3.4\r\nBcc: x@evil", browser=HOSTILE, undo=None)
    desk = path.replace("/help/", "/desk/")
    await grace.post(f"{live.help_url}{desk}/answer", form_page=live.help_url + desk, text=HOSTILE)
    await only_own_heads(live, "mark@example.org", "Support has answered")
    await only_own_heads(live, ADA, "A new browser signed in to your router")
    for place in re.findall(r'href="(/desk/\w+/files/\w+)"', (await grace.get(live.help_url + desk)).text):
        async with grace._session.get(live.help_url + place, headers={"Accept": "text/html"}) as answer:
            assert answer.headers["Content-Type"] == "application/octet-stream"
            assert answer.headers["Content-Disposition"].startswith("attachment;")
            assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert "Gatelodge support" not in (await mark.get("/security/sessions")).text
    pages = [(grace, live.help_url + each) for each in ("/desk", desk)]
    pages += [(mark, live.help_url + each) for each in ("/help", path)]
    pages += [
        (mark, live.url + each) for each in ("/security", "/security/log", "/security/sessions", "/profile")
    ]
    pages += [(mark, live.url + "/security/tokens"), (mark, live.portal_url + "/routers")]
    assert await complaints(pages) == []


async def test_no_form_writes_a_line_of_its_own_into_the_log(stage):  # noqa: F811
    """Of a head that no browser sends, the library would warn on stderr, and keep its text for ever."""
    place = stage.live.help_url + "/help/new"
    csrf = (await stage.eve.get(place)).csrf
    for name in ('filename="EVIL\\";x.txt"', "filename*=UTF-8''%0d%0aEVIL: x", "filename*=EVIL", "; EVIL ="):
        lines = ["--b", 'Content-Disposition: form-data; name="csrf"', "", csrf]
        lines += ["--b", f'Content-Disposition: form-data; name="files"; {name}', "", "x", "--b--", ""]
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        page = await stage.eve.post_raw(place, "\r\n".join(lines).encode(), kind)
        assert page.status in (400, 422), name
    log = stage.live.log()
    assert "EVIL" not in log and "BadContentDisposition" not in log
