"""The help centre, and roles of those who answer there."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

REQUEST, ACCOUNT = "help_requests.id", "accounts.id"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("role", sa.String(10), nullable=False, server_default=""))
    op.create_table(
        "help_requests",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("serial_number", sa.String(64), nullable=True),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("opened_at", sa.Float(53), nullable=False),
        sa.Column("changed_at", sa.Float(53), nullable=False),
        _reference("help_requests", "account_id", ACCOUNT, "CASCADE"),
        _reference("help_requests", "serial_number", "routers.serial_number"),
        sa.PrimaryKeyConstraint("id", name="pk_help_requests"),
    )
    op.create_table(
        "help_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("by_support", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.Float(53), nullable=False),
        _reference("help_messages", "request_id", REQUEST, "CASCADE"),
        _reference("help_messages", "account_id", ACCOUNT, "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_help_messages"),
    )
    op.create_table(
        "help_files",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _reference("help_files", "request_id", REQUEST, "CASCADE"),
        _reference("help_files", "message_id", "help_messages.id", "CASCADE"),
        _reference("help_files", "account_id", ACCOUNT, "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_help_files"),
    )
    op.create_table(
        "help_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("staff_id", sa.String(32), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.Float(53), nullable=False),
        _reference("help_notes", "request_id", REQUEST, "CASCADE"),
        _reference("help_notes", "staff_id", ACCOUNT, "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_help_notes"),
    )
    for table, column in INDEXES:
        op.create_index(f"ix_{table}_{column}", table, [column])


INDEXES = (
    ("help_requests", "account_id"),
    ("help_requests", "state"),
    ("help_requests", "changed_at"),
    ("help_messages", "request_id"),
    ("help_files", "message_id"),
    ("help_files", "account_id"),
    ("help_notes", "request_id"),
)


def _reference(table: str, column: str, to: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}", ondelete=ondelete)


def downgrade() -> None:
    for table in ("help_notes", "help_files", "help_messages", "help_requests"):
        op.drop_table(table)
    op.drop_column("accounts", "role")
