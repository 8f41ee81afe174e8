"""sd_notify(3): one datagram for each thing that systemd is told.

    notifier = Notifier(os.environ)
    notifier.send(READY, status("Serves https://account.example.org."))
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"
SEND_TIMEOUT_S = 1  # systemd's queue holds hundreds
STATUS_MAX = 500  # characters: a line that people read
log = logging.getLogger("cloud.systemd")


class Notifier:
    def __init__(self, environment: Mapping[str, str]):
        self._address = environment.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environment)  # None: nobody waits for a sign of life

    @property
    def is_heard(self) -> bool:
        return bool(self._address)

    def send(self, *lines: str) -> None:
        """Raises nothing: a service that cannot say how it is serves all the same."""
        if not self._address:
            return
        # A name that begins with "@" is of the abstract namespace (unix(7)).
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(SEND_TIMEOUT_S)
                channel.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd was not told %s: %s", lines[0], error)


def status(text: str) -> str:
    """The line that `systemctl status` shows."""
    return "STATUS=" + "".join(c if c.isprintable() else " " for c in text[:STATUS_MAX])


def reloading() -> tuple[str, str]:
    """With the moment, by which systemd tells this reload from one before (sd_notify(3))."""
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """sd_watchdog_enabled(3)."""
    span = environment.get("WATCHDOG_USEC", "")
    if not span.isdecimal() or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(span) / 1e6 or None
