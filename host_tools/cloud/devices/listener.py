"""The routers' listener: mutual TLS in front of the hub, on a port of its own."""

from __future__ import annotations

import ssl

from aiohttp import web

from host_tools.cloud.devices.hub import DeviceHub
from host_tools.cloud.http_log import HTTP_LOG
from host_tools.cloud.systemd.sockets import Listeners

SHUTDOWN_S = 1  # the hub has already said goodbye to everyone


async def start_listener(
    hub: DeviceHub, context: ssl.SSLContext, host: str, port: int, listeners: Listeners | None = None
) -> web.AppRunner:
    """Listen, and return the runner. To stop: `await hub.close()`, then `await runner.cleanup()`.

    The port in use: `runner.addresses[0][1]` (port 0 lets the system choose).
    """
    runner = web.AppRunner(hub.app, access_log=None, logger=HTTP_LOG, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    await (listeners or Listeners()).site(runner, host, port, context).start()
    return runner
