"""The second part of a proof, the token that a session had before it, and when a sign-in asked last."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("second_proved_at", sa.Float(53), nullable=True))
    op.add_column("sessions", sa.Column("former_hash", sa.String(64), nullable=True))
    op.add_column("sessions", sa.Column("former_until", sa.Float(53), nullable=True))
    op.create_index("ix_sessions_former_hash", "sessions", ["former_hash"])
    op.add_column("sign_ins", sa.Column("asked_at", sa.Float(53), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("sign_ins", "asked_at")
    op.drop_index("ix_sessions_former_hash", "sessions")
    op.drop_column("sessions", "former_until")
    op.drop_column("sessions", "former_hash")
    op.drop_column("sessions", "second_proved_at")
