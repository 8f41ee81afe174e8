"""Grave changes that wait, and accounts that are disabled."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("disabled_at", sa.Float(53), nullable=True))
    op.create_table(
        "waiting_changes",
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("asked_at", sa.Float(53), nullable=False),
        sa.Column("due_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_waiting_changes_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", name="pk_waiting_changes"),
        sa.UniqueConstraint("token_hash", name="uq_waiting_changes_token_hash"),
    )
    op.create_index("ix_waiting_changes_due_at", "waiting_changes", ["due_at"])


def downgrade() -> None:
    op.drop_table("waiting_changes")
    op.drop_column("accounts", "disabled_at")
