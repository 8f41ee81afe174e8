"""Every connected router, by serial number: who is online, commands and their results, claims.

The hub keeps heartbeats in memory. What lasts (online, offline, changed; an owner's answer) leaves
through two callbacks, and what it must know of a router comes from the registry port.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from host_tools.cloud.devices.registry import Owner, Registry

# on_edge(serial_number, state, status): state is "online", "offline" or "changed" (same link, new firmware
# or owner, or a new connection after a restart); status is what `online()` returns, the last one for "offline".
OnEdge = Callable[[str, str, dict[str, Any]], Awaitable[None]]
# on_claim_answer(serial_number, claim_id, approved): the owner's answer on the router's own page. It may come more
# than once for one claim (the router repeats it until acknowledged), also after a restart of the cloud.
OnClaimAnswer = Callable[[str, str, bool], Awaitable[None]]


class HubError(Exception):
    """The root of what a command may end with. The text is one sentence for a person."""


class DeviceOffline(HubError):
    """The router has no live link."""


class CommandTimeout(HubError):
    """No result in time. The router may still run the command: it has its id."""


class CommandFailed(HubError):
    """The router answered that it could not."""


class CommandBusy(HubError):
    """Too many commands wait for this router."""


@dataclass(frozen=True)
class HubSettings:
    """heartbeat_s: how often a router reports. reconnect_window_s: None computes it from the number of known
    routers and connects_per_s, what one node takes (PLATFORM.md); a number fixes it (2 in development)."""

    heartbeat_s: int = 30
    reconnect_window_s: int | None = None
    connects_per_s: int = 1800
    smallest_window_s: int = 2


class DeviceHub:
    """hub = DeviceHub(registry, on_edge=..., on_claim_answer=...); serve `hub.app` behind `device_context`."""

    app: web.Application  # one route, GET /link

    def __init__(
        self,
        registry: Registry,
        *,
        on_edge: OnEdge | None = None,
        on_claim_answer: OnClaimAnswer | None = None,
        settings: HubSettings | None = None,
    ):
        """Make a hub without connections. Needs no running loop."""

    def online(self, serial_number: str) -> dict[str, Any] | None:
        """The router's status now, or None when it has no live link.

        {state: "online", since: unix s, heard: unix s, address, model, firmware, boot_id, uptime_s, load (1 min),
        memory_free_kb, wan_up, clock_state, owner: account_id the router knows or None}
        """
        raise NotImplementedError

    def online_serials(self) -> list[str]:
        """Every serial number with a live link."""
        raise NotImplementedError

    async def command(self, serial_number: str, name: str, args: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Run a command of contract.messages.COMMANDS on the router and return its result's value.

        It survives a lost connection while it waits: the id makes the repeat harmless. "reboot" answers after
        the router is back. Raises DeviceOffline, CommandTimeout, CommandFailed, CommandBusy.
        """
        raise NotImplementedError

    async def start_claim(self, serial_number: str, claim: dict[str, Any], timeout_s: float = 10) -> None:
        """Show a claim on the router's page; returns when the router shows it. Raises as `command`.

        claim: {claim_id, account: {name, email}, number: "482913", expires_s: int}. A newer claim replaces an
        older one. The answer comes through on_claim_answer.
        """
        raise NotImplementedError

    async def cancel_claim(self, serial_number: str, claim_id: str, timeout_s: float = 10) -> None:
        """Take a claim off the router's page. Raises as `command`; harmless when it is not shown."""
        raise NotImplementedError

    async def set_owner(self, serial_number: str, owner: Owner | None) -> bool:
        """Tell the router whose it is; False when it is offline (the next welcome tells it, from the registry)."""
        raise NotImplementedError

    async def disconnect(self, serial_number: str, reason: str) -> bool:
        """Say goodbye to one router, for example after its certificate was revoked. False when it was offline."""
        raise NotImplementedError

    async def close(self) -> None:
        """Say goodbye to everyone and wait until each link has ended. Call before the listener is closed."""
        raise NotImplementedError
