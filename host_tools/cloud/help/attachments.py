"""What may be attached: known by what it is, not by what it is called.

Archives are none of them: nobody sees what is in one before it is open.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from host_tools.cloud.accounts.errors import RefusedError
from host_tools.cloud.languages.text import N_

FIELD = "files"
FILES_MAX = 3  # of one message
FILE_MAX = 5 * 1024 * 1024  # bytes
ACCOUNT_MAX = 25 * 1024 * 1024  # bytes of all that an account has attached
NAME_MAX = 80
UNSAFE = frozenset('/\\:*?"<>|')  # as parts of a path, or to some file system
EMPTY = N_("“%(name)s” is empty. Choose another file.")
OF_ANOTHER_KIND = N_("“%(name)s” is of another kind. Attach pictures (PNG, JPEG), PDF or plain text.")


class Kind(NamedTuple):
    endings: tuple[str, ...]  # the first is given to a name that has none of them
    is_it: Callable[[bytes], bool]


class Attachment(NamedTuple):
    name: str
    content: bytes


def is_text(content: bytes) -> bool:
    """UTF-8 without control characters but those that lay out a text."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(ord(character) < 32 and character not in "\t\n\r\f" for character in text)


KINDS = (
    Kind((".png",), lambda content: content.startswith(b"\x89PNG\r\n\x1a\n")),  # W3C PNG section 5.2
    Kind((".jpg", ".jpeg"), lambda content: content.startswith(b"\xff\xd8\xff")),  # ITU-T T.81 annex B
    Kind((".pdf",), lambda content: content.startswith(b"%PDF-")),  # ISO 32000-1 section 7.5.2
    Kind((".txt", ".log"), is_text),
)


def checked(name: str, content: bytes) -> Attachment:
    """The file under a name that is safe everywhere. Raises RefusedError where it is none of the kinds."""
    if not content:
        raise RefusedError(FIELD, EMPTY, name=safe_name(name))
    kind = next((kind for kind in KINDS if kind.is_it(content)), None)
    if kind is None:
        raise RefusedError(FIELD, OF_ANOTHER_KIND, name=safe_name(name))
    return Attachment(safe_name(name, kind.endings), content)


def safe_name(name: str, endings: tuple[str, ...] = ()) -> str:
    """No folder, nothing that is not seen, not hidden, and an ending that tells what it is."""
    composed = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    seen = "".join(each for each in composed if each not in UNSAFE and unicodedata.category(each)[0] != "C")
    stem = seen.strip(" .") or "file"
    if not endings or stem.lower().endswith(endings):
        kept = stem[-NAME_MAX:].lstrip(" .")
        return kept or "file"
    return stem[: NAME_MAX - len(endings[0])] + endings[0]
