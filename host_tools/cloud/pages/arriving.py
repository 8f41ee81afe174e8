"""Bodies of requests as they come in: of one form, whole before anybody acts on them, and within a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import http_exceptions, web

from host_tools.cloud.pages import uploads

FORM_TYPE = "application/x-www-form-urlencoded"
TIMEOUT_S = 30


async def posted(request: web.Request) -> Mapping[str, object]:
    """A form of our pages, with its files where the route takes some. Raises HTTP errors."""
    if uploads.takes_files(request):
        return await _with_files(request)
    if not is_form(request):
        raise web.HTTPForbidden
    await whole(request)
    try:
        return await form(request)
    except ValueError:
        raise web.HTTPBadRequest from None


async def whole(request: web.Request) -> None:
    """Wait for the end of the body. What is cut off does nothing (RFC 9112 section 8). Raises HTTP errors."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, http_exceptions.HttpProcessingError):
        raise web.HTTPBadRequest from None


def is_form(request: web.Request) -> bool:
    """Whether it is one as browsers send it, and in no other encoding: some make text that no table takes."""
    return request.content_type == FORM_TYPE and (request.charset or "utf-8").lower() == "utf-8"


async def form(request: web.Request) -> Mapping[str, object]:
    """Raises ValueError where there is none, or its text is none."""
    if not is_form(request):
        raise ValueError("another type, or another encoding")
    return await request.post()


async def _with_files(request: web.Request) -> Mapping[str, object]:
    try:
        return await uploads.read(request)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ValueError, AssertionError, web.RequestPayloadError, http_exceptions.HttpProcessingError):
        raise web.HTTPBadRequest from None
