"""Bodies of other servers' answers, which may have no end."""

from __future__ import annotations

import aiohttp


async def bounded(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """All of the body. Raises ValueError as soon as it is longer than `most` bytes."""
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > most:
            raise ValueError(f"an answer of more than {most} bytes")
    return bytes(body)
