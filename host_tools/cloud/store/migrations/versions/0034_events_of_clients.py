"""What was done to the registrations of applications is found in the log of events without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
NAME = "ix_events_clients"
OF_CLIENTS = sa.text("substr(kind, 1, 7) = 'client_'")


def upgrade() -> None:
    op.create_index(NAME, "events", ["id"], sqlite_where=OF_CLIENTS, postgresql_where=OF_CLIENTS)


def downgrade() -> None:
    op.drop_index(NAME, "events")
