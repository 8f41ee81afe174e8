"""The cloud's catalogues: a .po file for each language, with what its code and templates mark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog

from host_tools.cloud.languages import marks
from host_tools.cloud.languages.marks import PLACEHOLDER, TAG
from host_tools.release import catalogues, po_files
from host_tools.release.po_files import Sentence

FOLDER = marks.CLOUD / "languages" / "catalogues"
TAGS = po_files.TAGS


@cache
def keys() -> dict[Sentence, list[str]]:
    return marks.keys()


def source_path(tag: str) -> Path:
    return FOLDER / f"{tag}.po"


def read(tag: str) -> Catalog:
    return po_files.read(source_path(tag), tag)


def update(tag: str) -> Path:
    """Write the file of a language with exactly the code's sentences, keeping what is translated."""
    after = po_files.merged(read(tag), keys(), catalogues.read(tag).plural_forms)  # as the router counts
    # A sentence moves in the file only when its words change: translators' work merges line by line.
    po_files.write(source_path(tag), after, "the pages and mails of the cloud", sort_output=True)
    return source_path(tag)


def faults(tag: str) -> list[str]:
    """As po_files.faults."""
    return po_files.faults(tag, read(tag), keys(), wrong)


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
