"""Which applications are exceptions (described.py), told by `gatelodge cloud check`. Nothing is changed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from host_tools.cloud.store.database import Database
from host_tools.cloud.store.oidc_models import OidcClient


class Unread(Exception):  # noqa: N818
    """The database cannot be read, or is of another release: a sentence."""


async def exceptions(database_url: str) -> list[str]:
    """Ids of applications that are less than strict; none where there is no database yet. Raises Unread."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return []
    database = Database(database_url)
    try:
        async with database.read() as session:
            found = select(OidcClient.id).where(OidcClient.plain).order_by(OidcClient.id)
            return list(await session.scalars(found))
    except (SQLAlchemyError, OSError) as error:
        text = "the applications cannot be looked at: 'gatelodge cloud migrate' first, or see to the database"
        raise Unread(text) from error
    finally:
        await database.close()
