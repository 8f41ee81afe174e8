"""What the role that serves may do on PostgreSQL: rows, and nothing of the schema (ASVS 13.2.2).

The tables belong to the role that migrates. Who takes the service over can then drop or alter nothing, switch
off no trigger, and change no event: of those it may add and read only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

from host_tools import exit_codes
from host_tools.errors import ToolError

ROWS = "SELECT, INSERT, UPDATE, DELETE"
# Of all, before the tables' own.
WHOLE = (
    "REVOKE ALL ON SCHEMA {schema} FROM {role}",
    "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
    "REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM {role}",
    "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",  # before PostgreSQL 15 everybody could
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
)
# Tables of which it may do less.
LESS = {"events": "SELECT, INSERT", "alembic_version": "SELECT"}
# Of a superuser, of who may act as our own role, and of who owns the schema, a table or a sequence of it.
IS_TOO_MIGHTY = text(
    "SELECT r.rolsuper OR pg_has_role(r.oid, current_user, 'MEMBER') OR EXISTS ("
    "SELECT FROM pg_namespace n "
    "LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'S') "
    "WHERE n.nspname = current_schema() AND (pg_has_role(r.oid, n.nspowner, 'MEMBER') "
    "OR pg_has_role(r.oid, c.relowner, 'MEMBER'))) FROM pg_roles r WHERE r.rolname = :role"
)
MAY_DELETE = text("SELECT has_table_privilege(:table, 'DELETE')")


class Rights(ExecutableDDLElement):
    """A statement with names in it: `GRANT SELECT ON {table} TO {role}`."""

    inherit_cache = False

    def __init__(self, words: str, **names: str):
        self.words = words
        self.names = names


@compiles(Rights, "postgresql")
def _sql(rights: Rights, compiler: Any, **_: Any) -> str:
    quote = compiler.preparer.quote_identifier
    return rights.words.format(**{key: quote(name) for key, name in rights.names.items()})


def grant(connection: Connection, role: str) -> None:
    """Give the role exactly this, whatever it had, in the caller's transaction. Raises ToolError."""
    if connection.dialect.name != "postgresql":
        raise _fault("this database knows no roles", "leave out --serving-role, or name PostgreSQL's")
    _check(connection, role)
    inspector = inspect(connection)
    schema = inspector.default_schema_name or "public"
    for words in WHOLE:
        connection.execute(Rights(words, schema=schema, role=role))
    for table in inspector.get_table_names():
        words = f"GRANT {LESS.get(table, ROWS)} ON {{table}} TO {{role}}"
        connection.execute(Rights(words, table=table, role=role))


def may_delete(connection: Connection, table: str) -> bool:
    """Whether our own role may delete rows of the table."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.scalar(MAY_DELETE, {"table": table}))


def _check(connection: Connection, role: str) -> None:
    is_too_mighty = connection.scalar(IS_TOO_MIGHTY, {"role": role})
    if is_too_mighty is None:
        raise _fault(f"there is no role {role!r}", "have it made: CREATE ROLE … LOGIN")
    if is_too_mighty:
        raise _fault(f"{role!r} owns the tables or may act as who does", "name a role of its own for serving")


def _fault(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.USAGE)
