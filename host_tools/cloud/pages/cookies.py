"""Our cookies, read as browsers write them (RFC 6265 section 5.4): pairs, with ";" between them.

aiohttp is more generous: to it a space ends a pair too, quotes hide ";", and "\\101" is a letter. So a cookie
that a page of another subdomain may set, such as foo="x __Host-cloud-session=…", would count as one of ours,
in spite of the prefix that browsers guard.
"""

from __future__ import annotations

from aiohttp import web

SPACE = " \t"


def own_cookie(request: web.Request, name: str) -> str:
    """Its value. "" where there is none, or where two differ: only one of them can be ours."""
    found = {value for header in request.headers.getall("Cookie", ()) for value in _values(header, name)}
    return found.pop() if len(found) == 1 else ""


def _values(header: str, name: str) -> list[str]:
    pairs = (pair.partition("=") for pair in header.split(";"))
    return [_unquoted(value.strip(SPACE)) for key, _, value in pairs if key.strip(SPACE) == name]


def _unquoted(value: str) -> str:
    """Quotes around a value are none of it: aiohttp sets them where it ends in "="."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value


def set_cookie(response: web.StreamResponse, name: str, value: str, max_age_s: int) -> None:
    """Lax, not Strict: the link in a mail must find the browser that signed up.

    Posts are guarded by their origin.
    """
    response.set_cookie(name, value, max_age=max_age_s, path="/", secure=True, httponly=True, samesite="Lax")
