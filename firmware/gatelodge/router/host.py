"""This computer in a router's place (boards/host): its real facts, and no power over it."""

import os

from gatelodge import compat, log
from gatelodge.router.linux import LinuxRouter


class HostRouter(LinuxRouter):
    """restart(): ends the daemon so that whoever started it starts it again. stop(): ends it for good."""

    def __init__(
        self, board, restart, stop, proc="/proc", sys="/sys", run=os.system, monotonic_ms=compat.monotonic_ms
    ):
        super().__init__(board, proc, sys, run, monotonic_ms)
        self._restart = restart
        self._stop = stop

    def reboot(self):
        log.warning("router", "restarting the daemon in the router's place")
        self._restart()

    def power_off(self):
        log.warning("router", "stopping the daemon in the router's place")
        self._stop()

    def _is_shown(self, name):
        """A computer has many interfaces that a router has not: those without a carrier are left out."""
        return super()._is_shown(name) and self._is_up(name)
