"""What leaves the hub for the rest of the cloud: one callback for each thing that a router tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Callbacks:
    """One that is None is not taken: the welcome tells routers so where they would otherwise try again.

    Whatever a router repeats until it is acknowledged is acknowledged once its callback has returned without
    an error. So each may come more than once, also after a restart of the cloud, and then perhaps about what
    is long over.
    """

    # (serial_number, state, status): state is "online", "offline" or "changed" (a newer connection took over,
    # or the owner changed); status is what `DeviceHub.online` returns, the last one for "offline". The edges
    # of one router come one after the other, in their order. Not repeated.
    on_edge: Callable[[str, str, dict[str, Any]], Awaitable[None]] | None = None
    # (serial_number, claim_id, approved): the owner's answer on the router's own page.
    on_claim_answer: Callable[[str, str, bool], Awaitable[None]] | None = None
    # (serial_number): it was reset by somebody who is at it. When this returns the router is nobody's.
    on_reset: Callable[[str], Awaitable[None]] | None = None
    # (serial_number, account_id, undo_id): released on its own page by this owner. undo_id: as in
    # contract.messages "release", or None.
    on_release: Callable[[str, str, str | None], Awaitable[None]] | None = None
    # (serial_number, notice): what its owner is to be told, contract.messages "notice", by its notice_id.
    on_notice: Callable[[str, dict[str, Any]], Awaitable[None]] | None = None
    # (serial_number, service_code) -> {link, expires_s, error}: its owner wants it in an account.
    # Not repeated.
    on_invite: Callable[[str, str], Awaitable[dict[str, Any]]] | None = None
    # (serial_number): the link that it was given is over. Not repeated: the link also ends by itself.
    on_uninvite: Callable[[str], Awaitable[None]] | None = None
    # (serial_number, report): a part of what `DeviceHub.ask` asked for, contract.messages "report". Not
    # repeated: where one was lost, the result tells how many there were.
    on_report: Callable[[str, dict[str, Any]], Awaitable[None]] | None = None
    # (serial_number, result): of a command that `DeviceHub.ask` sent.
    on_result: Callable[[str, dict[str, Any]], Awaitable[None]] | None = None
