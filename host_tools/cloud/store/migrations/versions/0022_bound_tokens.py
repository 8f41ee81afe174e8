"""What each application may use, how it proves itself, and the keys that its tokens are bound to."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

ALL_GRANTS = "authorization_code refresh_token device_code"  # what every application could use until now
THUMBPRINT = sa.String(43)


def upgrade() -> None:
    op.add_column("oidc_clients", sa.Column("jwks", sa.Text, nullable=False, server_default=""))
    op.add_column("oidc_clients", sa.Column("grants", sa.String(100), nullable=False, server_default=""))
    for name in ("dpop_bound", "pushed_only"):
        op.add_column("oidc_clients", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(f"UPDATE oidc_clients SET grants = '{ALL_GRANTS}'")
    for table in ("oidc_codes", "oidc_tokens"):
        op.add_column(table, sa.Column("jkt", THUMBPRINT, nullable=False, server_default=""))
    _pushed()
    _spent()


def _pushed() -> None:
    op.create_table(
        "oidc_pushed",
        sa.Column("uri_hash", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(40), nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("browser_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["oidc_clients.id"], name="fk_oidc_pushed_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("uri_hash", name="pk_oidc_pushed"),
    )
    op.create_index("ix_oidc_pushed_expires_at", "oidc_pushed", ["expires_at"])


def _spent() -> None:
    op.create_table(
        "oidc_spent",
        sa.Column("proof_hash", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("proof_hash", name="pk_oidc_spent"),
    )
    op.create_index("ix_oidc_spent_expires_at", "oidc_spent", ["expires_at"])


def downgrade() -> None:
    op.drop_table("oidc_spent")
    op.drop_table("oidc_pushed")
    for table in ("oidc_tokens", "oidc_codes"):
        op.drop_column(table, "jkt")
    for name in ("pushed_only", "dpop_bound", "grants", "jwks"):
        op.drop_column("oidc_clients", name)
