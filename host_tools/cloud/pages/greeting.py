"""In which language a request is answered: the account's own, else the one chosen in this browser, else what
the browser asks for (Accept-Language, RFC 9110 section 12.5.4).
"""

from __future__ import annotations

from aiohttp import web
from gatelodge.contract import languages

from host_tools.cloud.languages.text import speak
from host_tools.cloud.pages.cookies import own_cookie
from host_tools.cloud.store.models import Account

COOKIE = "__Host-cloud-language"


def greet(request: web.Request, account: Account | None = None) -> None:
    """Speak to who asks; in their time zone too, where an account is signed in."""
    tag = languages.chosen(own_cookie(request, COOKIE), request.headers.get("Accept-Language"))
    if account is None:
        speak(tag)
    else:
        speak(account.language or tag, account.time_zone)
