"""The provider's parts, joined once."""

from __future__ import annotations

import asyncio

from host_tools.cloud.accounts.passkeys_rule import NOBODY
from host_tools.cloud.accounts.turnstile import Turnstile
from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc.clients import Clients
from host_tools.cloud.oidc.consents import Consents
from host_tools.cloud.oidc.devices import Devices
from host_tools.cloud.oidc.grants import Grants
from host_tools.cloud.oidc.keys import Keys
from host_tools.cloud.oidc.logins import Logins
from host_tools.cloud.oidc.pushed import Pushed
from host_tools.cloud.oidc.spent import Spent
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient
from host_tools.cloud.store.secret_box import SecretBox

KEYS_EVERY_S = 3600


class Provider:
    """issuer: our public URL, letter by letter what ID tokens say (OpenID Connect Discovery 1.0).

    A client proves itself by a key, pushes its requests, and has its tokens bound (OWASP ASVS 5.0.0, level 3:
    10.4.13, 10.4.14, 10.4.16), unless it was registered as an exception. strict: no exception counts.
    """

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        turnstile: Turnstile,
        clock: Clock,
        issuer: str,
        strict: bool = False,
        passkeys_for: str = NOBODY,
    ):
        self.issuer = issuer
        self.strict = strict
        self.spent = Spent(database)
        self.clients = Clients(database, clock, spent=self.spent)
        self.keys = Keys(database, box, clock)
        self.grants = Grants(database, passkeys_for)
        self.pushed = Pushed(database)
        self.consents = Consents(database)
        self.devices = Devices(database, box, turnstile, self.grants)
        self.logins = Logins(database, self.keys, clock, issuer)

    def is_strict(self, client: OidcClient) -> bool:
        return self.strict or not client.plain

    def binds(self, client: OidcClient) -> bool:
        """Whether its tokens are bound to its key, always."""
        return client.dpop_bound or self.is_strict(client)

    def wants_pushed(self, client: OidcClient) -> bool:
        """Whether it pushes what it asks, always."""
        return client.pushed_only or self.is_strict(client)

    async def keep_keys(self) -> None:
        """Rotate what is due, for ever."""
        while True:
            await self.keys.refresh()
            await asyncio.sleep(KEYS_EVERY_S)

    async def prune(self, now: float) -> None:
        await self.grants.prune(now)
        await self.devices.prune(now)
        await self.pushed.prune(now)
