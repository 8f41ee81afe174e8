"""The help centre for the person who asks: requests, attachments, answers; and what a second account gets."""

import gzip
import io
import zipfile

import pytest
from aiohttp import FormData

from host_tools.cloud import settings
from host_tools.cloud.help import attachments, requests
from host_tools.cloud.help.attachments import FILE_MAX, checked, safe_name
from host_tools.cloud.pages import uploads
from host_tools.errors import ToolError
from tests.host_tools.cloud_rig import Page, Rig
from tests.host_tools.test_cloud_own_data import export

SERIAL = "GL-0001"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
ASKED = {"subject": "No internet", "router": "", "text": "It stopped on Monday.\nThe lamp is red."}


async def send(rig, browser, path, fields, files=()):
    """A form with files, as a browser sends it. files: pairs of a name and content."""
    form = FormData(quote_fields=False, default_to_multipart=True)
    for name, value in {"csrf": (await browser.get(path)).csrf, **fields}.items():
        form.add_field(name, value)
    for name, content in files:
        form.add_field("files", content, filename=name, content_type="application/x-anything")
    async with browser._session.post(rig.server.make_url(path), data=form) as answer:
        return Page(answer.status, answer.url, await answer.text(), answer.headers)


async def ask(rig, browser, files=(), **changed):
    return await send(rig, browser, "/help/new", {**ASKED, **changed}, files)


async def content_of(rig, browser, path):
    async with browser._session.get(rig.server.make_url(path)) as answer:
        assert answer.status == 200
        return await answer.read()


async def only_file(rig, browser, request_path):
    account = (await rig.parts.administration.find("ada@example.org")).id
    request_id = request_path.rsplit("/", 1)[-1]
    async with rig.parts.database.read() as session:
        owner = await session.get(requests.HelpRequest, request_id)
        assert owner.account_id == account
        found = (await requests.records.correspondence(session, owner)).messages[0].files
    return f"{request_path}/files/{found[0].id}"


async def test_a_request_is_kept_and_shown_with_its_state(rig, ada):
    await rig.own_router(SERIAL, ada)
    page = await ask(rig, ada, router=SERIAL)
    assert page.path.startswith("/help/") and "The lamp is red." in page.text
    assert "Waiting for support" in page.text and SERIAL in page.text
    assert "No internet" in (await ada.get("/help")).text


async def test_a_form_without_files_needs_no_multipart(rig, ada):
    page = await ada.post("/help/new", **ASKED)
    assert "The lamp is red." in page.text
    assert "Thank you" in (await ada.post(page.path, text="Thank you")).text


@pytest.mark.parametrize(
    "fault", [{"subject": ""}, {"text": " \r\n "}, {"subject": "a" * 121}, {"text": "a" * 5001}]
)
async def test_what_is_missing_or_too_long_is_said_beside_its_field(rig, ada, fault):
    page = await ask(rig, ada, **fault)
    assert page.status == 422 and page.text.count('aria-invalid="true"') == 1


@pytest.mark.parametrize("hidden", ["\x01", "\x1b[31m", "\u202e", "\u2066"])
async def test_a_text_that_hides_something_is_refused(rig, ada, hidden):
    assert (await ask(rig, ada, text="a" + hidden + "b")).status == 422


async def test_only_ones_own_router_can_be_named(rig, ada, eve):
    await rig.own_router(SERIAL, ada)
    assert (await ask(rig, eve, router=SERIAL)).status == 422
    assert SERIAL not in (await eve.get("/help/new")).text


async def test_nobody_elses_request_or_file_is_there(rig, ada, eve):
    path = (await ask(rig, ada, [("lamp.png", PNG)])).path
    file = await only_file(rig, ada, path)
    assert await content_of(rig, ada, file) == PNG
    for place in (path, file):
        assert (await eve.get(place)).status == 404
    own = (await ask(rig, eve)).path
    assert (await eve.get(own + "/files/" + file.rsplit("/", 1)[-1])).status == 404
    assert (await eve.post(path, form_page="/help/new", text="I am Ada")).status == 404
    assert (await eve.post(path + "/close", form_page="/help/new")).status == 404
    assert "Waiting for support" in (await ada.get(path)).text


async def test_a_file_comes_back_whole_and_only_as_a_download(rig, ada):
    path = (await ask(rig, ada, [("../../Küche <1>.html", PNG)])).path
    async with ada._session.get(rig.server.make_url(await only_file(rig, ada, path))) as answer:
        assert await answer.read() == PNG
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        disposition = answer.headers["Content-Disposition"]
    assert disposition == (
        "attachment; filename=\"K_che 1.html.png\"; filename*=UTF-8''K%C3%BCche%201.html.png"
    )


@pytest.mark.parametrize(
    "name, content",
    [
        ("page.html", b"\xff<script>alert(1)</script>"),
        ("lamp.png", b"MZ\x90\x00"),
        ("all.zip", b"PK\x03\x04" + bytes(10)),
        ("picture.svg.gz", b"\x1f\x8b\x08"),
        ("nothing.txt", b""),
    ],
)
async def test_what_is_no_kind_of_ours_is_refused_whatever_it_is_called(rig, ada, name, content):
    page = await ask(rig, ada, [(name, content)])
    assert page.status == 422 and 'aria-describedby="files-hint files-error" aria-invalid' in page.text
    assert "The lamp is red." in page.text  # nothing has to be written again
    assert await rig.parts.help.of((await rig.parts.administration.find("ada@example.org")).id) == []


async def test_files_have_a_size_and_a_number(rig, ada):
    assert (await ask(rig, ada, [("a.png", PNG.ljust(FILE_MAX, b"\0"))] * 3)).status == 200
    assert (await ask(rig, ada, [("a.png", PNG.ljust(FILE_MAX + 1, b"\0"))])).status == 422
    assert (await ask(rig, ada, [("a.png", PNG)] * 4)).status == 422
    assert (await ask(rig, ada, [("a.png", PNG.ljust(FILE_MAX, b"\0"))] * 4)).status == 413


async def test_an_account_has_room_for_so_much(rig, ada, monkeypatch):
    monkeypatch.setattr(requests, "ACCOUNT_MAX", 2 * len(PNG))
    assert (await ask(rig, ada, [("a.png", PNG)] * 2)).status == 200
    assert (await ask(rig, ada, [("a.png", PNG)])).status == 422
    assert (await ask(rig, ada)).status == 200


async def test_requests_are_bounded_and_slowed_down(rig, ada, monkeypatch):
    monkeypatch.setattr(requests, "OPEN_MAX", 2)
    for status in (200, 200, 422):
        assert (await ask(rig, ada)).status == status
    monkeypatch.setattr(requests, "OPEN_MAX", 100)
    for _ in range(7):
        assert (await ask(rig, ada)).status == 200
    assert (await ask(rig, ada)).status == 429


async def test_a_form_with_files_is_taken_from_who_is_signed_in_and_where_files_are_only(rig, ada):
    stranger = rig.browser()
    await stranger.get("/sign-in")
    assert (await send(rig, stranger, "/help/new", ASKED)).status == 403
    form = FormData({"csrf": (await ada.get("/profile")).csrf}, default_to_multipart=True)
    async with ada._session.post(rig.server.make_url("/profile"), data=form) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"--x\r\n\r\nno name\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\xff\r\n--x--\r\n',
        b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 30 + b"--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n' + b"X-A: b\r\n" * 3000 + b"\r\n1\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nnever ended',
    ],
)
async def test_a_broken_form_is_an_error_of_its_sender(rig, ada, caplog, body):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await ada.post_raw("/help/new", body, headers)).status in (400, 403)
    assert "failed" not in caplog.text
    assert (await ask(rig, ada)).status == 200  # and the account is not held to be sending for ever


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=" + "x" * 71},
        {"Content-Type": "multipart/form-data; boundary=x", "Content-Encoding": "gzip"},
    ],
)
async def test_a_form_without_a_boundary_or_packed_is_refused(rig, ada, caplog, headers):
    body = gzip.compress(bytes(10_000)) if "Content-Encoding" in headers else b"--x--\r\n"
    assert (await ada.post_raw("/help/new", body, headers)).status == 400
    assert "failed" not in caplog.text


async def test_what_a_language_needs_is_no_fault(rig, ada):
    text = "می\u200cخواهم, \u200fשלום, 👩\u200d🔧"
    assert text in (await ask(rig, ada, text=text)).text


async def test_a_router_s_name_with_a_control_character_is_refused(rig, ada):
    assert (await ask(rig, ada, router="GL\x01")).status == 422


async def test_fields_that_are_too_long_together_are_refused(rig, ada):
    assert (await ask(rig, ada, text="a" * (uploads.FIELDS_MAX + 1))).status == 413


async def test_a_second_form_with_files_waits_for_the_first(rig, ada):
    rig.server.app[uploads.READING].add((await rig.parts.administration.find("ada@example.org")).id)
    assert (await ask(rig, ada)).status == 503


async def test_who_has_been_helped_closes_and_who_writes_again_reopens(rig, ada):
    path = (await ask(rig, ada)).path
    assert "Closed" in (await ada.post(path + "/close", form_page=path)).text
    assert (await ada.post(path + "/close", form_page=path)).status == 200
    assert "Waiting for support" in (await send(rig, ada, path, {"text": "Again."})).text


async def test_support_is_mailed_of_a_new_request_and_not_what_it_says(tmp_path):
    async with Rig(tmp_path, support_email="support@example.org") as rig:
        ada = rig.browser()
        await ada.join()
        page = await ask(rig, ada)
        await send(rig, ada, page.path, {"text": "Again."})
        [mail] = await rig.mails("support@example.org")
        assert mail.subject == "A new help request: No internet"
        request_id = page.path.rpartition("/")[2]
        assert f"/desk/{request_id}" in mail.body and "Ada Bell" in mail.body
        assert "The lamp is red" not in mail.body and ASKED["text"] not in mail.body


def test_support_s_address_is_checked_at_the_start():
    assert settings.support_email("support@example.org") == "support@example.org"
    assert settings.support_email("") == ""
    with pytest.raises(ToolError, match="name@example.com"):
        settings.support_email("support")


async def test_what_was_written_is_shown_as_text(rig, ada):
    page = await ask(rig, ada, subject="<b>bold</b>", text="<script>alert(1)</script>")
    assert "<script>alert" not in page.text and "<b>bold" not in page.text


async def test_a_closed_request_is_kept_as_long_as_a_warranty(rig, ada):
    path = (await ask(rig, ada)).path
    await rig.parts.help.prune(rig.clock.now + requests.KEPT_S + 1)
    assert (await ada.get(path)).status == 200
    await ada.post(path + "/close", form_page=path)
    await rig.parts.help.prune(rig.clock.now + requests.KEPT_S + 1)
    assert (await ada.get(path)).status == 404


async def test_the_export_holds_what_was_written_and_attached(rig, ada):
    await ask(rig, ada, [("lamp.png", PNG)])
    archive = zipfile.ZipFile(io.BytesIO((await export(rig, ada))[2]))
    assert "The lamp is red." in archive.read("help_messages.json").decode()
    names = [name for name in archive.namelist() if name.startswith("attachments/")]
    assert [archive.read(name) for name in names] == [PNG] and names[0].endswith("-lamp.png")


@pytest.mark.parametrize(
    "name, safe",
    [
        ("C:\\Users\\ada\\log.txt", "log.txt"),
        ("/etc/passwd", "passwd.txt"),
        ("..", "file.txt"),
        (".htaccess", "htaccess.txt"),
        ("a\u202etxt.exe", "atxt.exe.txt"),
        ("a\r\nX: b.LOG", "aX b.LOG"),
        ("ä" * 200 + ".txt", "ä" * 76 + ".txt"),
        ("b" * 200, "b" * 76 + ".txt"),
        ("", "file.txt"),
    ],
)
def test_a_name_is_safe_everywhere(name, safe):
    assert checked(name, b"text").name == safe
    assert len(safe_name(name)) <= attachments.NAME_MAX


@pytest.mark.parametrize(
    "name, content",
    [("a.jpeg", b"\xff\xd8\xff\xe0"), ("a.pdf", b"%PDF-1.7\n\xff\x00"), ("a.log", "é\t\r\n".encode())],
)
def test_each_kind_is_known_by_what_it_is(name, content):
    assert checked(name, content) == (name, content)
