"""A language that marks what went through a catalogue, and so tells the English that nobody marked.

with spoken():               Dutch becomes it, for the whole process
    unmarked(page.text)      lines of a page, of which nothing is known to any catalogue
"""

import re
from contextlib import contextmanager
from html.parser import HTMLParser
from types import SimpleNamespace

from host_tools.cloud.languages import marks, text

TAG = "nl"
BEGIN, END = "\u27e6", "\u27e7"  # white square brackets
MARKED = re.compile(f"{BEGIN}[^{BEGIN}{END}]*{END}")
WORDS = re.compile(r"[^\W\d_]{2,}")
SAID = ("aria-label", "placeholder", "alt", "data-words", "data-show", "data-hide", "data-copied")
INLINE = ("a", "b", "strong", "span", "time", "code", "i", "em")
VOID = ("meta", "link", "input", "br", "hr", "img", "path", "rect", "source")
# Of others than us: what people wrote, names of countries, zones and languages, what is typed as it stands.
THEIRS = re.compile(
    r'class="[^"]*\b(letter|serial|mono|key|codes|log)\b|id="(country|time_zone|language)"|\blang="'
)
NO_TEXT = ("script", "style", "noscript", "code", "pre", "svg")


@contextmanager
def spoken():
    known = text.catalogue
    sentences = marks.keys()
    texts = {marks.key_of(row): _marked(row) for row in sentences}
    pseudo = text.Catalogue(texts, known("en").form)
    text.catalogue = lambda tag: pseudo if tag == TAG else known(tag)
    try:
        yield
    finally:
        text.catalogue = known


def _marked(sentence):
    if isinstance(sentence, str):
        return f"{BEGIN}{sentence}{END}"
    return tuple(f"{BEGIN}{form}{END}" for form in sentence)


def unmarked(html, known=()):
    """known: what a test has brought in itself."""
    reader = Reader()
    reader.feed(html)
    return unmarked_lines("".join(reader.parts), known)


def unmarked_lines(said, known=()):
    while MARKED.search(said):
        said = MARKED.sub(" ", said)
    for each in ("Gatelodge", *known):
        said = said.replace(each, " ")
    lines = (" ".join(line.split()) for line in said.splitlines())
    return [line for line in lines if WORDS.search(line)]


class Reader(HTMLParser):
    """What a person reads or hears of a page, one line for each block; our own words alone."""

    def __init__(self):
        super().__init__()
        self.parts = []
        self._skipped = SimpleNamespace(tag="", depth=0)

    def handle_starttag(self, tag, attrs):
        if tag == "br":
            self.parts.append("\n")
        if tag in VOID:
            return
        if self._skipped.depth:
            self._skipped.depth += tag == self._skipped.tag
            return
        if tag in NO_TEXT or (tag != "html" and THEIRS.search(self.get_starttag_text())):
            self._skipped = SimpleNamespace(tag=tag, depth=1)
            return
        self.parts += [f"\n{value}\n" for name, value in attrs if name in SAID and value]
        if tag not in INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        if self._skipped.depth:
            self._skipped.depth -= tag == self._skipped.tag
        elif tag not in INLINE:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self._skipped.depth:
            self.parts.append(data)
