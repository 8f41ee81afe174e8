"""Who wants to know at once that something changed. In this process; every topic is a short string."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Bus:
    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = {}

    def publish(self, topic: str) -> None:
        for event in self._listeners.get(topic, ()):
            event.set()

    def publish_everywhere(self) -> None:
        for topic in list(self._listeners):
            self.publish(topic)

    @contextmanager
    def listen(self, *topics: str) -> Iterator[asyncio.Event]:
        """An event that is set when one of the topics changed; the listener clears it."""
        event = asyncio.Event()
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(event)
        try:
            yield event
        finally:
            for topic in topics:
                self._listeners[topic].discard(event)
                if not self._listeners[topic]:
                    del self._listeners[topic]
