"""What an e-mail address looks like, and what a user name of before looks like. Pure."""

from __future__ import annotations

import re
import unicodedata

import idna

from host_tools.cloud.languages.text import N_

# RFC 5321 section 4.1.2: atoms with dots between them, in any script, then labels as they are on the wire.
# No sign that ends an address in a mail's header (, ; < >), no encoded word (=?utf-8?...) that may hold one.
# Whether it exists, the confirmation shows.
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL = re.compile(rf"(?=[^@]{{1,64}}@)(?!.*=\?){ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+(?=..){LABEL}")
EMAIL_MAX = 254  # RFC 5321 section 4.5.3.1.3
PREFIX = "xn--"  # of a label that stands for one in another script (RFC 5890 section 2.3.2.5)


def check_email(value: str) -> str | None:
    """What is wrong with it, or None."""
    sent = on_the_wire(value)
    fine = sent is not None and len(sent) <= EMAIL_MAX and EMAIL.fullmatch(sent)
    return None if fine else N_("That is no e-mail address. Write it as name@example.com.")


def normal(text: str) -> str:
    """An e-mail, or a user name, as it is kept and looked for: one text for all that are the same.

    To who looks a domain up, its wide letters and ligatures are plain ones, and "xn--e1afmkfd" is "пример"
    (UTS #46, section 4). We keep what people read. What only looks alike stays another one.
    """
    name, at, domain = text.rpartition("@")
    return unicodedata.normalize("NFC", f"{name}{at}{_as_read(domain) if at else domain}".lower())


def _as_read(domain: str) -> str:
    try:
        mapped = idna.uts46_remap(domain, std3_rules=False)
    except idna.IDNAError:  # no name that anybody can look up: `check_email` refuses it
        mapped = unicodedata.normalize("NFKC", domain).lower()
    return ".".join(_letters(label) for label in mapped.split("."))


def _letters(label: str) -> str:
    """Of a label with the prefix, the one that it stands for."""
    try:
        return idna.ulabel(label) if label.startswith(PREFIX) else label
    except idna.IDNAError:
        return label


def on_the_wire(email: str) -> str | None:
    """With its domain as every mail server and application knows it (RFC 5891); None where it has no such."""
    name, at, domain = email.rpartition("@")
    try:
        return name + at + ".".join(map(_ascii, domain.split(".")))
    except idna.IDNAError:
        return None


def _ascii(label: str) -> str:
    """Raises IDNAError. A plain label is taken as it is: some have hyphens where IDNA wants none."""
    plain = label.isascii() and not label.startswith(PREFIX)
    return label if plain else idna.alabel(label).decode()


def hinted(email: str) -> str:
    """Enough to know one's own by: the log outlives the account."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}•••{at}{domain}"


def is_user_name(text: str) -> bool:
    """Of the time before e-mail addresses signed in (N1): whatever has no @."""
    return "@" not in text
