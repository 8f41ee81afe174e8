"""What is known of an authenticator's clock. A code of another time is kept with its authenticator."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
COLUMNS = (
    ("drift_s", sa.Integer, "0"), ("stray_step", sa.Integer, "0"), ("stray_at", sa.Float(53), "0"),
    ("stray_by", sa.String(32), ""),
)  # fmt: skip


def upgrade() -> None:
    op.drop_column("sign_ins", "ahead_step")
    for name, kind, default in COLUMNS:
        op.add_column("authenticators", sa.Column(name, kind, nullable=False, server_default=default))


def downgrade() -> None:
    for name, _, _ in COLUMNS:
        op.drop_column("authenticators", name)
    op.add_column("sign_ins", sa.Column("ahead_step", sa.Integer(), nullable=False, server_default="0"))
