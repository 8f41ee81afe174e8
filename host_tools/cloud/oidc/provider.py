"""The provider's parts, joined once."""

from __future__ import annotations

import asyncio

from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc.clients import Clients
from host_tools.cloud.oidc.consents import Consents
from host_tools.cloud.oidc.devices import Devices
from host_tools.cloud.oidc.grants import Grants
from host_tools.cloud.oidc.keys import Keys
from host_tools.cloud.oidc.logins import Logins
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.secret_box import SecretBox

KEYS_EVERY_S = 3600


class Provider:
    """issuer: our public URL, letter by letter what ID tokens say (OpenID Connect Discovery 1.0)."""

    def __init__(self, database: Database, box: SecretBox, turnstile: Turnstile, clock: Clock, issuer: str):
        self.issuer = issuer
        self.clients = Clients(database, clock)
        self.keys = Keys(database, box, clock)
        self.grants = Grants(database)
        self.consents = Consents(database)
        self.devices = Devices(database, box, turnstile, self.grants)
        self.logins = Logins(database, self.keys, clock, issuer)

    async def keep_keys(self) -> None:
        """Rotate what is due, for ever."""
        while True:
            await self.keys.refresh()
            await asyncio.sleep(KEYS_EVERY_S)

    async def prune(self, now: float) -> None:
        await self.grants.prune(now)
        await self.devices.prune(now)
