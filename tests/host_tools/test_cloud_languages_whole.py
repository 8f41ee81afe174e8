"""No page and no mail says anything that is in no catalogue: seen by a language that marks what it says."""

import re

import pytest
from sqlalchemy import update

from host_tools.cloud import links
from host_tools.cloud.help import roles
from host_tools.cloud.store.models import Account
from tests.host_tools import pseudo_language
from tests.host_tools.cloud_rig import PASSWORD, code_in
from tests.host_tools.test_cloud_help import ask

EMAIL, SERIAL = "ada@example.org", "GL-0001"
KNOWN = ("Ada Bell", "Ada", EMAIL, SERIAL, "Lodge One", "My phone", "No internet", "127.0.0.1")
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
STRANGER = (
    "/sign-in",
    "/sign-up",
    "/terms",
    "/forgotten",
    "/no-such-page",
    *(f"{page}#{links.new_code()}" for page in ("/undo", "/waiting", "/confirm/link")),
    "/undo",
    "/undo#no-code",
)
MEMBER = (
    "/routers", "/routers/register", f"/routers/{SERIAL}", f"/routers/{SERIAL}/restart",
    f"/routers/{SERIAL}/release", "/profile", "/profile/data", "/security", "/security/authenticators/add",
    "/security/recovery-codes", "/security/choose", "/security/password", "/security/sessions",
    "/security/log", "/security/tokens", "/security/applications", "/security/phones/add",
    "/security/passkeys/add", "/security/push", "/help", "/help/new", "/device",
)  # fmt: skip


@pytest.fixture
async def reader(rig):
    with pseudo_language.spoken():
        yield rig.browser(**FIREFOX, **{"Accept-Language": pseudo_language.TAG})


def assert_whole(page, *known):
    assert pseudo_language.BEGIN in page.text
    assert pseudo_language.unmarked(page.text, (*KNOWN, *known)) == [], page.url


async def test_what_a_stranger_reads_is_in_the_catalogues(reader):
    for path in STRANGER:
        assert_whole(await reader.get(path))
    for path in ("/sign-in", "/sign-up", "/forgotten"):
        page = await reader.post(path)
        assert page.status == 422
        assert_whole(page)
    for path in ("/sign-in", "/forgotten"):
        assert_whole(await reader.post(path, email=EMAIL, password="wrong"))


async def test_what_a_person_reads_is_in_the_catalogues(rig, reader):
    assert_whole(await reader.sign_up(EMAIL))
    assert_whole(await reader.post("/confirm", code="1"))
    assert_whole(await reader.post("/confirm", code=code_in((await rig.mails(EMAIL))[0])))
    await rig.own_router(SERIAL, reader)
    _, page = await reader.enrol()
    assert_whole(page)
    assert_whole(await ask(rig, reader))
    for path in MEMBER:
        assert_whole(await reader.get(path))
    for path in MEMBER:
        if '<form method="post"' in (await reader.get(path)).text and "/restart" not in path:
            assert_whole(await reader.post(path, form_page=path, password="wrong"))


async def test_what_staff_read_of_applications_is_in_the_catalogues(rig, reader):
    await reader.join()
    assert_whole(await reader.get("/security"))
    await set_role(rig, roles.CLIENTS)
    assert_whole(await reader.get("/clients"))  # a second factor is missing
    await reader.enrol()
    client = {"id": "garden", "name": "Garden App", "redirect_uris": "https://a.example/"}
    known = (*client.values(), "authorization_code", "refresh_token", "openid", "profile", "offline_access")
    for fields in ({}, {**client, "proof": "key", "authorization_code": "yes"}):
        assert_whole(await reader.post("/clients/_add", **fields), *known)
    fields = {**client, "proof": "secret", "plain": "yes", "authorization_code": "yes"}
    page = await reader.post("/clients/_add", **fields)
    secret = re.search(r'id="secret">([^<]+)<', page.text)[1]
    assert_whole(page, *known, secret)
    for path in ("", "/garden", *(f"/garden/{deed}" for deed in ("secret", "disable", "enable", "remove"))):
        assert_whole(await reader.get("/clients" + path), *known)
    assert_whole(await reader.post("/clients/garden/remove"), *known)


async def set_role(rig, role):
    async with rig.parts.database.write() as session:
        await session.execute(update(Account).values(role=role))


async def test_the_mails_of_an_account_are_in_its_language(rig, reader):
    await reader.join()
    await rig.browser(**FIREFOX).enter()  # a browser that asks for English
    await reader.enrol()
    await reader.post("/security/phones/add", number="+32470123456", password=PASSWORD)
    await reader.post("/security/password", password=PASSWORD, new_password="a lantern at the ford")
    await reader.post("/profile/email", email="new@example.org", password="a lantern at the ford")
    await rig.browser().post("/forgotten", email=EMAIL)
    await rig.own_router(SERIAL, reader)
    await rig.hub.reset(SERIAL)
    mails = await rig.mails()
    assert len(mails) >= 8 and len({mail.recipient for mail in mails}) == 3
    for mail in mails:
        said = re.sub(r"https?://\S+", "", f"{mail.subject}\n{mail.body}")
        assert pseudo_language.unmarked_lines(said, (*KNOWN, "new@example.org")) == [], mail.subject


@pytest.mark.parametrize(
    "html",
    [
        "<p>Not marked</p>",
        '<button aria-label="Not marked">x</button>',
        "<p>\u27e6Marked\u27e7 not marked</p>",
    ],
)
def test_what_is_not_marked_is_seen(html):
    assert len(pseudo_language.unmarked(html)) == 1


def test_what_is_marked_is_not():
    html = "<h1>\u27e6Wait \u27e63 days\u27e7, <strong>Ada</strong>.\u27e7</h1><pre>as it is</pre>"
    assert pseudo_language.unmarked(html) == []
