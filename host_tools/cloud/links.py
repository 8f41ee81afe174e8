"""Links that open something, in a mail or on a router's page.

What opens it is a code in the link's fragment. A browser sends a fragment to nobody, neither in the address
nor in Referer (RFC 9110 sections 7.1 and 10.1.3), so no server, proxy or log has it (OWASP ASVS 5, 14.2.1).
The page takes it from there into a form (pages/opened.py). It can be typed as well, where no script runs:
135 random bits and a check character in Crockford's base 32, as on a router's label.
"""

from __future__ import annotations

import re
import secrets

from gatelodge.contract.service_code import ALPHABET, check_character

DRAWN = 27  # characters of five bits each
LENGTH = DRAWN + 1
GROUP = 4
TYPED = str.maketrans("ILO", "110", " -\u00a0\u2010\u2011\u2013\t\r\n")  # people paste typographic hyphens
# Of a mail that was sent when links held 256 bits in their path. The longest of them lasts 14 days.
FORMER = re.compile(r"[A-Za-z0-9_-]{43}")


def new_code() -> str:
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(DRAWN))
    return drawn + check_character(drawn)


def parsed(typed: str) -> str:
    """The code that somebody typed or pasted; "" for what is none."""
    if FORMER.fullmatch(typed):
        return typed
    code = typed.upper().translate(TYPED)
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        return ""
    return code if check_character(code[:DRAWN]) == code[DRAWN] else ""


def link_to(page: str, code: str) -> str:
    return f"{page}#{grouped(code)}"


def code_of(link: str) -> str:
    """In groups, as it stands in the link."""
    return link.partition("#")[2]


def grouped(code: str) -> str:
    return "-".join(code[at : at + GROUP] for at in range(0, LENGTH, GROUP))
