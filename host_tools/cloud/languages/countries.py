"""The names of countries in the reader's language, in the order of its alphabet."""

from __future__ import annotations

import unicodedata
from functools import cache

from host_tools.cloud.accounts.countries import COUNTRIES
from host_tools.cloud.languages.figures import LOCALES
from host_tools.cloud.languages.text import ENGLISH, reader

# Where the order of code points is not the alphabet's, also without the marks over letters.
ALPHABETS = {
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "tr": "abcçdefgğhıijklmnoöpqrsştuüvwxyz",
}


def countries() -> dict[str, str]:
    """{code: name}"""
    return _names(reader().tag)


def country(code: str) -> str:
    """What is none of ours is its code."""
    return countries().get(code, code)


@cache
def _names(tag: str) -> dict[str, str]:
    if tag == ENGLISH:
        return COUNTRIES
    known = LOCALES[tag].territories
    names = {code: str(known.get(code, english)) for code, english in COUNTRIES.items()}
    return dict(sorted(names.items(), key=lambda row: _place(row[1], tag)))


def _place(name: str, tag: str) -> list[tuple[int, str]]:
    alphabet = ALPHABETS.get(tag, "")
    small = name.replace("İ", "i").replace("I", "ı") if tag == "tr" else name
    letters = [letter for letter in small.lower() if letter.isalpha()]
    known = [letter if letter in alphabet else _plain(letter) for letter in letters]
    return [(alphabet.find(letter), letter) for letter in known]


def _plain(letter: str) -> str:
    """Without its mark: Österreich stands among the words with O."""
    return unicodedata.normalize("NFKD", letter)[0]
