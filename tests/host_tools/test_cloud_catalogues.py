"""The catalogues of the cloud: every sentence of its code and templates, whole, in every language."""

import gettext
import textwrap

import pytest
from gatelodge.contract import languages

from host_tools.cloud.languages import marks, sources, text

HINT = "run `gatelodge languages update`, and translate what is empty"


@pytest.mark.parametrize("tag", sources.TAGS)
def test_a_catalogue_has_every_sentence_of_the_cloud_and_no_other(tag):
    faults = sources.faults(tag)
    assert not faults, "\n".join([HINT, *faults])


@pytest.mark.parametrize("tag", sources.TAGS)
def test_the_cloud_counts_as_the_router_does(tag):
    rule = gettext.c2py(sources.read(tag).plural_expr)
    assert [languages.BY_TAG[tag].plural(count) for count in range(250)] == [rule(n) for n in range(250)]


def test_every_mark_can_be_given_to_a_translator():
    assert marks.unclear() == []


# --- what marks a sentence ------------------------------------------------------------------------


@pytest.fixture
def marked(tmp_path):
    def write(name, source):
        (tmp_path / name).write_text(textwrap.dedent(source), encoding="utf-8")
        return marks.keys(tmp_path), marks.unclear(tmp_path)

    return write


def test_code_marks_by_calls_and_a_template_by_calls_and_blocks(marked):
    marked(
        "a.py",
        '_("One.")\nN_("Two.")\nngettext("%(num)s day", "%(num)s days", 3)\nRefusedError("x", "Three.")',
    )
    found, unclear = marked(
        "b.html",
        """
        {{ _("Four, %(name)s.", name=name) }} {{ _("One.") }}
        {% trans name=name %}Five:
          <strong>{{ name }}</strong>.{% endtrans %}
        """,
    )
    days = ("%(num)s day", "%(num)s days")
    assert set(found) == {
        "One.", "Two.", "Three.", days, "Four, %(name)s.", "Five: <strong>%(name)s</strong>.",
    }  # fmt: skip
    assert found["One."] == ["a.py", "b.html"]
    assert unclear == []


@pytest.mark.parametrize(
    "name, source",
    [
        ("a.py", '_(f"Use {n} characters.")'),
        ("a.py", 'RefusedError("code", "Wait " + time)'),
        ("a.py", 'N_("")'),
        ("a.py", '_("Half: 50 %")'),
        ("a.py", '_("Use %d characters.")'),
        ("a.html", "{{ _(notice) }}"),  # a value would come in with its tags
        ("a.html", '{{ _("Delivered: " ~ said) }}'),
        ("a.html", '{{ _("100 %") }}'),
    ],
)
def test_a_mark_that_no_translator_can_read_is_told(marked, name, source):
    assert len(marked(name, source)[1]) == 1


def test_a_name_says_what_was_marked_elsewhere(marked):
    assert marked("a.py", "_(NOTICE)\n_(row.title)\n_(TITLES[kind])") == ({}, [])


# --- a test that cannot fail is none: every fault is seen -----------------------------------------


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A cloud that says three sentences, with a German catalogue of the test's choice."""
    said = {
        "Sign in": ["a.py"],
        ("%(num)s day", "%(num)s days"): ["b.py"],
        "Read the <a>terms</a>.": ["c.html"],
    }
    monkeypatch.setattr(sources, "keys", lambda: said)
    monkeypatch.setattr(sources, "FOLDER", tmp_path)

    def write(entries):
        content = sources.update("de").read_text(encoding="utf-8")
        for before, after in entries:
            assert before in content
            content = content.replace(before, after)
        sources.source_path("de").write_text(content, encoding="utf-8")
        return sources.faults("de")

    return write


WELL = (
    ('msgid "Sign in"\nmsgstr ""', 'msgid "Sign in"\nmsgstr "Anmelden"'),
    ('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "%(num)s Tag"\nmsgstr[1] "%(num)s Tage"'),
    ('terms</a>."\nmsgstr ""', 'terms</a>."\nmsgstr "Lesen Sie die <a>Bedingungen</a>."'),
)


def test_a_whole_catalogue_has_no_fault(small):
    assert small(WELL) == []


@pytest.mark.parametrize(
    "change, fault",
    [
        (('msgstr "Anmelden"', 'msgstr ""'), "untranslated: Sign in"),
        (('msgid "Sign in"', 'msgid "Sign on"'), "missing: Sign in"),
        (('msgid "Sign in"', 'msgid "Sign on"'), "unused: Sign on"),
        (('msgid "Sign in"', '#, fuzzy\nmsgid "Sign in"'), "fuzzy: Sign in"),
        (('"%(num)s Tage"', '"Tage"'), "wrong placeholders: %(num)s day"),
        (('"%(num)s Tage"', '"%(nun)s Tage"'), "wrong placeholders: %(num)s day"),
        (('"%(num)s Tage"', '"%(num)d Tage"'), "a per cent sign: %(num)s day"),
        (("<a>Bedingungen</a>", "Bedingungen"), "wrong tags: Read the <a>terms</a>."),
        (('"Anmelden"', '"\\"Anmelden\\""'), "a sign that HTML takes for its own: Sign in"),
        (('"Anmelden"', '"Anmelden "'), "a space at its end: Sign in"),
        (("nplurals=2", "nplurals=3"), "the header tells another number of plural forms than languages.py"),
    ],
)
def test_every_fault_is_told(small, change, fault):
    assert f"de: {fault}" in small((*WELL, change))


def test_an_update_keeps_what_is_translated_and_drops_what_is_gone(small, monkeypatch):
    small(WELL)
    monkeypatch.setattr(sources, "keys", lambda: {"Sign in": ["a.py"], "New": ["c.py"]})
    before = sources.update("de").read_bytes()
    translations = {message.id: message.string for message in sources.read("de") if message.id}
    assert translations == {"Sign in": "Anmelden", "New": ""}
    assert sources.update("de").read_bytes() == before


# --- what is said ---------------------------------------------------------------------------------


@pytest.fixture
def german(monkeypatch, tmp_path, small):
    small(WELL)
    monkeypatch.setattr(text, "CATALOGUES", tmp_path)
    text.catalogue.cache_clear()
    yield
    text.catalogue.cache_clear()


def test_the_reader_s_language_answers_and_english_where_nothing_is_translated(german):
    with text.speaking("de"):
        assert text._("Sign in") == "Anmelden"
        assert [text.ngettext("%(num)s day", "%(num)s days", n) for n in (1, 3)] == ["1 Tag", "3 Tage"]
        assert text._("Not translated, %(name)s.", name="Ada") == "Not translated, Ada."
        with text.speaking("fr"):
            assert text._("Sign in") == "Sign in"
        assert text._("Sign in") == "Anmelden"
    assert text._("Sign in") == "Sign in"


def test_a_language_that_is_not_ours_is_english():
    with text.speaking("../de", "Europe/Berlin"):
        assert text.reader() == text.Reader("en", "Europe/Berlin")
