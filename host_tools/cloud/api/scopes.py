"""What a personal token may do: scope -> what the person reads who grants it."""

from __future__ import annotations

from host_tools.cloud.languages.text import N_

ACCOUNT_READ, ROUTERS_READ, ROUTERS_WRITE = "account:read", "routers:read", "routers:write"
SCOPES = {
    ACCOUNT_READ: N_("See the account: its details, its sessions and its log"),
    ROUTERS_READ: N_("See the routers, and how a restart ended"),
    ROUTERS_WRITE: N_("Restart the routers"),
}
EVERY = tuple(SCOPES)
