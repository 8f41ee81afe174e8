"""What a message serves, until when, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

TEXTS = (
    ("extra", sa.Text()),
    ("about", sa.String(64)),
    ("reference", sa.String(64)),
    ("why", sa.String(120)),
)


def upgrade() -> None:
    for name, kind in TEXTS:
        op.add_column("messages", sa.Column(name, kind, nullable=False, server_default=""))
    op.add_column("messages", sa.Column("expires_at", sa.Float(53), nullable=True))
    op.create_index("ix_messages_about", "messages", ["about"])


def downgrade() -> None:
    op.drop_index("ix_messages_about", "messages")
    for name in ("expires_at", *(name for name, _ in reversed(TEXTS))):
        op.drop_column("messages", name)
