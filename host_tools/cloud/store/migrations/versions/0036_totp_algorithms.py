"""Which hash function an authenticator's codes are made with. Those of before are of the classic format."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    algorithm = sa.Column("algorithm", sa.String(6), nullable=False, server_default="SHA1")
    op.add_column("authenticators", algorithm)


def downgrade() -> None:
    """Those of another function than SHA-1 would show wrong codes: they go."""
    op.execute("DELETE FROM authenticators WHERE algorithm <> 'SHA1'")
    op.drop_column("authenticators", "algorithm")
