"""Diagnostics that a router sends with a help request."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "help_reports",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("command_id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("serial_number", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.Float(53), nullable=False),
        sa.Column("ends_at", sa.Float(53), nullable=False),
        sa.Column("file_id", sa.String(32), nullable=True),
        _reference("request_id", "help_requests.id", "CASCADE"),
        _reference("message_id", "help_messages.id", "CASCADE"),
        _reference("account_id", "accounts.id", "CASCADE"),
        _reference("serial_number", "routers.serial_number"),
        _reference("file_id", "help_files.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_help_reports"),
        sa.UniqueConstraint("command_id", name="uq_help_reports_command_id"),
    )
    for column in INDEXED:
        op.create_index(f"ix_help_reports_{column}", "help_reports", [column])


INDEXED = ("request_id", "account_id", "serial_number", "ends_at")


def _reference(column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_help_reports_{column}", ondelete=ondelete)


def downgrade() -> None:
    op.drop_table("help_reports")
