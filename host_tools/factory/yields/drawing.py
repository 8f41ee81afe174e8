"""What a chart is made of. Lengths are CSS pixels from the upper left; a tone is a name of tokens.css."""

import functools
import re
from importlib.resources import files
from typing import NamedTuple

SURFACE, LINE, WORDS, QUIET, GOOD, BAD = "card", "line", "text", "text-quiet", "series-1", "danger"
TONES = (SURFACE, LINE, WORDS, QUIET, GOOD, BAD)
START, MIDDLE, END = "start", "middle", "end"


class Bar(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    tone: str


class Rule(NamedTuple):
    """A hairline, level."""

    x: float
    y: float
    width: float
    tone: str


class Text(NamedTuple):
    x: float
    y: float  # of its base line
    text: str
    size: float
    tone: str
    anchor: str = START
    is_strong: bool = False


Mark = Bar | Rule | Text


class Drawing(NamedTuple):
    width: int
    height: int
    title: str
    summary: str  # for those who cannot see it
    marks: tuple[Mark, ...]


@functools.cache
def tokens_css() -> str:
    """The look: the router's page, the account and the bench have the same file."""
    return files("gatelodge.contract").joinpath("tokens.css").read_text("utf-8")


def light_tones() -> dict[str, str]:
    """{tone: "#rrggbb"}; the first colour of each name is the light one."""
    colours = re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b", tokens_css())
    return {name: colour for name, colour in reversed(colours) if name in TONES}
