"""Notices: what a router has its owner told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("serial_number", sa.String(64), nullable=False),
        sa.Column("notice_id", sa.String(64), nullable=False),
        sa.Column("taken_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["serial_number"], ["routers.serial_number"], name="fk_notices_serial_number"
        ),
        sa.PrimaryKeyConstraint("serial_number", "notice_id", name="pk_notices"),
    )
    op.create_index("ix_notices_taken_at", "notices", ["taken_at"])


def downgrade() -> None:
    op.drop_table("notices")
