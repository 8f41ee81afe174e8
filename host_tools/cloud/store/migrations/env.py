"""Run by Alembic. The connection, and so its transaction, is the caller's (store/database.py)."""

from alembic import context

from host_tools.cloud.store.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
context.run_migrations()
