"""The catalogues of the router's pages: sentences found in the firmware, merged into one .po file for each
language, checked, and compiled for the router (firmware/gatelodge/contract/catalogue.py tells the form).

Sources are GNU gettext's .po files, which every translator's tool reads. `gatelodge languages update` writes
them anew from the code: a new sentence comes in empty, an old one goes.
"""

import ast
import io
import re
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from gatelodge.contract import catalogue as form
from gatelodge.contract import languages

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import places

FOLDER = places.FIRMWARE / "gatelodge" / "catalogues"
TAGS = tuple(language.tag for language in languages.LANGUAGES if language is not languages.ENGLISH)

# What marks a sentence, with how many texts (gatelodge/text.py).
MARKS = {"_": 1, "N_": 1, "P_": 2}

Sentence = str | tuple[str, str]  # (one, many) where it counts

PLACEHOLDER = re.compile(r"%(?:\.\d+)?[sdfr]|%%|\{\w+\}")


def source_path(tag: str) -> Path:
    return FOLDER / f"{tag}.po"


# --- the code's sentences ------------------------------------------------------------------------


def keys() -> dict[Sentence, list[tuple[str, int]]]:
    """Return {sentence, or (one, many): where it is said} of the whole firmware."""
    found: dict[Sentence, list[tuple[str, int]]] = {}
    for path in sorted((places.FIRMWARE / "gatelodge").rglob("*.py")):
        name = path.relative_to(places.FIRMWARE / "gatelodge").as_posix()
        for line, sentence in _marked(path):
            found.setdefault(sentence, []).append((name, line))
    return found


def _marked(path: Path) -> Iterator[tuple[int, Sentence]]:
    """Calls of the marks with nothing but texts. A call with a name in it says what was marked elsewhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            texts = [value for value in values if isinstance(value, str)]
            if len(texts) == len(node.args) == MARKS[node.func.id]:
                yield node.lineno, (texts[0], texts[1]) if len(texts) == 2 else texts[0]


# --- the translators' files ----------------------------------------------------------------------


def read(tag: str) -> Catalog:
    return read_file(source_path(tag), tag)


def read_file(path: Path, tag: str) -> Catalog:
    """Empty where there is no file yet."""
    if not path.exists():
        return Catalog(locale=tag)
    with path.open("rb") as file:
        return read_po(file, locale=tag)


def update(tag: str) -> Path:
    """Write the file of a language with exactly the code's sentences, keeping what is translated."""
    before, after = read(tag), Catalog(locale=tag)
    # The file's own rule, which languages.py has too: Babel's changes with its release of CLDR.
    after.mime_headers = [("Plural-Forms", before.plural_forms)]
    for sentence, said in keys().items():
        old = before.get(_id(sentence))
        # Names of files only: a line number would change a translator's file with every change of the code.
        locations = [(name, 0) for name in dict.fromkeys(name for name, _ in said)]
        if old is None or isinstance(old.id, str) != isinstance(sentence, str):
            after.add(sentence, None, locations)
            continue
        flags = old.flags & {"fuzzy"}
        after.add(sentence, old.string, locations, flags=flags, user_comments=old.user_comments)
    out = io.BytesIO()
    write_po(out, after, width=110, omit_header=True, sort_by_file=True, include_lineno=False)
    places.write_whole(source_path(tag), header(after, "the pages of the router").encode() + out.getvalue())
    return source_path(tag)


def header(catalog: Catalog, what: str) -> str:
    """Without dates and names: the same sentences give the same file."""
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


def _id(sentence: str | Sequence[str]) -> str:
    return sentence if isinstance(sentence, str) else sentence[0]


def is_translated(message: Message) -> bool:
    return all(texts_of(message))


def texts_of(message: Message) -> list[str]:
    """What is translated: one text, or a form for each count. An empty one is missing."""
    texts = message.string
    return [text or "" for text in ([texts] if isinstance(texts, str) or texts is None else texts)]


# --- what is wrong with them ---------------------------------------------------------------------


def faults(tag: str) -> list[str]:
    """Return a line for each sentence that is missing, unused, untranslated, uncertain or misspelt."""
    found, catalog = [], read(tag)
    wanted = {_id(sentence): sentence for sentence in keys()}
    written = {_id(message.id): message for message in catalog if message.id}
    found += [f"{tag}: missing: {name}" for name in wanted if name not in written]
    found += [f"{tag}: unused: {name}" for name in written if name not in wanted]
    for name in wanted.keys() & written.keys():
        found += [f"{tag}: {what}: {name}" for what in _faults_of(tag, wanted[name], written[name])]
    if languages.BY_TAG[tag].forms != catalog.num_plurals:
        found.append(f"{tag}: the header tells another number of plural forms than languages.py")
    return sorted(found)


def _faults_of(tag: str, sentence: Sentence, message: Message) -> Iterator[str]:
    counts = isinstance(sentence, tuple)
    texts = texts_of(message)
    forms = languages.BY_TAG[tag].forms if counts else 1
    if counts == isinstance(message.id, str) or len(texts) != forms:
        yield "wrong number of plural forms"
    if not all(texts):
        yield "untranslated"
    elif message.fuzzy:
        yield "fuzzy"
    else:
        marks = placeholders(_id(sentence))
        if any(placeholders(text) != marks for text in texts):
            yield "wrong placeholders"


def placeholders(text: str) -> list[str]:
    """In the order in which they take their values; the named ones by name."""
    found = PLACEHOLDER.findall(text)
    return [mark for mark in found if mark[0] == "%"] + sorted(mark for mark in found if mark[0] == "{")


# --- what the router reads -----------------------------------------------------------------------


def compiled() -> dict[Path, bytes]:
    """Return {path: content} of the compiled catalogue of each language."""
    return {source_path(tag).with_suffix(".cat"): compile_catalog(read(tag)) for tag in TAGS}


def write_compiled() -> None:
    """Beside the sources, for a firmware that runs from them; those that are newer than theirs stay."""
    for tag in TAGS:
        source, target = source_path(tag), source_path(tag).with_suffix(".cat")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            places.write_whole(target, compile_catalog(read(tag)))


def compile_catalog(catalog: Catalog) -> bytes:
    """Return the file for the router. What is not translated, or not surely, is left out."""
    rows: dict[int, str] = {}
    for message in catalog:
        if not message.id or message.fuzzy or not is_translated(message):
            continue
        key = form.key_of(_id(message.id))
        if key in rows:
            raise ToolError(
                f"two sentences have the same checksum, one of them is {_id(message.id)!r}",
                "change a word of it",
                exit_codes.BUNDLE_BUILD,
            )
        rows[key] = form.PART.join(texts_of(message))
    data = [rows[key].encode() for key in sorted(rows)]
    place = form.HEAD_BYTES + form.ROW_BYTES * (len(rows) + 1)
    table = b""
    for key, text in zip([*sorted(rows), 0xFFFFFFFF], [*data, b""], strict=True):
        table += struct.pack(form.ROW, key, place)
        place += len(text)
    return struct.pack(form.HEAD, form.MAGIC, len(rows)) + table + b"".join(data)
