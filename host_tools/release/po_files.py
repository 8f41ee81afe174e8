"""Translators' files, one for each language: GNU gettext's .po, merged with the code's sentences and checked.

The router's pages and the cloud's each have a set of them (catalogues.py, cloud/languages/sources.py). The
same sentences give the same bytes: no date, no name, no line number.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from gatelodge.contract import languages

from host_tools.release import places

TAGS = tuple(language.tag for language in languages.LANGUAGES if language is not languages.ENGLISH)

Sentence = str | tuple[str, str]  # (one, many) where it counts
# What is wrong with the translations of an English text, beside what every file is checked for.
Misspelt = Callable[[str, list[str]], Iterable[str]]


def key_of(sentence: str | Sequence[str]) -> str:
    return sentence if isinstance(sentence, str) else sentence[0]


def is_translated(message: Message) -> bool:
    return all(texts_of(message))


def texts_of(message: Message) -> list[str]:
    """What is translated: one text, or a form for each count. An empty one is missing."""
    texts = message.string
    return [text or "" for text in ([texts] if isinstance(texts, str) or texts is None else texts)]


def read(path: Path, tag: str) -> Catalog:
    """Empty where there is no file yet."""
    if not path.exists():
        return Catalog(locale=tag)
    with path.open("rb") as file:
        return read_po(file, locale=tag)


def merged(before: Catalog, said: Mapping[Sentence, Iterable[str]], plural_forms: str) -> Catalog:
    """Exactly these sentences, with what was translated of them. said: the files that say each."""
    after = Catalog(locale=before.locale)
    after.mime_headers = [("Plural-Forms", plural_forms)]
    for sentence, files in said.items():
        old = before.get(key_of(sentence))
        # Names of files only: a line number would change a translator's file with every change of the code.
        locations = [(name, 0) for name in files]
        if old is None or isinstance(old.id, str) != isinstance(sentence, str):
            after.add(sentence, None, locations)
        else:
            flags = old.flags & {"fuzzy"}
            after.add(sentence, old.string, locations, flags=flags, user_comments=old.user_comments)
    return after


def write(path: Path, catalog: Catalog, what: str, **order: Any) -> None:
    """what: is translated. order: of Babel's write_po, sort_output or sort_by_file."""
    out = io.BytesIO()
    write_po(out, catalog, width=110, omit_header=True, include_lineno=False, **order)
    places.write_whole(path, _header(catalog, what).encode() + out.getvalue())


def faults(tag: str, catalog: Catalog, sentences: Iterable[Sentence], misspelt: Misspelt) -> list[str]:
    """A line for each sentence that is missing, unused, untranslated, uncertain or misspelt."""
    wanted = {key_of(sentence): sentence for sentence in sentences}
    written = {key_of(message.id): message for message in catalog if message.id}
    found = [f"{tag}: missing: {name}" for name in wanted if name not in written]
    found += [f"{tag}: unused: {name}" for name in written if name not in wanted]
    for name in wanted.keys() & written.keys():
        found += [f"{tag}: {what}: {name}" for what in _faults_of(tag, wanted[name], written[name], misspelt)]
    if languages.BY_TAG[tag].forms != catalog.num_plurals:
        found.append(f"{tag}: the header tells another number of plural forms than languages.py")
    return sorted(found)


def _faults_of(tag: str, sentence: Sentence, message: Message, misspelt: Misspelt) -> Iterator[str]:
    counts, texts = isinstance(sentence, tuple), texts_of(message)
    forms = languages.BY_TAG[tag].forms if counts else 1
    if counts == isinstance(message.id, str) or len(texts) != forms:
        yield "wrong number of plural forms"
    if not all(texts):
        yield "untranslated"
    elif message.fuzzy:
        yield "fuzzy"
    else:
        yield from misspelt(key_of(sentence), texts)


def _header(catalog: Catalog, what: str) -> str:
    fields = {
        "Project-Id-Version": "Gatelodge",
        "Language": str(catalog.locale_identifier),
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalog.plural_forms,
    }
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in fields.items())
    return f'# Gatelodge, {what}.\nmsgid ""\nmsgstr ""\n{lines}\n'
