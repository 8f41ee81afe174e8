"""What a personal token may do: scope -> what the person reads who grants it."""

from __future__ import annotations

ACCOUNT_READ, ROUTERS_READ, ROUTERS_WRITE = "account:read", "routers:read", "routers:write"
SCOPES = {
    ACCOUNT_READ: "See the account: its details, its sessions and its log",
    ROUTERS_READ: "See the routers, and how a restart ended",
    ROUTERS_WRITE: "Restart the routers",
}
EVERY = tuple(SCOPES)
