"""What an account lets an application know, until it takes that back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.accounts import applications
from host_tools.cloud.accounts.events import note
from host_tools.cloud.accounts.visit import Visit
from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient, OidcConsent


class Consents:
    def __init__(self, database: Database):
        self._database = database

    async def of(self, visit: Visit, client_id: str) -> tuple[str, ...]:
        """The scopes that the account has let the application have before."""
        async with self._database.read() as session:
            row = await session.get(OidcConsent, (visit.signed_in.id, client_id))
        return tuple(row.scope.split()) if row else ()

    async def all(self, account_id: str) -> list[tuple[OidcConsent, OidcClient]]:
        """What the account has connected, the last used first."""
        found = select(OidcConsent, OidcClient).join(OidcClient, OidcClient.id == OidcConsent.client_id)
        newest = (OidcConsent.used_at.desc(), OidcConsent.client_id)
        mine = found.where(OidcConsent.account_id == account_id).order_by(*newest)
        async with self._database.read() as session:
            return [(row[0], row[1]) for row in await session.execute(mine)]

    async def disconnect(self, client_id: str, visit: Visit) -> bool:
        """The account takes an application's rights back: consent and all tokens."""
        account_id = visit.signed_in.id
        async with self._database.write() as session:
            row = await session.get(OidcConsent, (account_id, client_id))
            if row is None:
                return False
            client = await session.get_one(OidcClient, client_id)
            note(session, account_id, "application_removed", visit, client.name)
            await session.delete(row)
            await applications.shut_out(session, account_id, client_id)
        return True


async def connect(session: AsyncSession, client: OidcClient, scope: tuple[str, ...], visit: Visit) -> None:
    """Write down, in the caller's transaction, what the person has agreed to."""
    account_id = visit.signed_in.id
    row = await session.get(OidcConsent, (account_id, client.id))
    if row is None:
        row = OidcConsent(account_id=account_id, client_id=client.id, scope="", given_at=visit.now)
        session.add(row)
        note(session, account_id, "application_added", visit, client.name)
    row.scope = " ".join(dict.fromkeys([*row.scope.split(), *scope]))
    row.used_at = visit.now
