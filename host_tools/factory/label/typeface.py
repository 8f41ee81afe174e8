"""The faces that labels are set in: Roboto for words, JetBrains Mono for what is typed.

Widths are sums of advances, without kerning: a text is as wide in SVG, PDF and PNG as it is measured here.
A width or height without a unit is in em.
"""

import functools
from pathlib import Path

from fontTools.pens.svgPathPen import SVGPathPen  # type: ignore[import-untyped]
from fontTools.pens.transformPen import TransformPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from host_tools import exit_codes
from host_tools.errors import ToolError

ROBOTO = Path("/usr/share/fonts/truetype/roboto/unhinted/RobotoTTF")
MONO = Path("/usr/share/fonts/truetype/jetbrains-mono")

WORDS, STRONG, CODE, DIGITS = "words", "strong", "code", "digits"
FILES = {
    WORDS: ROBOTO / "Roboto-Regular.ttf",
    STRONG: ROBOTO / "Roboto-Medium.ttf",
    CODE: MONO / "JetBrainsMono-Bold.ttf",
    DIGITS: MONO / "JetBrainsMono-Medium.ttf",
}
CAP_HEIGHT = 0.73  # of the tallest of them, JetBrains Mono; Roboto's is 0.711


class Face:
    def __init__(self, path: Path):
        self.path = path
        try:
            self._font = TTFont(path)
        except OSError as error:
            remedy = "run `apt-get install fonts-roboto-unhinted fonts-jetbrains-mono`"
            raise ToolError(
                f"the labels' typeface {path} is missing", remedy, exit_codes.MISSING_TOOL
            ) from error
        self._names = self._font.getBestCmap()
        self._glyphs = self._font.getGlyphSet()
        self._em = self._font["head"].unitsPerEm
        self._advances: dict[str, float] = {}  # at most as many as the face has characters

    def lacks(self, text: str) -> str:
        """Return the first character that the face has not, or nothing."""
        return next((character for character in text if ord(character) not in self._names), "")

    def advance(self, character: str) -> float:
        if character not in self._advances:
            self._advances[character] = self._glyphs[self._names[ord(character)]].width / self._em
        return self._advances[character]

    def width(self, text: str) -> float:
        return sum(map(self.advance, text))

    def outline(self, text: str, x: float, y: float, size: float) -> str:
        """Return the text as the steps of an SVG path; (x, y) is where its base line begins."""
        pen = SVGPathPen(self._glyphs, ntos=_number)
        scale = size / self._em
        for character in text:
            glyph = self._glyphs[self._names[ord(character)]]
            glyph.draw(TransformPen(pen, (scale, 0, 0, -scale, x, y)))
            x += glyph.width * scale
        return pen.getCommands()


@functools.cache
def face(name: str) -> Face:
    """Return the face of this name. Raises ToolError when its file is missing."""
    return Face(FILES[name])


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
