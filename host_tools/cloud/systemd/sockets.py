"""Listening sockets that systemd holds for us (sd_listen_fds(3)): they stay open while we are restarted.

    listeners = Listeners(inherited(os.environ))     # raises ToolError
    await listeners.site(runner, "0.0.0.0", 443, context).start()

Whoever connects between our end and our next start waits in the socket's queue, and is refused by nobody.
An address that was not handed over is opened by ourselves, as ever.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

from aiohttp import web

from host_tools import exit_codes
from host_tools.errors import ToolError

FIRST = 3  # SD_LISTEN_FDS_START
FDS_MAX = 64  # we have four listeners
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
PRINT_ANEW = "print both units anew with 'gatelodge cloud unit'"
BACKLOG = 4096  # connections that a restart brings within a moment, or that wait for its end


class Address(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(host: str, port: int) -> Address:
    """With one spelling for each address; a name stays a name."""
    try:
        return Address(str(ipaddress.ip_address(host)), port)
    except ValueError:
        return Address(host, port)


def inherited(environment: MutableMapping[str, str]) -> dict[Address, socket.socket]:
    """Take what was handed to this process, once: no child of ours finds the variables or the descriptors.
    Raises ToolError.
    """
    handed = {name: environment.pop(name, "") for name in VARIABLES}
    if handed["LISTEN_PID"] != str(os.getpid()) or not handed["LISTEN_FDS"].isdecimal():
        return {}
    found = [_listener(FIRST + number) for number in range(min(int(handed["LISTEN_FDS"]), FDS_MAX))]
    return {address(*each.getsockname()[:2]): each for each in found}


def _listener(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    handed = socket.socket(fileno=descriptor)
    handed.setblocking(False)
    if (
        handed.family not in (socket.AF_INET, socket.AF_INET6)
        or handed.type != socket.SOCK_STREAM
        or not handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    ):
        raise ToolError("systemd hands over what is no listener of TCP", PRINT_ANEW, exit_codes.USAGE)
    return handed


class Listeners:
    def __init__(self, handed: Mapping[Address, socket.socket] | None = None):
        self._handed = dict(handed or {})

    def handed(self, host: str, port: int) -> socket.socket | None:
        """Once: whoever asks has it."""
        return self._handed.pop(address(host, port), None)

    def site(
        self, runner: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None
    ) -> web.BaseSite:
        """Not started yet."""
        handed = self.handed(host, port)
        if handed is None:
            return web.TCPSite(runner, host, port, ssl_context=context, backlog=BACKLOG)
        return web.SockSite(runner, handed, ssl_context=context, backlog=BACKLOG)

    def check_all_taken(self) -> None:
        """Once all are open. Raises ToolError for one that nobody would ever answer at."""
        if self._handed:
            left = ", ".join(map(str, self._handed))
            what = f"systemd listens at {left}, and no option says what for"
            raise ToolError(what, PRINT_ANEW, exit_codes.USAGE)
