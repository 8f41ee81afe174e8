"""Sessions of the help centre, where it has an address of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "help_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("portal_session", sa.String(64), nullable=False),
        sa.Column("acted_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_help_sessions_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_help_sessions"),
    )
    for column in INDEXED:
        op.create_index(f"ix_help_sessions_{column}", "help_sessions", [column])


INDEXED = ("account_id", "portal_session", "expires_at")


def downgrade() -> None:
    op.drop_table("help_sessions")
