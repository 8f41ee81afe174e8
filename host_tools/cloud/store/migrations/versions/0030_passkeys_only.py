"""Since when only passkeys sign in to an account."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("passkeys_only_at", sa.Float(53), nullable=True))


def downgrade() -> None:
    op.drop_column("accounts", "passkeys_only_at")
