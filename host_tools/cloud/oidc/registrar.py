"""Applications as staff with the role for it look after them: proved in full, told to who did it, and logged.

A part of Gatelodge itself, which nobody is asked about, is only looked at here: it is the console's.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts.again import Again
from host_tools.cloud.accounts.changes import Changes
from host_tools.cloud.accounts.errors import NotTheirsError, RefusedError
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.help import roles
from host_tools.cloud.languages.text import N_
from host_tools.cloud.oidc import history, registration
from host_tools.cloud.oidc.described import Changed, Described, check_from_page
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.oidc_models import OidcClient, OidcConsent

ACTION = "manage applications"  # of proof.ACTIONS
OURS = N_("This application is a part of Gatelodge: whoever runs the cloud changes it.")
MEANWHILE = N_("Somebody else has changed it meanwhile. Look at it again, then say what to change.")


class Held(NamedTuple):
    """`people`: how many accounts it is connected to. `mark`: of what it was when it was looked at."""

    client: OidcClient
    people: int
    mark: str


class Registrar:
    def __init__(self, database: Database, again: Again, changes: Changes):
        self._database = database
        self._again = again
        self._changes = changes

    async def all(self) -> list[OidcClient]:
        async with self._database.read() as session:
            return list(await session.scalars(select(OidcClient).order_by(OidcClient.name, OidcClient.id)))

    async def history(self) -> list[history.Done]:
        """What was done to any of them, also at the console; the newest first."""
        async with self._database.read() as session:
            return await history.recent(session)

    async def look(self, client_id: str) -> Held:
        """Raises NotTheirsError."""
        connected = select(func.count()).where(OidcConsent.client_id == client_id)
        async with self._database.read() as session:
            client = await session.get(OidcClient, client_id)
            if client is None:
                raise NotTheirsError
            return Held(client, await session.scalar(connected) or 0, mark_of(client))

    async def add(self, described: Described, password: str, visit: Visit) -> str:
        """Its secret, which is stored nowhere; "" for one that has none. Raises RefusedError."""
        registration.checked(described)  # before anybody is asked for anything
        check_from_page(described)
        async with self._proved("client_added", password, visit) as (session, names):
            known = described._replace(public_only=True)
            secret = await registration.register(session, known, visit.now)
            names.append(described.name)
        return secret

    async def change(self, client_id: str, changed: Changed, mark: str, password: str, visit: Visit) -> None:
        """mark: of Held, as whoever changes it saw it. Raises RefusedError, NotTheirsError."""
        before = (await self.look(client_id)).client
        described = registration.altered(before, changed)
        if described.logout_uri != before.logout_uri:  # what an operator chose stays
            check_from_page(described)
            changed = changed._replace(public_only=True)
        async with self._proved("client_changed", password, visit) as (session, names):
            client = await _its(session, client_id)
            if mark != mark_of(client):
                raise RefusedError("", MEANWHILE)
            await registration.alter(session, client, changed)
            names.append(client.name)

    async def new_secret(self, client_id: str, password: str, visit: Visit) -> str:
        """The one before opens nothing from now on. Raises RefusedError, NotTheirsError."""
        async with self._proved("client_secret_made", password, visit) as (session, names):
            client = await _its(session, client_id)
            secret = registration.renew_secret(client)
            names.append(client.name)
        return secret

    async def disable(self, client_id: str, password: str, visit: Visit) -> None:
        """Raises RefusedError, NotTheirsError."""
        async with self._proved("client_disabled", password, visit) as (session, names):
            client = await _its(session, client_id)
            if client.disabled_at is None:
                await registration.shut(session, client, visit.now)
                names.append(client.name)

    async def enable(self, client_id: str, password: str, visit: Visit) -> None:
        """Raises RefusedError, NotTheirsError."""
        async with self._proved("client_enabled", password, visit) as (session, names):
            client = await _its(session, client_id)
            if client.disabled_at is not None:
                client.disabled_at = None
                names.append(client.name)

    async def remove(self, client_id: str, password: str, visit: Visit) -> None:
        """All that it was given goes with it. Raises RefusedError, NotTheirsError."""
        async with self._proved("client_removed", password, visit) as (session, names):
            client = await _its(session, client_id)
            names.append(client.name)
            await session.delete(client)

    @asynccontextmanager
    async def _proved(
        self, kind: str, password: str, visit: Visit
    ) -> AsyncIterator[tuple[AsyncSession, list[str]]]:
        """The transaction of a change, which is told for each name that is added to the list.

        The role is looked at in it once more: it may have been taken away while the form was on its way.
        """
        await self._again.check(ACTION, password, visit)
        names: list[str] = []
        async with self._database.write() as session:
            account = await session.get(Account, visit.signed_in.id)
            if account is None or account.disabled_at is not None:
                raise NotTheirsError
            if not roles.may(account.role, roles.REGISTER):
                raise NotTheirsError
            yield session, names
            for name in names:
                await self._changes.tell(session, kind, name, visit)
        self._changes.wake()


def mark_of(client: OidcClient) -> str:
    """Differs when anything does that a form changes."""
    seen = (registration.description(client), client.secret_hash, client.disabled_at)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]


async def _its(session: AsyncSession, client_id: str) -> OidcClient:
    client = await session.get(OidcClient, client_id)
    if client is None:
        raise NotTheirsError
    if client.ours:
        raise RefusedError("", OURS)
    return client
