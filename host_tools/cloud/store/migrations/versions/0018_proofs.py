"""When the person of a session last proved who they are, without a password."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("proved_at", sa.Float(53), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "proved_at")
