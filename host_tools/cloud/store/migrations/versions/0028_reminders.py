"""That somebody was reminded of what ends."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
TABLES = ("api_tokens", "trusted_browsers")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("reminded_at", sa.Float(53), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "reminded_at")
