"""Where somebody was going who has to sign in first: an address of ours, kept in the browser's cookie."""

from __future__ import annotations

import base64
from typing import TypeVar

from aiohttp import web

from host_tools.cloud.pages.cookies import own_cookie, set_cookie
from host_tools.cloud.pages.site import SITE

COOKIE = "__Host-cloud-going"
LASTS_S = 900  # as long as a sign-in may take (accounts/signin.py)
# Nothing but these is ever followed.
PAGES = ("/security", "/profile", "/routers/", "/help", "/desk", "/clients", "/approvals/")
TARGETS = ("/oidc/authorize?", "/device", *PAGES)
LONGEST = 200
NO_PAGES = ("/live", "/files/", "/options")  # what a page loads, or keeps as a file

Answer = TypeVar("Answer", bound=web.StreamResponse)


def going(request: web.Request) -> str:
    """The address, or "" where nobody was going anywhere, or at another site: cookies know no ports."""
    if request.app[SITE].at.account:
        return ""
    try:
        target = base64.urlsafe_b64decode(own_cookie(request, COOKIE)).decode("ascii")
    except ValueError:
        return ""
    return target if target.startswith(TARGETS) and target.isprintable() else ""


def worth_going(path: str) -> bool:
    """Whether it may be a page, such as a mail leads to, and not where everybody arrives anyway."""
    is_page = path.startswith(PAGES) and not any(part in path for part in NO_PAGES)
    return is_page and len(path) <= LONGEST and path.isascii() and path.isprintable()


def set_going(answer: Answer, target: str) -> Answer:
    # Encoded: a query may hold what ends a cookie.
    set_cookie(answer, COOKIE, base64.urlsafe_b64encode(target.encode()).decode(), LASTS_S)
    return answer


def clear_going(answer: Answer) -> Answer:
    answer.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    return answer
