"""Sessions of every site of ours at its own address. Those of the help centre begin anew, in silence."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

INDEXED = ("account_id", "account_session", "expires_at")


def upgrade() -> None:
    op.drop_table("help_sessions")
    op.create_table(
        "site_sessions",
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("account_session", sa.String(64), nullable=False),
        sa.Column("acted_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("proved_at", sa.Float(53), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_site_sessions_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name="pk_site_sessions"),
    )
    for column in INDEXED:
        op.create_index(f"ix_site_sessions_{column}", "site_sessions", [column])


OF_BEFORE = ("account_id", "portal_session", "expires_at")


def downgrade() -> None:
    op.drop_table("site_sessions")
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
    for column in OF_BEFORE:
        op.create_index(f"ix_help_sessions_{column}", "help_sessions", [column])
