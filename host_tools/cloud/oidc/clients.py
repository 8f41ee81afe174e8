"""The applications that are known: registered by the operator, each proved by its key, its secret, or by PKCE
alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.clock import Clock
from host_tools.cloud.oidc import assertions, history, registration
from host_tools.cloud.oidc.described import CLIENT_ID, REFRESH, Changed, Described, WrongClient, checked
from host_tools.cloud.oidc.requests import Known
from host_tools.cloud.oidc.signed import Unproved
from host_tools.cloud.oidc.spent import Spent
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient
from host_tools.cloud.store.secret_box import token_hash

NOTED_EVERY_S = 60  # more often the last use is not written down


class Clients:
    """operator: who changes them at the console, which the log of events tells (history.py)."""

    def __init__(self, database: Database, clock: Clock, operator: str = "", spent: Spent | None = None):
        self._database = database
        self._clock = clock
        self._operator = operator
        self._spent = spent or Spent(database)

    async def find(self, client_id: str) -> OidcClient | None:
        """Where it may ask: none that is disabled."""
        if not CLIENT_ID.fullmatch(client_id):
            return None
        async with self._database.read() as session:
            client = await session.get(OidcClient, client_id)
        return client if client and client.disabled_at is None else None

    async def all(self) -> list[OidcClient]:
        async with self._database.read() as session:
            return list(await session.scalars(select(OidcClient).order_by(OidcClient.id)))

    async def proved(self, client_id: str, secret: str) -> OidcClient | None:
        """The client, if the secret is its own; a public one comes without, and is held by PKCE alone."""
        client = await self.find(client_id)
        wanted = client.secret_hash if client else token_hash("")
        given = token_hash(secret) if secret else ""
        right = hmac.compare_digest(given, wanted)
        return client if right and client and not client.jwks else None

    async def asserted(self, assertion: str, client_id: str, audiences: Collection[str]) -> OidcClient:
        """The client whose key has signed this, for the first time. client_id: whom the form names, or "".

        Raises Unproved.
        """
        named = assertions.subject(assertion)
        client = await self.find(named) if client_id in ("", named) else None
        if client is None or not client.jwks:
            raise Unproved("it names no client that has a key here")
        now = self._clock()
        taken = assertions.check(assertion, client.id, client.jwks, audiences, now)
        if not await self._spent.first_time("assertion", client.id, taken.jti, taken.until, now):
            raise Unproved("it came before: sign a new one each time")
        return client

    async def add(self, described: Described) -> str:
        """Register it. Returns its secret, which is stored nowhere; "" for one that has none.

        Raises WrongClient.
        """
        async with self._database.write() as session:
            secret = await registration.register(session, described, self._clock())
            self._note(session, "client_added", described.name)
        return secret

    async def ensure(self, described: Described, secret: str) -> None:
        """A client of our own, as it is described now. Raises WrongClient where an operator's has its id."""
        described = checked(described)
        async with self._database.write() as session:
            found = await session.get(OidcClient, described.id)
            if found is not None and not found.ours:
                text = f"the id {described.id} is taken: remove that client, or keep its place"
                raise WrongClient("id", text)
            row = registration.row_of(described, secret, self._clock())
            if found is not None:
                row.created_at, row.used_at = found.created_at, found.used_at
            await session.merge(row)

    async def change(self, client_id: str, changed: Changed) -> None:
        """Raises WrongClient."""
        async with self._database.write() as session:
            client = await _known(session, client_id)
            await registration.alter(session, client, changed)
            self._note(session, "client_changed", client.name)

    async def disable(self, client_id: str) -> None:
        """Raises WrongClient."""
        async with self._database.write() as session:
            client = await _known(session, client_id)
            if client.disabled_at is None:
                await registration.shut(session, client, self._clock())
                self._note(session, "client_disabled", client.name)

    async def enable(self, client_id: str) -> None:
        """Raises WrongClient."""
        async with self._database.write() as session:
            client = await _known(session, client_id)
            if client.disabled_at is not None:
                client.disabled_at = None
                self._note(session, "client_enabled", client.name)

    async def remove(self, client_id: str) -> None:
        """Its tokens and consents go with it. Raises WrongClient."""
        async with self._database.write() as session:
            client = await _known(session, client_id)
            self._note(session, "client_removed", client.name)
            await session.delete(client)

    async def new_secret(self, client_id: str) -> str:
        """Raises WrongClient where there is none, or it keeps no secret."""
        async with self._database.write() as session:
            client = await _known(session, client_id)
            secret = registration.renew_secret(client)
            self._note(session, "client_secret_made", client.name)
        return secret

    async def used(self, client: OidcClient) -> None:
        """It has just come to a token."""
        now = self._clock()
        if client.used_at is None or now - client.used_at >= NOTED_EVERY_S:
            note = update(OidcClient).where(OidcClient.id == client.id).values(used_at=now)
            async with self._database.write() as session:
                await session.execute(note)

    def _note(self, session: AsyncSession, kind: str, name: str) -> None:
        history.note_at_console(session, kind, name, self._operator, self._clock())


async def _known(session: AsyncSession, client_id: str) -> OidcClient:
    client = await session.get(OidcClient, client_id)
    if client is None:
        raise WrongClient("id", f"there is no client {client_id}")
    return client


def known(client: OidcClient | None) -> Known | None:
    """What its questions are checked against. Who may not refresh can do nothing while its person is away."""
    if client is None:
        return None
    scope = tuple(one for one in client.scope.split() if one != "offline_access" or may(client, REFRESH))
    return Known(client.id, tuple(client.redirect_uris.split("\n")), scope)


def may(client: OidcClient, grant: str) -> bool:
    return grant in client.grants.split()
