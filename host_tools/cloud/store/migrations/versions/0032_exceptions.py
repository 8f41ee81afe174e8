"""Applications are strict, but for exceptions; when each served last, and since when it is disabled."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Whoever came before goes on as it was: as an exception, unless it was held to all of that already."""
    plain = sa.Column("plain", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("oidc_clients", plain)
    for name in ("used_at", "disabled_at"):
        op.add_column("oidc_clients", sa.Column(name, sa.Float, nullable=True))
    strict = "jwks <> '' AND dpop_bound AND pushed_only"
    op.execute(f"UPDATE oidc_clients SET plain = NOT ({strict})")


def downgrade() -> None:
    for name in ("disabled_at", "used_at", "plain"):
        op.drop_column("oidc_clients", name)
