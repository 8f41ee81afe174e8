"""The catalogues of the router's pages: complete, right, and compiled as the router reads them."""

import gettext
import struct

import pytest
from babel.messages.catalog import Catalog
from gatelodge import catalogue as reader
from gatelodge.contract import languages

from host_tools import cli, exit_codes
from host_tools.errors import ToolError
from host_tools.release import bundle, catalogues, po_files, verb_languages

HINT = "run `gatelodge languages update`, and translate what is empty"


@pytest.mark.parametrize("tag", catalogues.TAGS)
def test_a_catalogue_has_every_sentence_of_the_code_and_no_other(tag):
    faults = catalogues.faults(tag)
    assert not faults, "\n".join([HINT, *faults])


@pytest.mark.parametrize("tag", catalogues.TAGS)
def test_the_router_counts_as_the_header_of_the_translators_says(tag):
    catalog, language = catalogues.read(tag), languages.BY_TAG[tag]
    rule = gettext.c2py(catalog.plural_expr)
    assert [language.plural(count) for count in range(250)] == [rule(count) for count in range(250)]
    assert language.forms == catalog.num_plurals


@pytest.mark.parametrize("tag", catalogues.TAGS)
def test_the_router_reads_what_was_translated(tag, tmp_path):
    catalog = catalogues.read(tag)
    path = tmp_path / f"{tag}.cat"
    path.write_bytes(catalogues.compile_catalog(catalog))
    found = reader.Catalogue(str(path))
    said = [message for message in catalog if message.id and po_files.is_translated(message)]
    for message in said:
        if isinstance(message.id, str):
            assert found.find(message.id) == message.string
        else:
            assert found.find(message.id[0]).split("\0") == list(message.string)
    assert found.find("a sentence that nobody says") is None
    found.close()


@pytest.mark.parametrize("tag", catalogues.TAGS)
def test_months_and_units_keep_their_form(tag):
    catalog = catalogues.read(tag)
    assert len(catalog["Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"].string.split()) == 12
    assert len(catalog["bit/s,kbit/s,Mbit/s,Gbit/s"].string.split(",")) == 4


# --- a test that cannot fail is none: every fault is seen ------------------------------------------


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A firmware that says three sentences, with a German catalogue of the test's choice."""
    said = {"Sign in": [("a.py", 1)], "%s of %s": [("a.py", 2)], ("%d day", "%d days"): [("b.py", 3)]}
    monkeypatch.setattr(catalogues, "keys", lambda: said)
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)

    def write(entries):
        catalogues.update("de")
        path = catalogues.source_path("de")
        text = path.read_text(encoding="utf-8")
        for before, after in entries:
            assert before in text
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")
        return catalogues.faults("de")

    return write


WELL = (
    ('msgid "Sign in"\nmsgstr ""', 'msgid "Sign in"\nmsgstr "Anmelden"'),
    ('msgid "%s of %s"\nmsgstr ""', 'msgid "%s of %s"\nmsgstr "%s von %s"'),
    ('msgstr[0] ""\nmsgstr[1] ""', 'msgstr[0] "%d Tag"\nmsgstr[1] "%d Tage"'),
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
        (('"%s von %s"', '"%s von allen"'), "wrong placeholders: %s of %s"),
        (('"%s von %s"', '"%s von %d"'), "wrong placeholders: %s of %s"),
        (('"%d Tage"', '"Tage"'), "wrong placeholders: %d day"),
        (("nplurals=2", "nplurals=3"), "the header tells another number of plural forms than languages.py"),
        (('msgstr[1] "%d Tage"\n', ""), "untranslated: %d day"),
    ],
)
def test_every_fault_is_told(small, change, fault):
    assert f"de: {fault}" in small((*WELL, change))


def test_an_update_keeps_what_is_translated_and_drops_what_is_gone(small, monkeypatch):
    small(WELL)
    monkeypatch.setattr(catalogues, "keys", lambda: {"Sign in": [("a.py", 1)], "New": [("c.py", 1)]})
    before = catalogues.update("de").read_bytes()
    catalog = catalogues.read("de")
    assert {message.id: message.string for message in catalog if message.id} == {
        "Sign in": "Anmelden",
        "New": "",
    }
    assert catalogues.update("de").read_bytes() == before


def test_two_sentences_of_one_key_are_refused():
    catalog = Catalog(locale="de")
    for sentence in ("plumless", "buckeroo"):  # a known pair of one CRC-32
        catalog.add(sentence, "x")
    with pytest.raises(ToolError, match="checksum"):
        catalogues.compile_catalog(catalog)


def test_a_compiled_catalogue_has_the_rows_of_its_sentences():
    catalog = Catalog(locale="de")
    catalog.add("Sign in", "Anmelden")
    data = catalogues.compile_catalog(catalog)
    assert struct.unpack_from("<4sI", data) == (b"GLC1", 1)
    assert data.endswith(b"Anmelden")


def test_the_bundle_holds_what_was_compiled_and_no_source():
    assert [path.suffix for path in catalogues.compiled()] == [".cat"] * len(catalogues.TAGS)
    catalogues.write_compiled()  # what lies beside the sources may be of yesterday
    assert not [path for path in catalogues.FOLDER.iterdir() if bundle.is_asset(path)]


def test_the_verb_tells_the_faults_and_fails_on_them_when_asked(small, capsys, monkeypatch):
    monkeypatch.setattr(catalogues, "TAGS", ("de",))
    monkeypatch.setattr(verb_languages, "SIDES", {"router": catalogues})
    small(())
    assert cli.main(["languages", "update", "--check"]) == exit_codes.FAILED
    assert "router: de: untranslated: Sign in" in capsys.readouterr().out
    assert cli.main(["languages", "update"]) == exit_codes.OK
    small(WELL)
    assert cli.main(["languages", "update", "--check"]) == exit_codes.OK
