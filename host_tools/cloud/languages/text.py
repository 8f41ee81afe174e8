"""Every sentence for a person goes through here, so that a catalogue of another language can answer for it.

    _("Your details are saved.")                        the sentence in the reader's language
    _("Use at most %(count)s characters.", count=80)    with named values
    ngettext("%(num)s day", "%(num)s days", 3)          one that counts
    N_("Your details are saved.")                       only marks it, in tables made once: `_` where shown

    speak("de", "Europe/Berlin")       from now on this task answers a reader of German
    with speaking(account.language):   for a while: a mail is written in the language of whom it is for

The English sentence is the key. No literal per cent sign stands in one: it comes as a value. What has no
translation is said in English, as the log always is. The reader belongs to the task (a context variable), and
to those that it starts: whoever writes to somebody else says to whom.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from babel.messages.pofile import read_po
from gatelodge.contract import languages

ENGLISH = languages.ENGLISH.tag
NAMES = {language.tag: language.name for language in languages.LANGUAGES}  # as their speakers write them
CATALOGUES = files("host_tools.cloud.languages").joinpath("catalogues")


class Reader(NamedTuple):
    tag: str = ENGLISH
    zone: str = "UTC"  # IANA's name


class Catalogue(NamedTuple):
    """texts: {sentence: its translation}, of one that counts {the one for 1: a form for each count}."""

    texts: Mapping[str, str | tuple[str, ...]]
    form: Callable[[int], int]


NOBODY = Reader()  # a task that answers nobody, such as a verb
_READER: ContextVar[Reader] = ContextVar("reader", default=NOBODY)


def reader() -> Reader:
    return _READER.get()


def speak(tag: str, zone: str = "") -> None:
    """To whom this task speaks from now on. What is not one of our languages is English."""
    _READER.set(_reader(tag, zone))


@contextmanager
def speaking(tag: str, zone: str = "") -> Iterator[None]:
    token = _READER.set(_reader(tag, zone))
    try:
        yield
    finally:
        _READER.reset(token)


def _reader(tag: str, zone: str) -> Reader:
    return Reader(tag if tag in NAMES else ENGLISH, zone or "UTC")


def N_(message: str) -> str:
    return message


def _(message: str, **values: object) -> str:
    found = find(message)
    return found % values if values else found


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    return find_counted(one, many, count) % {"num": count, **values}


def find(message: str) -> str:
    """The sentence in the reader's language, its placeholders still in it."""
    tag = _READER.get().tag
    if tag == ENGLISH:
        return message
    found = catalogue(tag).texts.get(message)
    return found if isinstance(found, str) else message


def find_counted(one: str, many: str, count: int) -> str:
    tag = _READER.get().tag
    spoken = catalogue(tag)
    forms = spoken.texts.get(one)
    if isinstance(forms, tuple):
        return forms[spoken.form(count)]
    return one if count == 1 else many


@cache
def catalogue(tag: str) -> Catalogue:
    """Read once, which takes a quarter of a second: the service does so before anybody asks."""
    source = CATALOGUES.joinpath(f"{tag}.po")
    if not source.is_file():
        return Catalogue({}, languages.BY_TAG[tag].plural)
    with source.open("rb") as file:
        found = read_po(file, locale=tag)
    texts: dict[str, str | tuple[str, ...]] = {}
    for message in found:
        if message.id and not message.fuzzy:
            one = message.id if isinstance(message.id, str) else message.id[0]
            string = message.string if isinstance(message.string, str) else tuple(message.string or ())
            if string and all(string):
                texts[one] = string
    return Catalogue(texts, languages.BY_TAG[tag].plural)


async def read_all() -> None:
    for tag in NAMES:
        await asyncio.to_thread(catalogue, tag)
