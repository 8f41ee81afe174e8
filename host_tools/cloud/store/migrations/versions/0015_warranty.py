"""When a router was first registered, and when it was sold."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("routers", sa.Column("first_owned_at", sa.Float(53), nullable=True))
    op.add_column("routers", sa.Column("sold_on", sa.String(10), nullable=True))
    op.execute("UPDATE routers SET first_owned_at = owned_at")


def downgrade() -> None:
    op.drop_column("routers", "sold_on")
    op.drop_column("routers", "first_owned_at")
