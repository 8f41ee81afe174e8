"""Which applications are exceptions (described.py), told by `gatelodge cloud check`. Nothing is changed."""

from __future__ import annotations

from sqlalchemy import select

from host_tools.cloud.store.looked_at import looked_at
from host_tools.cloud.store.oidc_models import OidcClient


async def exceptions(database_url: str) -> list[str]:
    """Ids of applications that are less than strict. Raises Unread."""
    found = select(OidcClient.id).where(OidcClient.plain).order_by(OidcClient.id)
    return await looked_at(database_url, found, "the applications")
