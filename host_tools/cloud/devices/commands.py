"""Commands that wait for a router's result, and how one may end without."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from host_tools.cloud.languages.text import N_

WAITING_LIMIT = 8  # commands for one router; it remembers the last 32 (gatelodge/cloud/ledger.py)


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


@dataclass
class Waiting:
    """A command without its result."""

    message: dict[str, Any]
    result: asyncio.Future[dict[str, Any]]

    def end(self, result: dict[str, Any]) -> None:
        """The first result counts; a router that repeats one is right to."""
        if not self.result.done():
            self.result.set_result(result)


class WaitingCommands:
    """By serial number and id. Whoever adds one removes it."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Waiting]] = {}

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._of.values())

    def add(self, serial_number: str, message: dict[str, Any]) -> Waiting:
        """Raises CommandBusy. Needs a running loop."""
        waiting = self._of.setdefault(serial_number, {})
        if len(waiting) >= WAITING_LIMIT:
            raise CommandBusy(N_("Too many commands wait for this router. Try again in a minute."))
        waiting[message["id"]] = Waiting(message, asyncio.get_running_loop().create_future())
        return waiting[message["id"]]

    def remove(self, serial_number: str, command_id: str) -> None:
        waiting = self._of[serial_number]
        del waiting[command_id]
        if not waiting:
            del self._of[serial_number]

    def find(self, serial_number: str, command_id: str) -> Waiting | None:
        return self._of.get(serial_number, {}).get(command_id)

    def unanswered(self, serial_number: str) -> list[dict[str, Any]]:
        """The messages to send again over a new link."""
        waiting = self._of.get(serial_number, {}).values()
        return [one.message for one in waiting if not one.result.done()]

    def fail_all(self, serial_number: str, error: str) -> None:
        for waiting in self._of.get(serial_number, {}).values():
            waiting.end({"ok": False, "value": None, "error": error})
