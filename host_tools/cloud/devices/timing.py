"""What a welcome tells a router about time: how often to report, and within which window to return."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from host_tools.cloud.devices.registry import Registry

COUNT_LASTS_S = 60  # the window for the fleet need not follow each new router


@dataclass(frozen=True)
class HubSettings:
    """heartbeat_s: how often a router reports. reconnect_window_s: a number fixes it (2 in development), None
    computes it: the number of known routers by connects_per_s, which is what one node takes."""

    heartbeat_s: int = 30
    reconnect_window_s: int | None = None
    connects_per_s: int = 1800
    smallest_window_s: int = 2
    largest_window_s: int = 3600


class ReconnectWindow:
    """Wide enough that a restart of this node does not bring the whole fleet at once."""

    def __init__(self, registry: Registry, settings: HubSettings):
        self._registry = registry
        self._settings = settings
        self._count, self._counted_at = 0, -math.inf

    async def seconds(self) -> int:
        if self._settings.reconnect_window_s is not None:
            return self._settings.reconnect_window_s
        if time.monotonic() - self._counted_at > COUNT_LASTS_S:
            self._count = await self._registry.count()
            self._counted_at = time.monotonic()
        needed = math.ceil(self._count / self._settings.connects_per_s)
        return min(self._settings.largest_window_s, max(self._settings.smallest_window_s, needed))
