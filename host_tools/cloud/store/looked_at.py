"""One SELECT for a verb that changes nothing, on a database that may not be there yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from host_tools.cloud.store.database import Database


class Unread(Exception):  # noqa: N818
    """The database cannot be read, or is of another release: a sentence."""


async def looked_at(database_url: str, found: Select[Any], what: str) -> list[Any]:
    """The first column of each row; [] where there is no database yet. Raises Unread, which names `what`."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return []
    database = Database(database_url)
    try:
        async with database.read() as session:
            return list(await session.scalars(found))
    except (SQLAlchemyError, OSError) as error:
        text = f"{what} cannot be looked at: 'gatelodge cloud migrate' first, or see to the database"
        raise Unread(text) from error
    finally:
        await database.close()
