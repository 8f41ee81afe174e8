"""What applications hold outlives every session: whoever takes an account back puts them out as well."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.store.oidc_models import OidcCode, OidcDevice, OidcToken


async def shut_out(session: AsyncSession, account_id: str, client_id: str | None = None) -> None:
    """In the caller's transaction, of one application or of all. Each may ask its person to sign in anew.

    A device that was let in and has not come for its tokens yet stays out.
    """
    for table in (OidcToken, OidcCode, OidcDevice):
        mine = [table.account_id == account_id]
        if client_id is not None:
            mine.append(table.client_id == client_id)
        await session.execute(delete(table).where(*mine))
