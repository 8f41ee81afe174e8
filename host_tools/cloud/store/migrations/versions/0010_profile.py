"""The profile, another e-mail, and what undoes a change."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("language", sa.String(8), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("time_zone", sa.String(40), nullable=False, server_default=""))
    _email_changes()
    _undos()


def downgrade() -> None:
    op.drop_table("undos")
    op.drop_table("email_changes")
    op.drop_column("accounts", "time_zone")
    op.drop_column("accounts", "language")


def _email_changes() -> None:
    op.create_table(
        "email_changes",
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("session_id", sa.String(32), nullable=False),
        sa.Column("old_hash", sa.String(64), nullable=False),
        sa.Column("new_hash", sa.String(64), nullable=False),
        sa.Column("old_agreed_at", sa.Float(53), nullable=True),
        sa.Column("new_agreed_at", sa.Float(53), nullable=True),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_email_changes_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name="pk_email_changes"),
        sa.UniqueConstraint("old_hash", name="uq_email_changes_old_hash"),
        sa.UniqueConstraint("new_hash", name="uq_email_changes_new_hash"),
    )
    op.create_index("ix_email_changes_expires_at", "email_changes", ["expires_at"])


def _undos() -> None:
    op.create_table(
        "undos",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("about", sa.String(120), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_undos_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_undos"),
        sa.UniqueConstraint("token_hash", name="uq_undos_token_hash"),
    )
    op.create_index("ix_undos_account_id", "undos", ["account_id"])
    op.create_index("ix_undos_expires_at", "undos", ["expires_at"])
