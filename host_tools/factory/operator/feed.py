"""Carries tiles to browsers as server-sent events: all of them first, then each that changes.

A browser that reads slowly gets the newest state of a port instead of a queue of old ones: what is kept for
it is bounded by the number of ports. One that comes back gets all tiles again: nothing has to be repeated.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from typing import Any

from host_tools.factory.events import Event
from host_tools.factory.operator.tiles import Tiles

MOST_READERS = 16  # browsers at once; a bench has one or two
HEARTBEAT_S = 10.0  # so that both ends notice a dead connection
RETRY_MS = 1000  # after which a browser asks again


class FullError(Exception):
    """There are as many readers as there may be."""


class Feed:
    """Belongs to one event loop; `tell` may be called from any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.tiles = Tiles()
        self._loop = loop
        self._readers: set[Reader] = set()
        self._is_over = False

    def tell(self, event: Event, at: float) -> None:
        """A listener for a line's runner."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.take, event, at)

    def take(self, event: Event, at: float) -> None:
        changed = self.tiles.take(event, at)
        for reader in self._readers:
            reader.note(changed)

    def close(self) -> None:
        """End every browser's stream: the bench stops."""
        self._is_over = True
        for reader in self._readers:
            reader.wake.set()

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """What one browser is sent until the bench stops. Raises FullError."""
        if len(self._readers) >= MOST_READERS:
            raise FullError
        reader = Reader()
        self._readers.add(reader)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode() + self._all()
            while not self._is_over:
                try:
                    await asyncio.wait_for(reader.wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield message("beat", {})
                    continue
                yield b"".join(self._message(port) for port in reader.taken())
        finally:
            self._readers.discard(reader)

    def _all(self) -> bytes:
        tiles = [self.tiles.view(port) for port in self.tiles.ports]
        return message("all", {"tiles": tiles, "totals": self.tiles.totals_view(), "now": time.time()})

    def _message(self, port: str | None) -> bytes:
        if port is None:
            return message("totals", self.tiles.totals_view())
        tile = self.tiles.view(port)
        return message("tile", tile) if tile else message("gone", {"port": port})


class Reader:
    """What one browser has not been told yet."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self._changed: dict[str | None, None] = {}  # an ordered set

    def note(self, port: str | None) -> None:
        self._changed[port] = None
        self.wake.set()

    def taken(self) -> list[str | None]:
        changed, self._changed = list(self._changed), {}
        self.wake.clear()
        return changed


def message(name: str, data: Any) -> bytes:
    """One event of html.spec.whatwg.org/multipage/server-sent-events.html. JSON has no raw line end."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
