"""The catalogues: one .po file for each language (GNU gettext's form), merged with the code's sentences, and
checked against them.

`gatelodge languages update` writes them anew: a new sentence comes in empty, one that nobody says goes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po
from gatelodge.contract import languages

from host_tools.cloud.languages import marks
from host_tools.cloud.languages.marks import PLACEHOLDER, TAG, Sentence, key_of
from host_tools.release import catalogues, places
from host_tools.release.catalogues import header, is_translated, texts_of

FOLDER = marks.CLOUD / "languages" / "catalogues"
TAGS = tuple(language.tag for language in languages.LANGUAGES if language is not languages.ENGLISH)


@cache
def keys() -> dict[Sentence, list[str]]:
    return marks.keys()


def source_path(tag: str) -> Path:
    return FOLDER / f"{tag}.po"


def read(tag: str) -> Catalog:
    return catalogues.read_file(source_path(tag), tag)


def update(tag: str) -> Path:
    """Write the file of a language with exactly the code's sentences, keeping what is translated."""
    before, after = read(tag), Catalog(locale=tag)
    after.mime_headers = [("Plural-Forms", catalogues.read(tag).plural_forms)]  # as the router counts
    for sentence, said in keys().items():
        old = before.get(key_of(sentence))
        locations = [(name, 0) for name in said]
        if old is None or isinstance(old.id, str) != isinstance(sentence, str):
            after.add(sentence, None, locations)
        else:
            flags = old.flags & {"fuzzy"}
            after.add(sentence, old.string, locations, flags=flags, user_comments=old.user_comments)
    out = io.BytesIO()
    # A sentence moves in the file only when its words change: translators' work merges line by line.
    write_po(out, after, width=110, omit_header=True, sort_output=True, include_lineno=False)
    places.write_whole(
        source_path(tag), header(after, "the pages and mails of the cloud").encode() + out.getvalue()
    )
    return source_path(tag)


def faults(tag: str) -> list[str]:
    """Return a line for each sentence that is missing, unused, untranslated, uncertain or misspelt."""
    found, catalog = [], read(tag)
    wanted = {key_of(sentence): sentence for sentence in keys()}
    written = {first_of(message): message for message in catalog if message.id}
    found += [f"{tag}: missing: {name}" for name in wanted if name not in written]
    found += [f"{tag}: unused: {name}" for name in written if name not in wanted]
    for name in wanted.keys() & written.keys():
        found += [f"{tag}: {what}: {name}" for what in faults_of(tag, wanted[name], written[name])]
    if languages.BY_TAG[tag].forms != catalog.num_plurals:
        found.append(f"{tag}: the header tells another number of plural forms than languages.py")
    return sorted(found)


def first_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def faults_of(tag: str, sentence: Sentence, message: Message) -> Iterator[str]:
    counts = isinstance(sentence, tuple)
    forms = languages.BY_TAG[tag].forms if counts else 1
    if counts == isinstance(message.id, str) or len(texts_of(message)) != forms:
        yield "wrong number of plural forms"
    if not is_translated(message):
        yield "untranslated"
    elif message.fuzzy:
        yield "fuzzy"
    else:
        yield from wrong(key_of(sentence), texts_of(message))


def wrong(english: str, translations: list[str]) -> Iterator[str]:
    """What a page would show, or break on: a value that is lost, a tag, a quote that ends an attribute."""
    if any(
        sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(english)) for text in translations
    ):
        yield "wrong placeholders"
    if any("%" in PLACEHOLDER.sub("", text) for text in translations):
        yield "a per cent sign"
    if any(sorted(TAG.findall(text)) != sorted(TAG.findall(english)) for text in translations):
        yield "wrong tags"
    if any(set('"<>') & set(TAG.sub("", text)) for text in translations):
        yield "a sign that HTML takes for its own"
    if any(text != text.strip() for text in translations) and english == english.strip():
        yield "a space at its end"
