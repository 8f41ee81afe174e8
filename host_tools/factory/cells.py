"""How much of a terminal's line a text takes: wide letters take two cells, combining marks none."""

import unicodedata


def width(text: str) -> int:
    return sum(map(_cells, text))


def cut(text: str, cells: int) -> str:
    """The beginning of the text, as far as there is room."""
    used = 0
    for at, letter in enumerate(text):
        used += _cells(letter)
        if used > cells:
            return text[:at]
    return text


def column(text: str, cells: int) -> str:
    """Exactly so many cells: the end of a longer text, a shorter one with spaces behind it."""
    while width(text) > cells:
        text = text[1:]
    return text + " " * (cells - width(text))


def _cells(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1
