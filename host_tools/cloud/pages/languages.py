"""The choice of a language, at the foot of every page."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from host_tools.cloud.languages.text import NAMES
from host_tools.cloud.pages.greeting import COOKIE
from host_tools.cloud.pages.guards import BROWSER_COOKIE_S, set_cookie
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
    answer = web.HTTPSeeOther(await _back(request))
    set_cookie(answer, COOKIE, str(tag), BROWSER_COOKIE_S)
    raise answer


async def _back(request: web.Request) -> str:
    """The page as the browser names it (Referer), never another site's.

    Where it was the answer to a form, the nearest address above that can be opened.
    """
    before = urlsplit(request.headers.get("Referer", ""))
    path = before.path if before.netloc == request.host else "/"
    while not await _opens(request, path):
        path, query = path.rpartition("/")[0] or "/", ""
    query = before.query if path == before.path else ""
    return str(URL.build(path=path, query_string=query, encoded=True))


async def _opens(request: web.Request, path: str) -> bool:
    if path == "/":
        return True
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        return False
    found = await request.app.router.resolve(request.clone(method="GET", rel_url=URL(path, encoded=True)))
    return found.http_exception is None
