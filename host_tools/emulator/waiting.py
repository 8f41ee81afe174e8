"""Waiting for a web page, verified, for as long as whoever serves it is alive."""

import asyncio
import http.client
import ssl
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ATTEMPT_TIMEOUT_S = 5
PAUSE_S = 0.1


async def until_answered(url: str, ca_file: Path, timeout_s: float) -> None:
    """Return when the URL is answered over TLS that the CA file verifies. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not await asyncio.to_thread(answers, url, ca_file):
            await asyncio.sleep(PAUSE_S)


def answers(url: str, ca_file: Path) -> bool:
    parts = urlsplit(url)
    try:
        context = ssl.create_default_context(cafile=str(ca_file))
        line = http.client.HTTPSConnection(parts.netloc, timeout=ATTEMPT_TIMEOUT_S, context=context)
        line.request("GET", parts.path or "/")
        status = line.getresponse().status
        line.close()
    except (OSError, http.client.HTTPException):
        return False
    return status < 500


async def first(main: Coroutine[Any, Any, Any], *others: Awaitable[Any]) -> Any:
    """Await the main work, but let another one's exception end it. The others are cancelled after."""
    work = asyncio.ensure_future(main)
    watchers = [asyncio.ensure_future(other) for other in others]
    try:
        await asyncio.wait([work, *watchers], return_when=asyncio.FIRST_COMPLETED)
        for watcher in watchers:
            if watcher.done() and not work.done():
                watcher.result()
        return await work
    finally:
        for task in (work, *watchers):
            task.cancel()
        await asyncio.gather(work, *watchers, return_exceptions=True)
