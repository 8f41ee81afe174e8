"""What an e-mail address looks like, and what a user name of before looks like. Pure."""

from __future__ import annotations

import re
import unicodedata

from host_tools.cloud.languages.text import N_

# RFC 5321 section 4.1.2: atoms with dots between them, then labels with dots between them, in any script.
# No sign that ends an address in a mail's header (, ; < >), no encoded word (=?utf-8?...) that may hold one.
# Whether it exists, the confirmation shows.
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
EMAIL = re.compile(rf"(?=[^@]{{1,64}}@)(?!.*=\?){ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+(?=..){LABEL}")
EMAIL_MAX = 254  # RFC 5321 section 4.5.3.1.3


def check_email(value: str) -> str | None:
    """What is wrong with it, or None."""
    fine = len(value) <= EMAIL_MAX and EMAIL.fullmatch(value)
    return None if fine else N_("That is no e-mail address. Write it as name@example.com.")


def normal(text: str) -> str:
    """An e-mail, or a user name, as it is kept and looked for: one text for all that look the same.

    A domain's wide letters and ligatures are plain ones to who looks it up (UTS #46, section 4).
    """
    name, at, domain = text.rpartition("@")
    domain = unicodedata.normalize("NFKC", domain) if at else domain
    return unicodedata.normalize("NFC", f"{name}{at}{domain}".lower())


def hinted(email: str) -> str:
    """Enough to know one's own by: the log outlives the account."""
    name, at, domain = email.partition("@")
    return f"{name[:1]}•••{at}{domain}"


def is_user_name(text: str) -> bool:
    """Of the time before e-mail addresses signed in (N1): whatever has no @."""
    return "@" not in text
