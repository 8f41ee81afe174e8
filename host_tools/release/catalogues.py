"""The catalogues of the router's pages: sentences found in the firmware, merged into one .po file for each
language, checked, and compiled for the router (firmware/gatelodge/contract/catalogue.py tells the form).

`gatelodge languages update` writes the sources anew from the code: a new sentence comes in empty, an old one
goes.
"""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from gatelodge.contract import catalogue as form

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.release import places, po_files
from host_tools.release.po_files import Sentence, is_translated, key_of, texts_of

FOLDER = places.FIRMWARE / "gatelodge" / "catalogues"
TAGS = po_files.TAGS

# What marks a sentence, with how many texts (gatelodge/text.py).
MARKS = {"_": 1, "N_": 1, "P_": 2}

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
    return po_files.read(source_path(tag), tag)


def update(tag: str) -> Path:
    """Write the file of a language with exactly the code's sentences, keeping what is translated."""
    before = read(tag)
    said = {sentence: dict.fromkeys(name for name, _ in where) for sentence, where in keys().items()}
    # The file's own rule, which languages.py has too: Babel's changes with its release of CLDR.
    after = po_files.merged(before, said, before.plural_forms)
    po_files.write(source_path(tag), after, "the pages of the router", sort_by_file=True)
    return source_path(tag)


def faults(tag: str) -> list[str]:
    """As po_files.faults."""
    return po_files.faults(tag, read(tag), keys(), _misspelt)


def _misspelt(english: str, translations: list[str]) -> Iterator[str]:
    marks = placeholders(english)
    if any(placeholders(text) != marks for text in translations):
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
        key = form.key_of(key_of(message.id))
        if key in rows:
            raise ToolError(
                f"two sentences have the same checksum, one of them is {key_of(message.id)!r}",
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
