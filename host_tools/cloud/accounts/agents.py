"""A browser's name for people, in the reader's language, from what it says of itself. It may lie: nothing is
decided by it.
"""

from __future__ import annotations

import re

from host_tools.cloud.languages.text import N_, _

# The first that is found counts: nearly every browser also says Safari, and Chrome.
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
    ("Mac OS X", "Mac"), ("CrOS", "Chrome OS"), ("Linux", "Linux"),
)  # fmt: skip
# A name, and perhaps a version (RFC 9110 section 10.1.5): a mail tells no sentence and no address of it.
PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,29}(?:/[0-9.]{1,10})?(?![^ ;(])")
OWN = "gatelodge"
# As the browser of what an operator did (console.py), and of what the service does by itself (waiting.py).
OPERATOR = re.compile(r"gatelodge cloud(?: \((?:uid )?[\w.@-]{1,32}\))?")
UNKNOWN = N_("An unknown browser")
SUPPORT = N_("Gatelodge support (%(name)s)")  # as the browser of what staff did (help/desk.py)


def said(header: str) -> str:
    """What a browser says of itself (User-Agent), without what nobody sees; nothing, where it gives itself a
    name that only what we do bears (help/desk.py, accounts/waiting.py).
    """
    seen = "".join(each for each in header if each.isascii() and each.isprintable())
    return "" if OWN in seen.casefold() else seen


def browser_words(user_agent: str) -> str:
    """ "Firefox on Linux"; what it says itself, cut short, where that is not known."""
    before, after = SUPPORT.split("%(name)s")
    if user_agent.startswith(before) and user_agent.endswith(after):  # whatever the name is
        return _(SUPPORT, name=user_agent[len(before) : -len(after)])
    if OPERATOR.fullmatch(user_agent):  # no browser has it: `said`
        return user_agent
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s", browser=browser, system=system)
    product = PRODUCT.match(user_agent)
    return browser or system or (product[0] if product else _(UNKNOWN))
