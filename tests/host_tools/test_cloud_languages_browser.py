"""The portal in every language, in Chromium: whole, at home on 320 px, switched by hand and by keyboard."""

import re

import pytest
from playwright.async_api import expect

from host_tools.cloud.languages import marks, sources, text
from host_tools.release import po_files
from tests.host_tools import axe_rig
from tests.host_tools.cloud_rig import PERSON
from tests.host_tools.test_cloud_accessible import assert_no_fault, rig, tab, tab_to  # noqa: F401 - fixtures
from tests.host_tools.test_cloud_browser import EMAIL, SERIAL
from tests.host_tools.test_language_pages import SAYS, TEXTS, VALUE

STRANGER = ("/sign-in", "/sign-up", "/terms", "/forgotten", "/no-such-page")
MEMBER = (
    "/routers", "/routers/register", f"/routers/{SERIAL}", f"/routers/{SERIAL}/release", "/profile",
    "/profile/data", "/security", "/security/authenticators/add", "/security/recovery-codes",
    "/security/choose", "/security/password", "/security/sessions", "/security/log", "/security/tokens",
    "/security/applications", "/security/passkeys/add", "/security/push", "/help", "/help/new",
)  # fmt: skip
OWN = {"Ada Bell"}


def english_left(tag, texts):
    """What of the texts is an English sentence that the catalogue says otherwise."""
    said, english = set(), set()
    for message in sources.read(tag):
        if message.id and po_files.is_translated(message):
            english |= {piece for sentence in marks.texts(message.id) for piece in pieces(sentence)}
            said |= {piece for form in po_files.texts_of(message) for piece in pieces(form)}
    patterns = [pattern_of(piece) for piece in english - said]
    strange = [line for line in texts if line not in said | OWN]
    return sorted({line for line in strange if any(pattern.search(line) for pattern in patterns)})


def pieces(sentence):
    """Between its tags: each is a text of its own. Values alone are the same in every language."""
    found = (piece.strip() for piece in marks.TAG.split(sentence))
    return [piece for piece in found if sum(map(str.isalpha, marks.PLACEHOLDER.sub("", piece))) >= 4]


def pattern_of(piece):
    pattern = VALUE.join(re.escape(part) for part in marks.PLACEHOLDER.split(piece))
    return re.compile(pattern if len(piece) >= SAYS else f"^{pattern}$")


async def look_at(rig, tab, tag, *paths):  # noqa: F811
    for path in paths:
        await tab.goto(str(rig.server.make_url(path)))
        await assert_whole(tab, tag)


async def assert_whole(tab, tag):  # noqa: F811
    await expect(tab.locator("html")).to_have_attribute("lang", tag)
    assert await tab.evaluate(axe_rig.SPILL) == [], tab.url
    assert english_left(tag, await tab.evaluate(TEXTS)) == [], tab.url


async def speak(tab, tag):  # noqa: F811
    """By the switch at the foot, as a person does."""
    await tab.locator(".languages summary").click()
    await tab.get_by_role("button", name=text.NAMES[tag]).click()
    await expect(tab.locator("html")).to_have_attribute("lang", tag)


async def join(rig, tab):  # noqa: F811
    """By the names of the fields: their labels are in the language of the page."""
    await tab.goto(str(rig.server.make_url("/sign-up")))
    for name in ("first_name", "last_name", "password"):
        await tab.locator(f"[name={name}]").fill(PERSON[name])
    await tab.locator("[name=email]").fill(EMAIL)
    await tab.locator("[name=country]").select_option("BE")
    await tab.locator("[name=terms]").check()
    await tab.locator("main button.primary").click()
    await tab.locator("[name=code]").fill(re.search(r"\b\d{6}\b", (await rig.mails(EMAIL))[0].body)[0])
    await tab.locator("main button.primary").click()
    await tab.locator(".languages").wait_for()


async def own_router(rig, tab):  # noqa: F811
    code = await rig.make_router(SERIAL)
    await rig.hub.connect(SERIAL)
    await tab.goto(str(rig.server.make_url("/routers/register")))
    await tab.locator("[name=service_code]").fill(code)
    await tab.keyboard.press("Enter")
    await rig.until(lambda: SERIAL in rig.hub.claims)


@pytest.mark.parametrize("tag", sources.TAGS)
async def test_every_page_is_whole_in_every_language_on_a_small_screen(rig, tab, tag):  # noqa: F811
    await tab.goto(str(rig.server.make_url("/sign-in")))
    await speak(tab, tag)
    await look_at(rig, tab, tag, *STRANGER)
    await join(rig, tab)
    await assert_whole(tab, tag)
    await own_router(rig, tab)
    await assert_whole(tab, tag)
    await rig.hub.answer(SERIAL, True)
    await tab.locator("[data-state=online]").wait_for()  # the page goes on by itself
    await assert_whole(tab, tag)
    await look_at(rig, tab, tag, *MEMBER)
    assert english_left(tag, [mail.subject for mail in await rig.mails(EMAIL)]) == []


async def test_a_switch_needs_no_script_and_keeps_who_is_signed_in(rig, tab):  # noqa: F811
    await join(rig, tab)
    context = await tab.context.browser.new_context(
        **axe_rig.QUIET, java_script_enabled=False, locale="de-CH"
    )
    stranger = await context.new_page()
    await stranger.goto(str(rig.server.make_url("/terms?from=here")))
    await expect(stranger.locator("html")).to_have_attribute("lang", "de")
    await speak(stranger, "tr")
    assert stranger.url.endswith("/terms?from=here")
    await context.close()
    await tab.goto(str(rig.server.make_url("/security/sessions")))
    await tab_to(tab, "Language: English")
    await tab.keyboard.press("Enter")
    await tab_to(tab, text.NAMES["nl"])
    await tab.keyboard.press("Enter")
    await expect(tab.locator("html")).to_have_attribute("lang", "nl")
    assert tab.url.endswith("/security/sessions")
    await tab.goto(str(rig.server.make_url("/profile")))
    await expect(tab.locator("#language")).to_have_value("nl")


@pytest.mark.parametrize("tag", ["de", "ru"])
async def test_axe_finds_nothing_in_another_language(rig, tab, tag):  # noqa: F811
    await tab.goto(str(rig.server.make_url("/sign-up")))
    await speak(tab, tag)
    await tab.locator(".languages summary").click()
    await assert_no_fault(tab)
    await join(rig, tab)
    for path in ("/routers/register", "/security", "/profile"):
        await tab.goto(str(rig.server.make_url(path)))
        await tab.locator(".languages summary").click()
        await assert_no_fault(tab)


def test_an_english_sentence_that_is_left_is_seen():
    assert english_left("nl", ["Aanmelden", "Sign out"]) == ["Sign out"]
    assert english_left("nl", ["3 minuten geleden", "3 minutes ago"]) == ["3 minutes ago"]
    assert english_left("nl", ["Een zin. I have read the"]) == ["Een zin. I have read the"]
