"""A recovery code's hash bears the id of its key."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    _resize(64, 73)


def downgrade() -> None:
    _resize(73, 64)


def _resize(old: int, new: int) -> None:
    with op.batch_alter_table("recovery_codes") as table:
        table.alter_column(
            "code_hash", existing_type=sa.String(old), type_=sa.String(new), existing_nullable=False
        )
