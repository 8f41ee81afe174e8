"""The routers' listener: mutual TLS in front of the hub, on a port of its own."""

from __future__ import annotations

import ssl

from aiohttp import web

from host_tools.cloud.devices.hub import DeviceHub


async def start_listener(hub: DeviceHub, context: ssl.SSLContext, host: str, port: int) -> web.AppRunner:
    """Listen, and return the runner. To stop: `await hub.close()`, then `await runner.cleanup()`.

    The port in use: `runner.addresses[0][1]` (port 0 lets the system choose).
    """
    raise NotImplementedError
