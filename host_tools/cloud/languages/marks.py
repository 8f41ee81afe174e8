"""The sentences that the portal's code and templates mark (languages/text.py), and marks that say nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jinja2 import nodes

from host_tools.cloud.pages.render import ENVIRONMENT
from host_tools.release.po_files import Sentence, key_of

CLOUD = Path(__file__).resolve().parents[1]

# What marks a sentence, and which of its arguments are texts: (one) or (one, many).
IN_CODE = {"_": (0,), "N_": (0,), "ngettext": (0, 1), "RefusedError": (1,)}
IN_TEMPLATES = {"_": (0,), "gettext": (0,), "ngettext": (0, 1)}  # {% trans %} becomes the latter two

PLACEHOLDER = re.compile(r"%\(\w+\)s")
TAG = re.compile(r"</?\w+>")


class Mark(NamedTuple):
    place: str  # a file of the cloud
    line: int
    sentence: Sentence | None  # None: nothing that a translator could be given


def keys(folder: Path = CLOUD) -> dict[Sentence, list[str]]:
    """Return {sentence: the files that say it}, sorted by sentence."""
    found: dict[Sentence, list[str]] = {}
    for mark in marks(folder):
        if mark.sentence is not None and mark.place not in found.setdefault(mark.sentence, []):
            found[mark.sentence].append(mark.place)
    return dict(sorted(found.items(), key=lambda row: key_of(row[0])))


def unclear(folder: Path = CLOUD) -> list[str]:
    """Return a line for each mark that cannot be translated."""
    found = []
    for place, line, sentence in marks(folder):
        if sentence is None:
            found.append(f"{place}:{line}: a mark holds the sentence itself, whole, with named placeholders")
        elif any("%" in PLACEHOLDER.sub("", text) for text in texts(sentence)):
            found.append(f"{place}:{line}: a per cent sign, or a placeholder without a name: {sentence}")
    return found


def texts(sentence: Sentence) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else sentence


def marks(folder: Path = CLOUD) -> Iterator[Mark]:
    for path in sorted(folder.rglob("*.py")):
        for line, sentence in _of_code(path.read_text(encoding="utf-8")):
            yield Mark(path.relative_to(folder).as_posix(), line, sentence)
    for path in sorted(folder.rglob("*.html")):
        for line, sentence in _of_template(path.read_text(encoding="utf-8")):
            yield Mark(path.relative_to(folder).as_posix(), line, sentence)


def _of_code(source: str) -> Iterator[tuple[int, Sentence | None]]:
    """A call with a name in it says what was marked elsewhere."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        places = IN_CODE.get(node.func.id, ())
        given = [node.args[place] for place in places if place < len(node.args)]
        if given and not all(isinstance(each, ast.Name | ast.Attribute | ast.Subscript) for each in given):
            yield (
                node.lineno,
                _sentence([each.value if isinstance(each, ast.Constant) else None for each in given]),
            )


def _of_template(source: str) -> Iterator[tuple[int, Sentence | None]]:
    """In a template a mark holds the sentence itself: it may have tags, which a value must not bring in."""
    for node in ENVIRONMENT.parse(source).find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name in IN_TEMPLATES:
            given = [node.args[place] for place in IN_TEMPLATES[node.node.name] if place < len(node.args)]
            yield (
                node.lineno,
                _sentence([each.value if isinstance(each, nodes.Const) else None for each in given]),
            )


def _sentence(values: list[object]) -> Sentence | None:
    said = [value for value in values if isinstance(value, str) and value]
    if not said or len(said) != len(values):
        return None
    return said[0] if len(said) == 1 else (said[0], said[1])
