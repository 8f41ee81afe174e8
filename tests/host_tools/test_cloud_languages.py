"""The portal in the reader's language: chosen by the browser, switched at the foot, kept by the account."""

import re

import pytest

from host_tools.cloud.accounts import letters
from host_tools.cloud.languages import figures, text
from host_tools.cloud.languages.countries import countries, country
from host_tools.cloud.pages.languages import COOKIE

MOMENT = 1795000000.0  # 18 November 2026, 11:06:40 UTC


def language_of(page):
    return re.search(r'<html lang="(\w+)">', page.text)[1]


async def switch(browser, tag, form_page="/sign-in", **headers):
    return await browser.post("/language", form_page=form_page, headers=headers or None, language=tag)


# --- chosen, switched, kept -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "accepted, tag",
    [("nl-BE, en;q=0.5", "nl"), ("xx, fr;q=0.3", "fr"), ("tlh", "en"), ("", "en"), ("de;q=0", "en")],
)
async def test_a_stranger_is_answered_as_the_browser_asks(rig, accepted, tag):
    page = await rig.browser(**{"Accept-Language": accepted}).get("/sign-in")
    assert language_of(page) == tag
    assert 'aria-current="true"' in page.text.split(f'lang="{tag}"')[-1][:25]


async def test_a_switch_is_kept_by_the_browser(rig):
    browser = rig.browser(**{"Accept-Language": "de"})
    await switch(browser, "nl")
    page = await browser.get("/sign-up")
    assert language_of(page) == "nl" and "Maak uw account" in page.text
    assert language_of(await rig.browser(**{"Accept-Language": "de"}).get("/sign-up")) == "de"


async def test_an_account_keeps_the_language_it_was_made_in_wherever_it_signs_in(rig):
    await rig.browser(**{"Accept-Language": "tr"}).join()
    other = rig.browser(**{"Accept-Language": "fr"})
    assert language_of(await other.get("/sign-in")) == "fr"
    assert language_of(await other.enter()) == "tr"


async def test_who_is_signed_in_switches_the_account_and_this_browser(rig, ada):
    page = await switch(ada, "nl", "/routers", Referer=str(rig.server.make_url("/security?x=1")))
    assert page.path == "/security" and page.url.query_string == "x=1"
    assert language_of(page) == "nl" and "Beveiliging" in page.text
    assert 'value="nl" selected' in (await ada.get("/profile")).text
    await ada.sign_out()
    assert language_of(await ada.get("/sign-in")) == "nl"


async def test_the_language_of_the_profile_is_that_of_the_pages(rig, ada):
    fields = {"first_name": "Ada", "country": "BE", "language": "nl", "time_zone": "Europe/Brussels"}
    page = await ada.post("/profile", **fields)
    assert language_of(page) == "nl" and 'value="nl" selected' in page.text and "België" in page.text


async def test_readers_who_ask_by_turns_hear_their_own(rig):
    readers = {tag: rig.browser(**{"Accept-Language": tag}) for tag in text.NAMES}
    for _ in range(2):
        for tag, browser in readers.items():
            assert language_of(await browser.get("/sign-in")) == tag
            assert language_of(await browser.get("/no-such-page")) == tag


# --- a form of ours alone, and back to a page of ours ---------------------------------------------


async def test_a_language_is_switched_by_our_form_alone(rig):
    browser = rig.browser()
    page = await browser.get("/sign-in")
    assert (await browser.get("/language")).status == 405
    assert (await browser.post_raw("/language", {"language": "de"})).status == 403
    foreign = {"Origin": "https://evil.example"}
    assert (await browser.post_raw("/language", {"csrf": page.csrf, "language": "de"}, foreign)).status == 403
    for wrong in ({}, {"language": "xx"}, {"language": "../de"}):
        assert (await browser.post_raw("/language", {"csrf": page.csrf, **wrong})).status == 400
    assert language_of(await browser.get("/sign-in")) == "en"


@pytest.mark.parametrize(
    "referer, back",
    [
        ("{site}/terms?x=1", "/terms?x=1"),
        ("{site}/confirm/resend", "/confirm"),  # the answer to a form: the page above it
        ("{site}/nowhere/at/all", "/"),
        ("https://evil.example/terms", "/"),
        ("{site}.evil.example/terms", "/"),
        ("{site}//evil.example/", "/"),
        ("{site}/\\evil.example/", "/"),
        ("{site}/%2F%2Fevil.example/", "/"),
        ("http://[/", "/"),
        ("", "/"),
    ],
)
async def test_a_switch_leads_back_to_a_page_of_ours(rig, referer, back):
    browser = rig.browser()
    page = await browser.get("/sign-in")
    site = str(rig.server.make_url("")).rstrip("/")
    fields = {"csrf": page.csrf, "language": "de"}
    headers = {"Referer": referer.format(site=site)}
    answer = await browser.post_raw("/language", fields, headers, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, back)
    assert re.search(rf"^{COOKIE}=de; .*HttpOnly.*Secure", answer.headers["Set-Cookie"])


# --- a text message is paid by the part -----------------------------------------------------------

# 3GPP TS 23.038, section 6.2.1, without what takes two places. Another letter makes it UCS-2: 70 in a part.
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)


@pytest.mark.parametrize("tag", text.NAMES)
def test_a_code_by_text_message_is_one_part_in_every_language(tag):
    with text.speaking(tag):
        body = letters.short_code("123456").body
    assert "123456" in body and len(body) <= (160 if set(body) <= GSM else 70), body


# --- dates and figures ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag, local",
    [
        ("en", "18 Nov 2026, 12:06:40 CET"),
        ("de", "18.11.2026, 12:06:40 CET"),
        ("nl", "18 nov 2026, 12:06:40 CET"),
    ],
)
def test_a_time_is_written_as_the_reader_does_in_the_reader_s_zone(tag, local):
    with text.speaking(tag, "Europe/Berlin"):
        assert figures.local(MOMENT) == local
    with text.speaking(tag, "Nowhere/Gone"):
        assert figures.local(MOMENT).endswith(" UTC")


def test_amounts_are_written_as_the_reader_does():
    with text.speaking("de"):
        assert (figures.number(1234.5, 1), figures.number(0.25, 2)) == ("1.234,5", "0,25")
    assert (figures.number(1234.5, 1), figures.megabytes(2048), figures.kilobytes(1025)) == (
        "1,234.5", "2 MB", "2 KB",
    )  # fmt: skip


@pytest.mark.parametrize(
    "seconds, said",
    [
        (0, "just now"), (7, "7 seconds ago"), (60, "1 minute ago"), (7199, "1 hour ago"),
        (45 * 86400, "45 days ago"), (-10, "just now"),
    ],
)  # fmt: skip
def test_how_long_ago_is_told_in_one_unit(seconds, said):
    assert figures.ago(MOMENT, MOMENT + seconds) == said


def test_countries_have_their_names_in_the_order_of_the_reader_s_alphabet():
    with text.speaking("de"):
        names = list(countries().values())
        assert country("NL") == "Niederlande" and country("??") == "??"
        assert names.index("Ägypten") < names.index("Albanien") < names.index("Belgien")
    with text.speaking("tr"):
        names = list(countries().values())
        assert names.index("Çekya") > names.index("Cebelitarık") and names.index("İsveç") > names.index(
            "Hindistan"
        )
    with text.speaking("en"):
        assert country("NL") == "Netherlands"
