"""What the role that serves may do on PostgreSQL: rows, and nothing of the schema (ASVS 13.2.2).

The tables belong to the role that migrates. Who takes the service over can then drop or alter nothing, switch
off no trigger, and change no event: of those it may add and read only.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from host_tools import exit_codes
from host_tools.errors import ToolError

ROWS = "SELECT, INSERT, UPDATE, DELETE"
# Tables of which it may do less.
LESS = {"events": "SELECT, INSERT", "alembic_version": "SELECT"}
MAY_ACT_AS_US = text(
    "SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = :role"
)
MAY_DELETE = text("SELECT has_table_privilege(:table, 'DELETE')")


def grant(connection: Connection, role: str) -> None:
    """Give the role exactly this, whatever it had, in the caller's transaction. Raises ToolError."""
    if connection.dialect.name != "postgresql":
        raise _fault("this database knows no roles", "leave out --serving-role, or name PostgreSQL's")
    _check(connection, role)
    for statement in statements(connection, role):
        connection.exec_driver_sql(statement)


def statements(connection: Connection, role: str) -> list[str]:
    inspector = inspect(connection)
    quote = connection.dialect.identifier_preparer.quote_identifier
    who, schema = quote(role), quote(inspector.default_schema_name or "public")
    made = [
        f"REVOKE ALL ON SCHEMA {schema} FROM {who}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {who}",
        f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",  # before PostgreSQL 15 everybody could
        f"GRANT USAGE ON SCHEMA {schema} TO {who}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {who}",
    ]
    tables = sorted(inspector.get_table_names())
    return made + [f"GRANT {LESS.get(table, ROWS)} ON {quote(table)} TO {who}" for table in tables]


def may_delete(connection: Connection, table: str) -> bool:
    """Whether our own role may delete rows of the table."""
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.scalar(MAY_DELETE, {"table": table}))


def _check(connection: Connection, role: str) -> None:
    acts_as_us = connection.scalar(MAY_ACT_AS_US, {"role": role})
    if acts_as_us is None:
        raise _fault(f"there is no role {role!r}", "have it made: CREATE ROLE … LOGIN")
    if acts_as_us:
        raise _fault(f"{role!r} owns the tables or may act as who does", "name a role of its own for serving")


def _fault(what: str, remedy: str) -> ToolError:
    return ToolError(what, remedy, exit_codes.USAGE)
