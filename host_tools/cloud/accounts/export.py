"""Everything that is held of a person (G8), as JSON in a zip: one file for each table that names the account.

The tables are found, not listed: what a release adds is exported by it. Secrets are not: what is sealed, and
hashes of what opens something, would help nobody but a thief of the file.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from sqlalchemy import Column, LargeBinary, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from host_tools.cloud.help import requests
from host_tools.cloud.languages.text import N_, _
from host_tools.cloud.store.models import Account
from host_tools.cloud.store.tables import METADATA
from host_tools.cloud.warranty import routers as warranty

ROWS_MAX = 20_000  # of one table, the newest; the log of a busy year is a tenth of it
README = (
    N_("Everything that this cloud holds of your account, one file for each table."),
    N_("Times are seconds since 1970-01-01 UTC."),
    N_(
        "Secrets and their hashes are left out, and so are the notes that support keeps for itself: ask "
        "support for them."
    ),
)


async def archive(session: AsyncSession, account: Account) -> bytes:
    """The zip file. What it tells of itself is in the reader's language."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", "".join(f"{_(line)}\n" for line in README))
        for table in METADATA.sorted_tables:
            where = _theirs(table, account)
            if where is not None:
                rows = await _rows(session, table, where)
                file.writestr(f"{table.name}.json", _json(rows))
        file.writestr(warranty.FILE, _json(await warranty.exported(session, account)))
        for name, content in await requests.exported(session, account):
            file.writestr(name, content)
    return made.getvalue()


def shown(column: Column) -> bool:
    """Whether a column may leave: no bytes, which are keys, and no hash."""
    secret = isinstance(column.type, LargeBinary) or column.name.endswith("_hash")
    return not (secret or column.name in ("body", "extra"))  # of a message: it may hold a code


def _theirs(table: Table, account: Account) -> Any:
    """Which rows of the table are the person's; None where it names nobody."""
    columns = table.columns
    if table.name == Account.__tablename__:
        return columns.id == account.id
    found = [columns[name] == account.id for name in ("account_id", "owner_id") if name in columns]
    found += [columns[name] == account.email for name in ("email", "recipient") if name in columns]
    return or_(*found) if found else None


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, indent=2, ensure_ascii=False)


async def _rows(session: AsyncSession, table: Table, where: Any) -> list[dict[str, Any]]:
    names = [column for column in table.columns if shown(column)]
    newest = [column.desc() for column in table.primary_key.columns]
    found = await session.execute(select(*names).where(where).order_by(*newest).limit(ROWS_MAX))
    return [dict(row) for row in found.mappings()]
