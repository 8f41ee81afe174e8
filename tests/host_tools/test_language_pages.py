"""The admin page in the reader's language, in Chromium: chosen by the browser, switched, kept, and whole."""

import re

import pytest
from gatelodge.contract import languages
from playwright.sync_api import expect

from host_tools.release import catalogues
from tests.host_tools.admin_page_rig import AdminPage, set_up, weight_of
from tests.host_tools.axe_rig import CROWDED, QUIET, SPILL, faults, tab_to
from tests.host_tools.conftest import PATIENCE_MS

PAGES = ("/", "/devices", "/internet", "/cloud", "/security", "/system", "/about")
FIRST_LOAD_BYTES = 60 * 1024
LATER_LOAD_BYTES = 15 * 1024
LONGEST = ("ru", "uk")  # two bytes for each letter
VALUE = r"\S+(?: \S+)?"  # in place of a placeholder
OWN = {"My phone"}  # what the owner has named in English
SAYS = 15  # characters from which on a sentence is looked for inside of longer texts

# What a person reads or hears of a page: texts, and attributes that are said. The log is in English.
TEXTS = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode())
    if (!walk.currentNode.parentElement.closest("script, .log, noscript")) found.push(walk.currentNode.data);
  const said = ["aria-label", "title", "placeholder", "data-label", "data-failed", "data-empty", "data-done",
    "data-heading", "data-steps", "data-down", "data-up", "data-now", "data-minutes"];
  for (const name of said)
    for (const element of document.querySelectorAll(`[${name}]`)) found.push(element.getAttribute(name));
  return [document.title, ...found].map((text) => text.replace(/\\s+/g, " ").trim()).filter((text) => text);
}"""


def english_left(tag, texts):
    """What of the texts is an English sentence of the catalogue that is said otherwise in this language."""
    messages = [message for message in catalogues.read(tag) if message.id]
    said = {text for message in messages for text in forms(message.string)}
    english = {text for message in messages for text in forms(message.id)} - said
    patterns = [pattern_of(text) for text in english if has_words(text)]
    strange = [text for text in texts if text not in said | OWN]
    return sorted({text for text in strange if any(pattern.search(text) for pattern in patterns)})


def forms(texts):
    return (texts,) if isinstance(texts, str) else texts


def has_words(text):
    """What holds little but values ("%s of %s") looks the same in every language."""
    return sum(map(str.isalpha, catalogues.PLACEHOLDER.sub("", text))) >= 4


def pattern_of(text):
    pattern = VALUE.join(re.escape(part) for part in catalogues.PLACEHOLDER.split(text))
    return re.compile(pattern if len(text) >= SAYS else f"^{pattern}$")


def opened(browser, **more):
    context = browser.new_context(**{**QUIET, **more})
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def speak(tab, router, tag):
    cookie = {"name": "__Host-language", "value": tag, "url": router.url, "secure": True}
    tab.context.add_cookies([cookie])


@pytest.fixture(scope="module")
def home(browser, tmp_path_factory):
    """(router, tab of its owner) for every test of this file that changes neither."""
    router = AdminPage(tmp_path_factory.mktemp("home"))
    tab = opened(browser)
    set_up(tab, router)
    yield router, tab
    tab.context.close()
    router.stop()


# --- chosen, switched, kept -----------------------------------------------------------------------


def test_a_german_browser_is_greeted_in_german_switches_to_turkish_and_keeps_it(browser, home):
    tab = opened(browser, locale="de-CH")
    tab.goto(home[0].url)
    expect(tab.get_by_role("heading", name="Melden Sie sich an Ihrem Router an")).to_be_visible()
    expect(tab.locator("html")).to_have_attribute("lang", "de")
    tab_to(tab, "Sprache: Deutsch")
    tab.keyboard.press("Enter")
    tab_to(tab, "Türkçe")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name="Yönlendiricinizde oturum açın")).to_be_visible()
    expect(tab.locator("html")).to_have_attribute("lang", "tr")
    tab.reload()
    expect(tab.get_by_role("button", name="Devam")).to_be_visible()
    other = tab.context.new_page()
    other.goto(home[0].url + "/setup")
    expect(other.locator("html")).to_have_attribute("lang", "tr")
    cookie = next(cookie for cookie in tab.context.cookies() if cookie["name"] == "__Host-language")
    assert (cookie["sameSite"], cookie["secure"], cookie["httpOnly"]) == ("Strict", True, True)
    tab.context.close()


def test_the_switch_needs_no_script_and_leads_back_to_its_page(browser, home):
    tab = opened(browser, java_script_enabled=False)
    tab.goto(home[0].url + "/signin?because=out")
    tab.get_by_text("Language: English").click()
    buttons = tab.locator(".languages button")
    assert buttons.all_inner_texts() == [language.name for language in languages.LANGUAGES]
    assert all(
        button.bounding_box()["height"] >= 44
        for button in [*buttons.all(), tab.locator(".languages summary")]
    )
    expect(tab.get_by_role("button", name="English")).to_have_attribute("aria-current", "true")
    tab.get_by_role("button", name="Français").click()
    expect(tab.get_by_text("Vous êtes déconnecté.")).to_be_visible()
    assert tab.url == home[0].url + "/signin?because=out"
    tab.context.close()


def test_whoever_is_signed_in_stays_so_and_live_values_speak_the_page_s_own_language(browser, home):
    router, tab = home
    tab.goto(router.url + "/devices")
    tab.get_by_text("Language: English").click()
    tab.get_by_role("button", name="Nederlands").click()
    expect(tab.get_by_role("heading", name="In het thuisnetwerk")).to_be_visible()
    german = tab.context.new_page()
    speak(tab, router, "de")
    german.goto(router.url + "/")
    router.tell("cut")
    expect(german.get_by_role("heading", name="Kein Internet")).to_be_visible()
    router.tell("alone")  # the page Devices still speaks Dutch, although the browser's language is German now
    expect(tab.get_by_text("Nog geen apparaat heeft zich gemeld.")).to_be_visible()
    router.tell("join")
    expect(german.get_by_role("heading", name="Das Internet funktioniert")).to_be_visible()
    german.close()


def test_an_error_is_said_in_the_reader_s_language(browser, home):
    tab = opened(browser, locale="uk")
    tab.goto(home[0].url)
    tab.get_by_label("Пароль").fill("not the one")
    tab.keyboard.press("Enter")
    expect(tab.locator("#password-error")).to_have_text("Це не пароль. Спробуйте ще раз.")
    tab.goto(home[0].url + "/nowhere")
    expect(tab.get_by_role("heading")).to_have_text("Такої сторінки на цьому роутері немає.")
    tab.context.close()


def test_two_readers_who_ask_by_turns_each_hear_their_own(home):
    for _ in range(3):
        for tag, title in (("ru", "Войти"), ("fr", "Se connecter"), ("nl", "Aanmelden"), ("en", "Sign in")):
            _status, _headers, body = home[0].ask("GET", "/signin", Accept_Language=tag)
            assert f"<title>{title} · Gatelodge</title>" in body


# --- nobody else's to switch ----------------------------------------------------------------------


def test_a_language_is_chosen_by_a_form_of_this_router_alone(home):
    ask = home[0].ask
    assert ask("GET", "/language/de")[0] == 405
    assert ask("POST", "/language/xx")[0] == 404
    for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Origin": "null"}):
        status, answered, _ = ask("POST", "/language/de", **headers)
        assert (status, answered["Set-Cookie"]) == (403, None)


@pytest.mark.parametrize(
    "referer, back",
    [
        ("{url}/security?x=1", "/security?x=1"),
        ("https://evil.example/security", "/"),
        ("{url}.evil.example/security", "/"),
        ("{url}//evil.example/", "/"),
        ("{url}/\\evil.example/", "/"),
        ("{url}/\t/evil.example/", "/"),
        ("", "/"),
    ],
)
def test_a_switch_leads_back_to_this_router_alone(home, referer, back):
    status, headers, _ = home[0].ask("POST", "/language/de", Referer=referer.format(url=home[0].url))
    assert (status, headers["Location"]) == (303, back)


# --- whole, and in its place ----------------------------------------------------------------------


@pytest.mark.parametrize("tag", catalogues.TAGS)
def test_every_page_is_whole_in_every_language(home, tag):
    router, tab = home
    speak(tab, router, tag)
    for path in PAGES:
        tab.goto(router.url + path)
        tab.locator("main").wait_for()
        assert english_left(tag, tab.evaluate(TEXTS)) == [], path
        assert tab.evaluate(SPILL) + tab.evaluate(CROWDED) == [], path
    for path in ("/security", "/system"):
        tab.goto(router.url + path)
        tab.locator("[data-open]").first.click()
        tab.locator("dialog[open]:not(#prove)").wait_for()
        assert english_left(tag, tab.evaluate(TEXTS)) == [], path
        assert tab.evaluate(SPILL) + tab.evaluate(CROWDED) == [], path


@pytest.mark.parametrize("tag", catalogues.TAGS)
def test_the_way_in_is_whole_in_every_language(browser, home, router, tag):
    tab = opened(browser, locale=tag)
    tab.goto(router.url)
    assert english_left(tag, tab.evaluate(TEXTS)) == []
    assert tab.evaluate(SPILL) + tab.evaluate(CROWDED) == []
    tab.goto(home[0].url)
    assert english_left(tag, tab.evaluate(TEXTS)) == []
    tab.locator("#password").fill("a lantern above the river gate")
    tab.keyboard.press("Enter")
    tab.locator("#code").wait_for()
    assert english_left(tag, tab.evaluate(TEXTS)) == []
    assert tab.evaluate(SPILL) + tab.evaluate(CROWDED) == []
    tab.context.close()


def test_an_english_sentence_that_is_left_is_seen():
    assert english_left("de", ["Abmelden", "Sign out"]) == ["Sign out"]
    assert english_left("de", ["vor 3 Minuten", "3 minutes ago"]) == ["3 minutes ago"]
    assert english_left("de", ["Cloud", "Ein Satz. The time is not known yet. Noch einer."]) != []


@pytest.mark.parametrize("tag", ["de", "ru"])
def test_axe_finds_nothing_in_another_language(home, tag):
    router, tab = home
    speak(tab, router, tag)
    for path in ("/", "/security"):
        tab.goto(router.url + path)
        tab.locator(".languages summary").click()
        assert faults(tab) == [], path


@pytest.mark.parametrize("tag", LONGEST)
def test_the_longest_language_is_small_on_the_wire(browser, home, tag):
    router, tab = home
    newcomer, weights = opened(browser, locale=tag), []
    newcomer.on("requestfinished", lambda request: weights.append(weight_of(request)))
    newcomer.goto(router.url + "/signin", wait_until="networkidle")
    assert sum(weights) <= FIRST_LOAD_BYTES
    newcomer.context.close()
    speak(tab, router, tag)
    for path in PAGES:
        with tab.expect_event(
            "requestfinished", lambda request, path=path: request.url == router.url + path
        ) as page:
            tab.goto(router.url + path)
        assert weight_of(page.value) <= LATER_LOAD_BYTES, path


def test_numbers_and_times_are_written_as_the_reader_does(home):
    router, tab = home
    speak(tab, router, "de")
    tab.goto(router.url + "/internet")
    expect(tab.locator("[data-live='line.link']")).to_have_text("Verbunden, 1,0 Gbit/s")
    tab.goto(router.url + "/system")
    shown = tab.locator("[data-live='clock.now']").inner_text()
    assert re.fullmatch(r"\d{1,2}\.\s\S+\s\d{4}, \d\d:\d\d\sUTC", shown)
    expect(tab.locator("[data-live='router.memory']").first).to_contain_text(re.compile(r"^\d+,\d [GM]B von"))
