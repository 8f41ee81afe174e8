"""The choice of a language, at the foot of every page."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from aiohttp import web
from yarl import URL

from host_tools.cloud.languages.text import NAMES
from host_tools.cloud.pages.cookies import set_cookie
from host_tools.cloud.pages.greeting import COOKIE
from host_tools.cloud.pages.guards import BROWSER_COOKIE_S
from host_tools.cloud.pages.render import VISIT
from host_tools.cloud.parts import PARTS


async def post_language(request: web.Request) -> web.StreamResponse:
    """Back to the page that the form was on."""
    tag = (await request.post()).get("language")
    if tag not in NAMES:
        raise web.HTTPBadRequest
    visit = request[VISIT]
    if visit.account is not None:
        await request.app[PARTS].profile.speak(str(tag), visit)
    answer = web.HTTPSeeOther(_back(request))
    set_cookie(answer, COOKIE, str(tag), BROWSER_COOKIE_S)
    raise answer


def _back(request: web.Request) -> str:
    """The page as the browser names it (Referer), never another site's.

    Where it was the answer to a form, the nearest address above that can be opened.
    """
    before = _split(request.headers.get("Referer", ""))
    path = asked = before.path if before.netloc == request.host else "/"
    while not _opens(request.app, path):
        path = path.rpartition("/")[0] or "/"
    query = before.query if path == asked != "/" else ""
    return str(URL.build(path=path, query_string=query, encoded=True))


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _opens(app: web.Application, path: str) -> bool:
    """Whether there is a page at exactly this path."""
    if path == "/":
        return True
    pages = (
        route.resource.get_info() for route in app.router.routes() if route.method == "GET" and route.resource
    )
    return any(page.get("path") == path or _fits(page.get("pattern"), path) for page in pages)


def _fits(pattern: re.Pattern[str] | None, path: str) -> bool:
    return pattern is not None and pattern.fullmatch(path) is not None
