"""The page whose form was sent: where somebody goes on whose form was refused."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

LONGEST = 2000


def form_page(request: web.Request) -> str:
    """Its path and query, as the browser tells it (Referer); "" where no page of this site sent a form."""
    if request.method != "POST":
        return ""
    try:
        told = urlsplit(request.headers.get("Referer", "")[:LONGEST])
    except ValueError:
        return ""
    if (told.scheme, told.netloc) != (request.scheme, request.host):
        return ""
    address = told.path + (f"?{told.query}" if told.query else "")
    # "//name" and "/\\name" would lead to another site.
    leads_away = not address.startswith("/") or address[1:2] in ("/", "\\")
    return "" if leads_away or not address.isprintable() else address
