"""Changes on a router that its owner can undo."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "router_undos",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("serial_number", sa.String(64), nullable=False),
        sa.Column("undo_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("command_id", sa.String(32), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_router_undos_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["serial_number"], ["routers.serial_number"], name="fk_router_undos_serial_number"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_router_undos"),
        sa.UniqueConstraint("serial_number", "undo_id", "account_id", name="uq_router_undos"),
        sa.UniqueConstraint("command_id", name="uq_router_undos_command_id"),
    )
    for column in ("account_id", "serial_number", "ends_at"):
        op.create_index(f"ix_router_undos_{column}", "router_undos", [column])
    op.create_table(
        "router_changes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("undo", sa.String(32), nullable=False),
        sa.Column("account_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["undo"], ["router_undos.id"], name="fk_router_changes_undo", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_router_changes_account_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_router_changes"),
    )
    for column in ("undo", "account_id"):
        op.create_index(f"ix_router_changes_{column}", "router_changes", [column])


def downgrade() -> None:
    op.drop_table("router_changes")
    op.drop_table("router_undos")
